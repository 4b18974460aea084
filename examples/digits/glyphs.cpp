// See glyphs.hpp. Points were set by hand after common school and print forms.
#include "glyphs.hpp"

#include <cmath>

namespace digits {
namespace {

/// Catmull-Rom spline through the points, 6 pieces per span.
Stroke curve(const std::vector<Point>& p) {
  constexpr int pieces = 6;
  Stroke out;
  const auto at = [&](std::size_t i, int offset) {
    const long j = static_cast<long>(i) + offset, last = static_cast<long>(p.size()) - 1;
    return p[static_cast<std::size_t>(j < 0 ? 0 : j > last ? last : j)];
  };
  for (std::size_t i = 0; i + 1 < p.size(); ++i) {
    const Point a = at(i, -1), b = at(i, 0), c = at(i, 1), d = at(i, 2);
    const auto blend = [](double pa, double pb, double pc, double pd, double t) {
      return 0.5 *
             (2 * pb + t * (pc - pa + t * (2 * pa - 5 * pb + 4 * pc - pd + t * (3 * (pb - pc) + pd - pa))));
    };
    for (int k = 0; k < pieces; ++k) {
      const double t = static_cast<double>(k) / pieces;
      out.push_back({blend(a.x, b.x, c.x, d.x, t), blend(a.y, b.y, c.y, d.y, t)});
    }
  }
  out.push_back(p.back());
  return out;
}

/// A straight-sided stroke, cut into short pieces so that it can bend later.
Stroke line(const std::vector<Point>& p) {
  Stroke out;
  for (std::size_t i = 0; i + 1 < p.size(); ++i) {
    const double dx = p[i + 1].x - p[i].x, dy = p[i + 1].y - p[i].y;
    const int pieces = 1 + static_cast<int>(std::hypot(dx, dy) / 0.12);
    for (int k = 0; k < pieces; ++k) out.push_back({p[i].x + dx * k / pieces, p[i].y + dy * k / pieces});
  }
  out.push_back(p.back());
  return out;
}

Stroke ellipse(double x, double y, double rx, double ry) {
  constexpr int pieces = 24;
  Stroke out;
  for (int k = 0; k <= pieces; ++k) {
    const double t = 6.283185307179586 * k / pieces;
    out.push_back({x + rx * std::cos(t), y + ry * std::sin(t)});
  }
  return out;
}

}  // namespace

std::vector<std::vector<Glyph>> make_glyphs() {
  std::vector<std::vector<Glyph>> g(10);
  g[0] = {
      {ellipse(.5, .5, .33, .5)},
      {ellipse(.5, .5, .25, .5)},
      {curve({{.58, .03},
              {.36, .06},
              {.2, .34},
              {.22, .72},
              {.42, .99},
              {.66, .9},
              {.78, .56},
              {.7, .16},
              {.5, .03}})},
  };
  g[1] = {
      {line({{.5, 0}, {.5, 1}})},
      {line({{.3, .24}, {.54, 0}, {.54, 1}})},
      {line({{.32, .2}, {.52, 0}, {.52, 1}}), line({{.3, 1}, {.74, 1}})},
  };
  g[2] = {
      {curve({{.2, .26}, {.28, .07}, {.5, 0}, {.72, .08}, {.78, .28}, {.66, .5}, {.42, .74}, {.2, 1}}),
       line({{.2, 1}, {.82, 1}})},
      {curve({{.2, .2},
              {.4, .01},
              {.68, .06},
              {.74, .3},
              {.55, .62},
              {.3, .92},
              {.16, .93},
              {.2, .8},
              {.38, .82},
              {.6, .97},
              {.84, .9}})},
      {curve({{.22, .14}, {.46, 0}, {.74, .1}, {.74, .36}, {.2, 1}}), line({{.2, 1}, {.5, .96}, {.8, 1}})},
  };
  g[3] = {
      {curve({{.2, .12}, {.45, 0}, {.72, .1}, {.74, .32}, {.58, .46}, {.4, .48}}),
       curve({{.4, .48}, {.66, .52}, {.8, .72}, {.7, .92}, {.45, 1}, {.18, .9}})},
      {line({{.2, 0}, {.76, 0}, {.46, .4}}),
       curve({{.46, .4}, {.7, .46}, {.8, .7}, {.68, .93}, {.42, 1}, {.18, .9}})},
      {curve({{.22, .06},
              {.5, 0},
              {.72, .14},
              {.66, .36},
              {.46, .46},
              {.7, .56},
              {.78, .78},
              {.6, .97},
              {.3, .99},
              {.16, .86}})},
  };
  g[4] = {
      {line({{.3, 0}, {.18, .58}, {.84, .58}}), line({{.64, .26}, {.64, 1}})},
      {line({{.66, 1}, {.66, 0}, {.16, .68}, {.88, .68}})},
      {curve({{.24, 0}, {.2, .3}, {.3, .5}, {.54, .5}, {.74, .4}}), line({{.76, 0}, {.74, .4}, {.72, 1}})},
  };
  g[5] = {
      {line({{.76, 0}, {.3, 0}, {.26, .44}}),
       curve({{.26, .44}, {.46, .37}, {.7, .46}, {.78, .68}, {.68, .92}, {.42, 1}, {.2, .9}})},
      {curve({{.78, .06},
              {.46, .02},
              {.28, .18},
              {.36, .4},
              {.6, .5},
              {.76, .7},
              {.64, .95},
              {.38, 1},
              {.18, .9}})},
      {line({{.32, .02}, {.28, .46}}), line({{.32, .02}, {.8, .0}}),
       curve({{.28, .46}, {.56, .42}, {.76, .58}, {.72, .86}, {.48, 1}, {.2, .96}})},
  };
  g[6] = {
      {curve({{.68, .02},
              {.4, .2},
              {.24, .5},
              {.24, .78},
              {.42, .99},
              {.66, .94},
              {.76, .72},
              {.62, .52},
              {.4, .54},
              {.26, .7}})},
      {line({{.6, 0}, {.27, .62}}), ellipse(.5, .73, .26, .27)},
      {curve({{.76, .14},
              {.58, .0},
              {.36, .1},
              {.24, .4},
              {.24, .8},
              {.46, 1},
              {.7, .9},
              {.74, .66},
              {.54, .5},
              {.26, .62}})},
  };
  g[7] = {
      {line({{.2, 0}, {.8, 0}, {.42, 1}})},
      {line({{.2, 0}, {.8, 0}, {.42, 1}}), line({{.36, .5}, {.76, .5}})},
      {line({{.2, .16}, {.22, .0}, {.8, 0}}), curve({{.8, 0}, {.6, .3}, {.48, .62}, {.46, 1}})},
  };
  g[8] = {
      {ellipse(.5, .24, .23, .24), ellipse(.5, .74, .29, .26)},
      {curve({{.72, .12},
              {.5, 0},
              {.29, .12},
              {.34, .32},
              {.5, .46},
              {.7, .64},
              {.74, .86},
              {.5, 1},
              {.26, .86},
              {.3, .64},
              {.5, .46},
              {.68, .3},
              {.72, .12}})},
      {ellipse(.5, .26, .26, .26), ellipse(.5, .76, .26, .24)},
  };
  g[9] = {
      {ellipse(.5, .27, .27, .27), line({{.77, .27}, {.74, 1}})},
      {ellipse(.5, .26, .25, .26), curve({{.75, .26}, {.76, .6}, {.62, .92}, {.34, 1}})},
      {curve({{.76, .16}, {.54, .0}, {.28, .12}, {.26, .38}, {.48, .52}, {.72, .38}, {.76, .16}}),
       line({{.76, .16}, {.6, 1}})},
  };
  return g;
}

}  // namespace digits
