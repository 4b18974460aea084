// The ten digits as pen strokes, several ways of writing each.
//
// Coordinates: x to the right, y down, the digit's height is 0..1 and its width about 0.6 around x = 0.5.
// Curves are already flattened: a stroke is a polyline.
#pragma once

#include <vector>

namespace digits {

struct Point {
  double x, y;
};
using Stroke = std::vector<Point>;
using Glyph = std::vector<Stroke>;

/// glyphs()[d]: the ways of writing digit d.
std::vector<std::vector<Glyph>> make_glyphs();

}  // namespace digits
