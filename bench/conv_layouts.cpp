// Times the library's convolution (forward, both gradients) for activation layouts any, channels
// last, row-major and blocked by 16, so that the rule in libcore/kernels/cpu/catalogue_conv.cpp can be
// checked. A '*' before the implementation marks a pinned weight layout (the one forward chose).
//
//   g++ -O2 -std=c++20 bench/conv_layouts.cpp -ldnnl -o conv_layouts
//   OMP_NUM_THREADS=2 ./conv_layouts n c h w k kernel stride pad
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include <dnnl.hpp>

using namespace dnnl;
using Tag = memory::format_tag;
using Type = memory::data_type;

namespace {

// Best of many: the least disturbed run, since other work may share the machine.
double best_us(const char* implementation, const std::function<void()>& f) {
  if (std::strstr(implementation, "ref") != nullptr) return -1;  // slow and never chosen
  f();
  double best = 1e30;
  const auto begin = std::chrono::steady_clock::now();
  do {
    const auto t = std::chrono::steady_clock::now();
    f();
    best = std::min(best,
                    std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - t).count());
  } while (std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(60));
  return best;
}

struct Problem {
  memory::dims x, w, y, stride, pad;
};

memory zeroed(const memory::desc& d, const engine& e) {
  memory m(d, e);
  std::fill_n(static_cast<float*>(m.get_data_handle()), d.get_size() / sizeof(float), 0.5F);
  return m;
}

const char* name(Tag t) {
  switch (t) {
    case Tag::any:
      return "any";
    case Tag::acdb:
      return "nhwc";
    case Tag::abcd:
      return "nchw";
    case Tag::aBcd16b:
      return "nC16";
    case Tag::aBcd8b:
      return "nC8";
    default:
      return "?";
  }
}

std::string weight_tag(const memory::desc& d) {
  std::string s;
  for (int i = 0; i < d.data.format_desc.blocking.inner_nblks; ++i) {
    s += std::to_string(d.data.format_desc.blocking.inner_blks[i]) +
         static_cast<char>('a' + d.data.format_desc.blocking.inner_idxs[i]);
  }
  return s.empty() ? "plain" : s;
}

void time_all(const Problem& p, Tag tx, Tag ty, const engine& e) {
  stream s(e);
  const memory::desc x(p.x, Type::f32, tx), y(p.y, Type::f32, ty), w(p.w, Type::f32, Tag::any);
  std::printf("%-5s->%-5s", name(tx), name(ty));
  try {
    const convolution_forward::primitive_desc f(
        {prop_kind::forward_training, algorithm::convolution_direct, x, w, y, p.stride, p.pad, p.pad}, e);
    memory mx = zeroed(f.src_desc(), e), mw = zeroed(f.weights_desc(), e), my = zeroed(f.dst_desc(), e);
    convolution_forward prim(f);
    const double fwd = best_us(f.impl_info_str(), [&] {
      prim.execute(s, {{DNNL_ARG_SRC, mx}, {DNNL_ARG_WEIGHTS, mw}, {DNNL_ARG_DST, my}});
    });
    std::printf(" fwd %8.1f %-24s w=%s", fwd, f.impl_info_str(), weight_tag(f.weights_desc()).c_str());
    for (const bool pinned : {false, true}) {
      const memory::desc wd = pinned ? f.weights_desc() : w;
      const memory::desc xd = tx == Tag::any ? f.src_desc() : x;
      const memory::desc yd = ty == Tag::any ? f.dst_desc() : y;
      try {
        const convolution_backward_data::primitive_desc b(
            {algorithm::convolution_direct, xd, wd, yd, p.stride, p.pad, p.pad}, e, f);
        memory bw = zeroed(b.weights_desc(), e), bx = zeroed(b.diff_src_desc(), e);
        convolution_backward_data bp(b);
        const double t = best_us(b.impl_info_str(), [&] {
          bp.execute(s, {{DNNL_ARG_DIFF_DST, my}, {DNNL_ARG_WEIGHTS, bw}, {DNNL_ARG_DIFF_SRC, bx}});
        });
        std::printf(" | %sbd %8.1f %-22s w=%s", pinned ? "*" : "", t, b.impl_info_str(),
                    weight_tag(b.weights_desc()).c_str());
      } catch (const error&) {
        std::printf(" | %sbd -", pinned ? "*" : "");
      }
      try {
        const convolution_backward_weights::primitive_desc b(
            {algorithm::convolution_direct, xd, wd, yd, p.stride, p.pad, p.pad}, e, f);
        memory bw = zeroed(b.diff_weights_desc(), e);
        convolution_backward_weights bp(b);
        const double t = best_us(b.impl_info_str(), [&] {
          bp.execute(s, {{DNNL_ARG_SRC, mx}, {DNNL_ARG_DIFF_DST, my}, {DNNL_ARG_DIFF_WEIGHTS, bw}});
        });
        std::printf(" | %sbw %8.1f %-22s w=%s", pinned ? "*" : "", t, b.impl_info_str(),
                    weight_tag(b.diff_weights_desc()).c_str());
      } catch (const error&) {
        std::printf(" | %sbw -", pinned ? "*" : "");
      }
    }
    std::printf("\n");
  } catch (const error&) {
    std::printf(" not offered\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 9) {
    std::fprintf(stderr, "usage: conv_layouts n c h w k kernel stride pad\n");
    return 2;
  }
  std::vector<long> v;
  for (int i = 1; i < 9; ++i) v.push_back(std::strtol(argv[i], nullptr, 10));
  const long oh = (v[2] + 2 * v[7] - v[5]) / v[6] + 1, ow = (v[3] + 2 * v[7] - v[5]) / v[6] + 1;
  const Problem p{
      {v[0], v[1], v[2], v[3]}, {v[4], v[1], v[5], v[5]}, {v[0], v[4], oh, ow}, {v[6], v[6]}, {v[7], v[7]}};
  const engine e(engine::kind::cpu, 0);
  std::printf("x [%ld,%ld,%ld,%ld] w [%ld,%ld,%ld,%ld] y [%ld,%ld,%ld,%ld]\n", v[0], v[1], v[2], v[3], v[4],
              v[1], v[5], v[5], v[0], v[4], oh, ow);
  for (const auto& [tx, ty] : std::vector<std::pair<Tag, Tag>>{{Tag::any, Tag::any},
                                                               {Tag::acdb, Tag::acdb},
                                                               {Tag::abcd, Tag::abcd},
                                                               {Tag::abcd, Tag::aBcd16b},
                                                               {Tag::abcd, Tag::acdb},
                                                               {Tag::aBcd16b, Tag::aBcd16b},
                                                               {Tag::aBcd8b, Tag::aBcd16b},
                                                               {Tag::aBcd8b, Tag::aBcd8b}}) {
    time_all(p, tx, ty, e);
  }
}
