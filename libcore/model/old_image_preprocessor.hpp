// Reader.image_preprocessor of LBANN v0.97 to v0.99 as today's list of transforms.
//
// The old block named its steps and the program knew their order: crop, resize, augment, grey,
// colour, subtract, normalise. Today the order is written out:
//
//   images (imagenet, cifar10)   size and colour steps, then bytes / 255 as a tensor (unless a
//                                normaliser without `scale` says otherwise)
//   numbers (mnist and the rest) scale by 1/255 or sample_normalize; the steps on images do not exist
//
// A step with `disable: true` is left out. Steps that nothing of today computes are reported.
#pragma once

#include <string_view>
#include <vector>

#include "model/syntax_tree.hpp"

namespace lbann::model {

/// `reader_name`: kind of the reader, which decides what its samples are.
std::vector<SyntaxField> translate_image_preprocessor(const SyntaxField& old, std::string_view reader_name,
                                                      const SyntaxTree& tree, base::Diagnostics& diagnostics);

}  // namespace lbann::model
