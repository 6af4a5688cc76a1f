#pragma once

#include "pool/dataset.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sluice::pool {

/// How numbers stand in a file; text has no numbers.
struct NumberFormat {
    ElementType type = ElementType::float32;
    bool big_endian = false;
};

/// Numbers as float32, rounded to nearest. Returns the index of the first finite float64 beyond
/// float32's range, nothing if there is none. `stored` may have any alignment.
std::optional<std::size_t> to_floats(NumberFormat format, const std::byte* stored,
                                     std::span<float> out);

/// Numbers as float64; only 64-bit integers can lose digits.
void to_doubles(NumberFormat format, const std::byte* stored, std::span<double> out);

/// Integers as int64. Returns the index of the first value beyond int64, nothing if none is.
/// Requires an integer type.
std::optional<std::size_t> to_integers(NumberFormat format, const std::byte* stored,
                                       std::span<std::int64_t> out);

/// One number as decimal text, exact for integers, shortest for floating point.
std::string to_text(NumberFormat format, const std::byte* stored);

bool is_integer(ElementType type);

/// Reverses the bytes of each element of `element_bytes` in place.
void swap_byte_order(std::span<std::byte> bytes, std::int64_t element_bytes);

}  // namespace sluice::pool
