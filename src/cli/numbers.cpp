#include "cli/numbers.hpp"

#include <charconv>
#include <cmath>
#include <string>

namespace sluice::cli {
namespace {

bool is_digit(char character) {
    return character >= '0' && character <= '9';
}

// `1_000` as `1000`; nothing when an underscore does not stand between two digits.
std::optional<std::string> without_underscores(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '_') {
            result += text[i];
        } else if (i == 0 || i + 1 == text.size() || !is_digit(text[i - 1]) ||
                   !is_digit(text[i + 1])) {
            return std::nullopt;
        }
    }
    return result;
}

// Shifts the decimal point `exponent` places to the right; nothing when digits stay behind it.
std::optional<std::string> shifted_digits(std::string_view mantissa, std::uint64_t exponent) {
    const std::size_t point = mantissa.find('.');
    const std::string digits(mantissa.substr(0, point));
    std::string fraction;
    if (point != std::string_view::npos) {
        fraction = mantissa.substr(point + 1);
        if (fraction.empty()) return std::nullopt;
    }
    if (digits.empty() || exponent > 19) return std::nullopt;
    if (fraction.size() < exponent) fraction.append(exponent - fraction.size(), '0');
    if (fraction.find_first_not_of('0', exponent) != std::string::npos) return std::nullopt;
    return digits + fraction.substr(0, exponent);
}

}  // namespace

std::optional<std::uint64_t> parse_digits(std::string_view text) {
    std::uint64_t value = 0;
    if (text.empty() || !is_digit(text[0])) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
    const std::optional<std::string> plain = without_underscores(text);
    if (!plain) return std::nullopt;
    const std::string_view token = *plain;
    const std::size_t letter = token.find_first_of("eE");
    std::uint64_t exponent = 0;
    if (letter != std::string_view::npos) {
        std::string_view power = token.substr(letter + 1);
        if (!power.empty() && power[0] == '+') power.remove_prefix(1);
        const std::optional<std::uint64_t> parsed = parse_digits(power);
        if (!parsed) return std::nullopt;
        exponent = *parsed;
    }
    const std::optional<std::string> digits = shifted_digits(token.substr(0, letter), exponent);
    return digits ? parse_digits(*digits) : std::nullopt;
}

std::optional<double> parse_number(std::string_view text) {
    double value = 0.0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    if (!std::isfinite(value)) return std::nullopt;
    return value;
}

}  // namespace sluice::cli
