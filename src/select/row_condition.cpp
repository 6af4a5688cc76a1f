#include "select/row_condition.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

namespace sluice::select {
namespace {

using Comparison = RowCondition::Comparison;

constexpr std::string_view column_prefix = "column:";

// Longer signs first: `<` begins `<=`.
constexpr std::pair<std::string_view, Comparison> signs[] = {
    {"<=", Comparison::at_most},   {">=", Comparison::at_least}, {"==", Comparison::equal},
    {"!=", Comparison::different}, {"<", Comparison::less},      {">", Comparison::more}};

[[noreturn]] void refuse(std::string_view text, const std::string& what) {
    throw Error(ExitCode::usage, "--where: '" + printable(std::string(text)) + "' " + what);
}

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

float number_of(std::string_view text, std::string_view whole) {
    double value = 0.0;
    const char* const end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, value);
    const bool is_read = result.ec == std::errc() && result.ptr == end;
    const auto narrow = static_cast<float>(value);
    if (!is_read || !std::isfinite(narrow))
        refuse(whole, "does not end in a number (" + printable(std::string(text)) + ")");
    return narrow;
}

RowCondition condition_of(std::string_view text) {
    const std::size_t at = text.find_first_of("<>=!");
    if (at == std::string_view::npos) refuse(text, "compares nothing; use < <= > >= == or !=");
    for (const auto& [sign, comparison] : signs) {
        if (!text.substr(at).starts_with(sign)) continue;
        RowCondition condition;
        condition.name = trimmed(text.substr(0, at));
        condition.comparison = comparison;
        condition.value = number_of(trimmed(text.substr(at + sign.size())), text);
        const bool is_column = condition.name.starts_with(column_prefix) &&
                               condition.name.size() > column_prefix.size();
        if (!is_column && condition.name != "cost")
            refuse(text, "names no column; begin with column:NAME or cost");
        condition.role =
            is_column ? "columns/" + condition.name.substr(column_prefix.size()) : condition.name;
        return condition;
    }
    refuse(text, "compares by an unknown sign; use < <= > >= == or !=");
}

// Whether some float32 meets all conditions on this name: what borders, and the numbers beside
// them, say decides it.
bool can_hold(const std::vector<RowCondition>& conditions, const std::string& name) {
    const auto meets_all = [&](float number) {
        for (const RowCondition& condition : conditions)
            if (condition.name == name && !condition.holds(number)) return false;
        return std::isfinite(number);
    };
    constexpr float infinity = std::numeric_limits<float>::infinity();
    for (const RowCondition& condition : conditions) {
        if (condition.name != name) continue;
        // Each `!=` rules out one number: that many steps away there is one left, or none.
        float below = condition.value;
        float above = condition.value;
        for (std::size_t step = 0; step <= conditions.size(); ++step) {
            if (meets_all(below) || meets_all(above)) return true;
            below = std::nextafter(below, -infinity);
            above = std::nextafter(above, infinity);
        }
    }
    return false;
}

}  // namespace

bool RowCondition::holds(float number) const {
    switch (comparison) {
        case Comparison::less:
            return number < value;
        case Comparison::at_most:
            return number <= value;
        case Comparison::more:
            return number > value;
        case Comparison::at_least:
            return number >= value;
        case Comparison::equal:
            return number == value;
        case Comparison::different:
            return number != value;
    }
    return false;
}

std::string RowCondition::text() const {
    for (const auto& [sign, named] : signs)
        if (named == comparison) return name + " " + std::string(sign) + " " + number_text(value);
    return {};
}

std::vector<RowCondition> parse_conditions(std::string_view text) {
    std::vector<RowCondition> conditions;
    if (trimmed(text).empty()) return conditions;
    for (std::string_view rest = text;;) {
        const std::size_t comma = rest.find(',');
        conditions.push_back(condition_of(trimmed(rest.substr(0, comma))));
        if (comma == std::string_view::npos) break;
        rest.remove_prefix(comma + 1);
    }
    for (const RowCondition& condition : conditions) {
        if (!can_hold(conditions, condition.name))
            refuse(text, "is met by no number of " + condition.name + "; no row could be chosen");
    }
    return conditions;
}

std::string conditions_text(const std::vector<RowCondition>& conditions) {
    std::string text;
    for (const RowCondition& condition : conditions)
        text += (text.empty() ? "" : ", ") + condition.text();
    return text;
}

}  // namespace sluice::select
