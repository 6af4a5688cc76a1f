#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::cli {

/// A whole number >= 0 of decimal digits: `1000000`, `1_000_000`, `1e6`, `2.5e6`. The whole token
/// counts and no locale is consulted. Nothing if it is not that, or above 2^64-1.
std::optional<std::uint64_t> parse_count(std::string_view text);

/// Decimal digits and nothing else, at most 2^64-1: a number that names something, such as a seed.
std::optional<std::uint64_t> parse_digits(std::string_view text);

/// A finite decimal number with a point, such as `0.5` or `1e3`; no locale is consulted.
std::optional<double> parse_number(std::string_view text);

}  // namespace sluice::cli
