// See render.hpp.
#include "render.hpp"

#include <algorithm>
#include <cmath>

#include "base/philox.hpp"

namespace digits {
namespace {

constexpr double pi = 3.14159265358979323846;

/// The random numbers of one image, one after the other.
class Draws {
public:
  explicit Draws(lbann::base::RandomStream stream) : stream_(stream) {}
  double uniform(double low, double high) { return low + (high - low) * stream_.uniform_double(next_++); }
  std::size_t below(std::size_t n) {
    return static_cast<std::size_t>(uniform(0, 1) * static_cast<double>(n));
  }

private:
  lbann::base::RandomStream stream_;
  std::uint64_t next_ = 0;
};

using Canvas = std::array<double, image_size>;

/// Darkens by the pen of radius `r` along a segment: coverage falls from 1 to 0 over one pixel at its rim.
void draw_segment(Canvas& canvas, Point a, Point b, double r, double ink) {
  const double reach = r + 0.5, dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy;
  const auto low = [&](double v) { return std::max(0, static_cast<int>(std::floor(v - reach))); };
  const auto high = [&](double v) {
    return std::min(image_side - 1, static_cast<int>(std::ceil(v + reach)));
  };
  for (int y = low(std::min(a.y, b.y)); y <= high(std::max(a.y, b.y)); ++y) {
    for (int x = low(std::min(a.x, b.x)); x <= high(std::max(a.x, b.x)); ++x) {
      const double px = x - a.x, py = y - a.y;
      const double t = length2 > 0 ? std::clamp((px * dx + py * dy) / length2, 0.0, 1.0) : 0.0;
      const double distance = std::hypot(px - t * dx, py - t * dy);
      double& v = canvas[static_cast<std::size_t>(y * image_side + x)];
      v = std::max(v, ink * std::clamp(reach - distance, 0.0, 1.0));
    }
  }
}

void draw_stroke(Canvas& canvas, const Stroke& stroke, double r, double ink) {
  for (std::size_t i = 0; i + 1 < stroke.size(); ++i) draw_segment(canvas, stroke[i], stroke[i + 1], r, ink);
}

/// Displacement of the plane by two slow waves per coordinate.
class Wobble {
public:
  Wobble(Draws& d, double amplitude) {
    for (Wave& w : waves_) {
      const double angle = d.uniform(0, 2 * pi), turns = d.uniform(0.5, 1.5);
      w = {2 * pi * turns * std::cos(angle), 2 * pi * turns * std::sin(angle), d.uniform(0, 2 * pi),
           amplitude * d.uniform(0.3, 1.0)};
    }
  }
  Point operator()(Point p) const {
    const auto value = [&](const Wave& w) {
      return w.amplitude * std::sin(w.kx * p.x + w.ky * p.y + w.phase);
    };
    return {p.x + value(waves_[0]) + value(waves_[1]), p.y + value(waves_[2]) + value(waves_[3])};
  }

private:
  struct Wave {
    double kx, ky, phase, amplitude;
  };
  std::array<Wave, 4> waves_{};
};

/// A stray stroke of 3 to 8 pixels somewhere, thinner than the pen.
Stroke make_clutter(Draws& d) {
  const Point a{d.uniform(0, image_side), d.uniform(0, image_side)};
  const double angle = d.uniform(0, 2 * pi), length = d.uniform(3, 8);
  return {a, {a.x + length * std::cos(angle), a.y + length * std::sin(angle)}};
}

}  // namespace

Renderer::Renderer(std::uint64_t seed, Style style)
  : key_(lbann::base::make_random_key(seed)),
    stream_(lbann::base::make_stream("digits", "image")),
    style_(style),
    glyphs_(make_glyphs()) {}

Image Renderer::render(std::uint64_t index) const {
  const Style& s = style_;
  Draws d(lbann::base::RandomStream(key_, stream_, index));
  Image image;
  image.label = static_cast<std::uint8_t>(d.below(10));
  const auto& ways = glyphs_[image.label];
  const Glyph& glyph = ways[d.below(ways.size())];

  const Wobble bend(d, s.wobble);
  const double angle = d.uniform(-s.rotation, s.rotation), shear = d.uniform(-s.shear, s.shear);
  const double height = d.uniform(s.min_height, s.max_height),
               width = height * d.uniform(s.min_aspect, s.max_aspect);
  const double center = (image_side - 1) / 2.0;
  const double cx = center + d.uniform(-s.shift, s.shift), cy = center + d.uniform(-s.shift, s.shift);
  const double pen = d.uniform(s.min_pen, s.max_pen), ink = d.uniform(s.min_ink, 1.0);
  const double c = std::cos(angle), sn = std::sin(angle);

  Canvas canvas{};
  Stroke drawn;
  for (const Stroke& stroke : glyph) {
    drawn.clear();
    for (Point p : stroke) {
      p = bend(p);
      const double v = (p.y - 0.5) * height, u = (p.x - 0.5) * width - shear * v;
      drawn.push_back({cx + c * u - sn * v, cy + sn * u + c * v});
    }
    draw_stroke(canvas, drawn, pen, ink);
  }
  // A Poisson number of stray strokes, at most 4.
  for (double left = std::exp(-s.clutter), p = d.uniform(0, 1), term = left, k = 1; p > left && k <= 4; ++k) {
    draw_stroke(canvas, make_clutter(d), d.uniform(0.4, 0.8), d.uniform(0.3, 0.8));
    term *= s.clutter / k;
    left += term;
  }

  std::array<float, image_size> noise;
  const lbann::base::RandomStream noise_stream(key_, lbann::base::make_stream("digits", "noise"), index);
  lbann::base::fill_normal(noise_stream, noise);
  for (std::size_t i = 0; i < image_size; ++i) {
    const double v = std::clamp(canvas[i] + s.noise * static_cast<double>(noise[i]), 0.0, 1.0);
    image.pixels[i] = static_cast<std::uint8_t>(std::lround(255 * v));
  }
  return image;
}

}  // namespace digits
