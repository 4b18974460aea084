// Functions of one number that no library at hand has, compiled once: the inverse of erf and a hash.
#pragma once

namespace lbann::kernels::shared {

/// Inverse error function in double, correct to a few ulp; +-infinity at and beyond +-1, NaN for NaN.
double erfinv(double x);

/// A number in [0, 1] from the MD5 digest (RFC 1321) of x's bytes, little-endian: the last eight bytes of
/// the digest as a little-endian integer, rounded to the type, times 2^-64.
float uniform_hash(float x);
double uniform_hash(double x);

}  // namespace lbann::kernels::shared
