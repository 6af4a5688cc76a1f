#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sluice {

/// `text` with control characters and bytes that are not UTF-8 written as \xNN, so that names
/// from files can be printed on a terminal.
std::string printable(std::string_view text);

/// The shortest decimal that reads back to the same bits; `inf`, `-inf`, `nan`. Locale-free.
std::string number_text(float value);
std::string number_text(double value);

/// `1234567` as `1,234,567`.
std::string count_text(std::int64_t count);

/// A byte count with a binary unit, as in `3.2 GiB`.
std::string bytes_text(double num_bytes);

/// The one of `names` nearest to `word` in edit distance; empty when none is close.
std::string nearest_name(std::string_view word, std::span<const std::string> names);

}  // namespace sluice
