// From a number to a 28 x 28 image of a hand-drawn digit.
//
// Image i of a seed is a pure function of (seed, i): a set of 1,000 is the beginning of a set of 10,000. On
// its way every point of a stroke is bent by a slow random wave (elastic wobble) and mapped by a random
// affine map; the pen has a random thickness and ink; then come clutter (short strokes) and pixel noise.
// Pixels are anti-aliased by the distance to the nearest stroke.
#pragma once

#include <array>
#include <cstdint>

#include "glyphs.hpp"

namespace digits {

constexpr int image_side = 28;
constexpr int image_size = image_side * image_side;

struct Image {
  std::uint8_t label = 0;
  std::array<std::uint8_t, image_size> pixels{};  // row-major, ink is bright
};

/// How different the images of a digit are; the defaults were tuned with judge.py.
struct Style {
  double rotation = 0.26;                       // radians, uniform in +-
  double shear = 0.30;                          // uniform in +-
  double min_height = 15.5, max_height = 21.0;  // pixels
  double min_aspect = 0.75, max_aspect = 1.15;  // width relative to the glyph's own
  double shift = 2.5;                           // pixels, uniform in +-, each direction
  double wobble = 0.028;                        // amplitude of the bending wave, in heights
  double min_pen = 0.7, max_pen = 1.7;          // radius of the pen, pixels
  double min_ink = 0.65;                        // ink is uniform in min_ink..1
  double clutter = 0.25;                        // mean number of stray strokes
  double noise = 0.05;                          // standard deviation of pixels' noise
};

class Renderer {
public:
  explicit Renderer(std::uint64_t seed, Style style = {});
  Image render(std::uint64_t index) const;

private:
  std::uint64_t key_, stream_;
  Style style_;
  std::vector<std::vector<Glyph>> glyphs_;
};

}  // namespace digits
