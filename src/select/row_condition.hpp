#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::select {

/// What a number of a row must be for the row to be chosen, as in `column:brightness >= 0.2`.
struct RowCondition {
    enum class Comparison { less, at_most, more, at_least, equal, different };

    std::string name;  ///< column:NAME or cost
    std::string role;  ///< the dataset
    Comparison comparison = Comparison::at_least;
    float value = 0.0F;

    /// Whether a finite number is as wanted; compared as float32, as pools are read.
    bool holds(float number) const;

    /// As parse_conditions reads it.
    std::string text() const;

    friend bool operator==(const RowCondition&, const RowCondition&) = default;
};

/// Reads NAME COMPARISON NUMBER [, ...]: rows must meet all of them. NAME is `column:NAME` or
/// `cost`, COMPARISON one of < <= > >= == !=. Throws Error(usage) for anything else, and for
/// conditions on one name that no number meets.
std::vector<RowCondition> parse_conditions(std::string_view text);

/// All of them, as parse_conditions reads them; empty without conditions.
std::string conditions_text(const std::vector<RowCondition>& conditions);

}  // namespace sluice::select
