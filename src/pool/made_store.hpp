#pragma once

#include "pool/dataset.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sluice::pool {

/// The IEEE binary16 nearest to `value`, ties to the even one; beyond 65,520 infinity, NaN stays
/// NaN, subnormals are kept.
std::uint16_t half_of(float value);

/// `values` as a file stores them: float16 rounded to nearest even, float32, or float64;
/// little-endian. Replaces the content of `out`. Other types throw Error(internal).
void store_values(std::span<const float> values, ElementType type, std::vector<std::byte>& out);

}  // namespace sluice::pool
