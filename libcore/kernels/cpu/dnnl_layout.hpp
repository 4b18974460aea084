// tensor::Layout <-> oneDNN memory descriptors.
//
// Both describe the same thing: an order of the outer dims and a list of inner blocks, so the
// conversion is exact; formats that are more than that (Winograd, packed, compensated weights) have
// no Layout. Dims of extent 1 may stand anywhere in the order without changing a byte; `canonical`
// picks one spelling so that equal storage compares equal. Only this file and its .cpp look inside
// the library's (v2) descriptor struct.
#pragma once

#include <optional>
#include <vector>

#include <dnnl.hpp>

#include "tensor/data_type.hpp"
#include "tensor/layout.hpp"
#include "tensor/shape.hpp"

namespace lbann::kernels::cpu {

using Desc = dnnl::memory::desc;

/// Undef for the types the library does not compute with (f64, i64).
dnnl::memory::data_type to_dnnl_type(tensor::DataType type);

/// A dense descriptor of `shape` stored as `layout`; `layout.rank() == 0` means "any" (let the
/// library choose). Throws base::Error (internal) for ranks the library cannot describe.
Desc make_desc(const tensor::Shape& shape, const tensor::Layout& layout,
               dnnl::memory::data_type type = dnnl::memory::data_type::f32);

/// The (canonical) layout of a dense blocked descriptor; nullopt for anything else: Winograd,
/// packed or compensated formats, gaps, offsets.
std::optional<tensor::Layout> try_layout(const Desc& desc);

/// Convolution weights of `shape` [k, c/g, s..] as the library wants them, [g, k/g, c/g, s..];
/// groups == 1: same as make_desc. nullopt when a block of dim 0 would straddle two groups.
std::optional<Desc> try_make_weight_desc(const tensor::Shape& shape, const tensor::Layout& layout,
                                         std::int64_t groups,
                                         dnnl::memory::data_type type = dnnl::memory::data_type::f32);
/// Inverse: layout of [k, c/g, s..] from the library's [g, k/g, c/g, s..].
std::optional<tensor::Layout> try_weight_layout(const Desc& desc, std::int64_t groups);

/// Same storage, one spelling: dims of extent 1 (after blocking) stand as near to row-major as possible.
tensor::Layout canonical(const tensor::Layout& layout, const tensor::Shape& shape);
/// True when both layouts put every element (and all padding) of `shape` at the same offset.
bool same_storage(const tensor::Shape& shape, const tensor::Layout& a, const tensor::Layout& b);
/// Layout of the transposed tensor with the same storage: dim i of the result is dim perm[i] of `layout`.
tensor::Layout permuted(const tensor::Layout& layout, const std::vector<int>& perm);

}  // namespace lbann::kernels::cpu
