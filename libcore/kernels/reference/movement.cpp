// Naive data movement: view (reshape, stop_gradient), permute, slice, pad, concat, expand, reorder.
// Elements are moved as bytes: any type, any bit pattern.
#include "kernels/reference/makers.hpp"
#include "tensor/layout_walk.hpp"

namespace lbann::kernels::reference {
namespace {

// Copies one element of `size` bytes.
void move_element(void* to, std::int64_t i, const void* from, std::int64_t j, std::size_t size) {
  std::memcpy(static_cast<char*>(to) + i * static_cast<std::int64_t>(size),
              static_cast<const char*>(from) + j * static_cast<std::int64_t>(size), size);
}

std::size_t element_size(const NodeView& v) {
  if (v.num_inputs() > 0 && v.in_type(0) != v.out_type()) v.refuse("types differ");
  return static_cast<std::size_t>(tensor::size_bytes(v.out_type()));
}

}  // namespace

std::unique_ptr<Kernel> make_view(const NodeView& v) {
  const bool same_storage = (v.in(0).layout.is_plain() && v.out(0).layout.is_plain()) ||
                            (v.in_shape(0) == v.out_shape() &&
                             tensor::same_storage(v.out_shape(), v.in(0).layout, v.out(0).layout));
  if (!same_storage) v.refuse("layouts differ");
  const auto bytes =
      static_cast<std::size_t>(v.out(0).layout.storage_elements(v.out_shape())) * element_size(v);
  return make_function_kernel([=](const KernelArgs& args) {
    if (args.inputs[0] != args.outputs[0]) std::memcpy(args.outputs[0], args.inputs[0], bytes);
  });
}

std::unique_ptr<Kernel> make_permute(const NodeView& v) {
  const std::vector<std::int64_t> from = row_major_strides(v.in_shape(0));
  std::vector<std::int64_t> strides;
  for (std::int64_t d : v.n.attrs.get_ints("perm")) strides.push_back(from[static_cast<std::size_t>(d)]);
  const std::size_t size = element_size(v);
  return make_function_kernel([=, shape = v.out_shape()](const KernelArgs& args) {
    std::int64_t position = 0;
    for_each_index(shape, [&](const std::vector<std::int64_t>& index) {
      move_element(args.outputs[0], position++, args.inputs[0], offset_of(index, strides), size);
    });
  });
}

std::unique_ptr<Kernel> make_slice(const NodeView& v) {
  const std::vector<std::int64_t> strides = row_major_strides(v.in_shape(0));
  const std::int64_t start =
      v.n.attrs.get_int("start") * strides[static_cast<std::size_t>(v.n.attrs.get_int("axis"))];
  const std::size_t size = element_size(v);
  return make_function_kernel([=, shape = v.out_shape()](const KernelArgs& args) {
    std::int64_t position = 0;
    for_each_index(shape, [&](const std::vector<std::int64_t>& index) {
      move_element(args.outputs[0], position++, args.inputs[0], start + offset_of(index, strides), size);
    });
  });
}

std::unique_ptr<Kernel> make_pad(const NodeView& v) {
  const std::vector<std::int64_t> strides = row_major_strides(v.out_shape());
  const std::int64_t start =
      v.n.attrs.get_int("before") * strides[static_cast<std::size_t>(v.n.attrs.get_int("axis"))];
  const std::size_t size = element_size(v);
  const auto bytes = static_cast<std::size_t>(v.out_shape().num_elements()) * size;
  return make_function_kernel([=, shape = v.in_shape(0)](const KernelArgs& args) {
    std::memset(args.outputs[0], 0, bytes);
    std::int64_t position = 0;
    for_each_index(shape, [&](const std::vector<std::int64_t>& index) {
      move_element(args.outputs[0], start + offset_of(index, strides), args.inputs[0], position++, size);
    });
  });
}

std::unique_ptr<Kernel> make_concat(const NodeView& v) {
  const std::vector<std::int64_t> strides = row_major_strides(v.out_shape());
  const int axis = static_cast<int>(v.n.attrs.get_int("axis"));
  const std::size_t size = element_size(v);
  std::vector<tensor::Shape> shapes;
  for (int i = 0; i < v.num_inputs(); ++i) shapes.push_back(v.in_shape(i));
  return make_function_kernel([=](const KernelArgs& args) {
    std::int64_t start = 0;
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      std::int64_t position = 0;
      for_each_index(shapes[i], [&](const std::vector<std::int64_t>& index) {
        move_element(args.outputs[0], start + offset_of(index, strides), args.inputs[i], position++, size);
      });
      start += shapes[i][axis] * strides[static_cast<std::size_t>(axis)];
    }
  });
}

std::unique_ptr<Kernel> make_expand(const NodeView& v) {
  if (v.in_shape(0).rank() != v.out_shape().rank()) v.refuse("ranks differ");
  const std::vector<std::int64_t> strides = broadcast_strides(v.in_shape(0));
  const std::size_t size = element_size(v);
  return make_function_kernel([=, shape = v.out_shape()](const KernelArgs& args) {
    std::int64_t position = 0;
    for_each_index(shape, [&](const std::vector<std::int64_t>& index) {
      move_element(args.outputs[0], position++, args.inputs[0], offset_of(index, strides), size);
    });
  });
}

std::unique_ptr<Kernel> make_reorder(const NodeView& v) {
  const tensor::Layout from = v.in(0).layout;
  const tensor::Layout to = v.out(0).layout;
  const std::size_t size = element_size(v);
  const auto bytes = static_cast<std::size_t>(to.storage_elements(v.out_shape())) * size;
  return make_function_kernel([=, shape = v.out_shape()](const KernelArgs& args) {
    std::memset(args.outputs[0], 0, bytes);  // the padding
    for_each_index(shape, [&](const std::vector<std::int64_t>& index) {
      move_element(args.outputs[0], to.offset(shape, index.data()), args.inputs[0],
                   from.offset(shape, index.data()), size);
    });
  });
}

}  // namespace lbann::kernels::reference
