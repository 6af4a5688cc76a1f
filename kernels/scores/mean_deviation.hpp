#pragma once

#include "kernels/component_spread.hpp"
#include "kernels/score_concept.hpp"

namespace sluice::kernels {

/// Mean over members of the distance of their prediction from the members' mean, Euclidean over the
/// components of a vector prediction. Members agree: 0.
/// \source Cai, Zhang and Zhou, "Maximizing Expected Model Change for Active Learning in
///         Regression", ICDM 2013, equation 12 without the features' length.
struct MeanDeviation {
    static constexpr std::string_view name = "mean_deviation";
    static constexpr std::array<std::string_view, 1> aliases = {"mean_absolute_deviation"};
    static constexpr std::string_view summary =
        "mean distance of members from their mean; >= 0, unit of the prediction";
    static constexpr std::array inputs = {ScoreInput::predictions,
                                          ScoreInput::gaussian_predictions};
    static constexpr std::int64_t min_members = 2;
    static constexpr std::int64_t min_classes = 1;

    template <class Value>
    SLUICE_LANE Value of_predictions(const RowView<Value>& row) const {
        Value finite{0.0F};
        const Value mean = mean_distance(row, row.classes, finite);
        return nan_unless(equal(finite, Value(0.0F)), mean);
    }

    /// The variances say nothing of how far the members agree.
    template <class Value>
    SLUICE_LANE Value of_gaussian_predictions(const RowView<Value>& row) const {
        const std::int64_t components = row.classes / 2;
        Value finite{0.0F};
        for (std::int64_t t = 0; t < components; ++t)
            mean_noise_std(row, components + t, finite);
        const Value mean = mean_distance(row, components, finite);
        return nan_unless(equal(finite, Value(0.0F)), mean);
    }

  private:
    /// Replaces the predictions by a quarter of their deviation from the mean: no difference
    /// overflows. Returns the largest.
    template <class Value>
    SLUICE_LANE static Value keep_deviations(const RowView<Value>& row, std::int64_t column,
                                             Value& finite) {
        const Value share{1.0F / static_cast<float>(row.members)};
        const Value origin = row.get(0, column) * Value(0.25F);
        Value mean{0.0F};
        for (std::int64_t m = 0; m < row.members; ++m) {
            const Value value = row.get(m, column);
            finite = multiply_add(value, Value(0.0F), finite);
            // Differences to the first member are exact or small: a common offset costs no digits.
            const Value difference = multiply_add(value, Value(0.25F), Value(0.0F) - origin);
            mean = multiply_add(difference, share, mean);
            row.put(m, column, difference);
        }
        Value reach{0.0F};
        for (std::int64_t m = 0; m < row.members; ++m) {
            const Value deviation = row.get(m, column) - mean;
            row.put(m, column, deviation);
            reach = larger(reach, larger(deviation, Value(0.0F) - deviation));
        }
        return reach;
    }

    template <class Value>
    SLUICE_LANE static Value mean_distance(const RowView<Value>& row, std::int64_t components,
                                           Value& finite) {
        Value reach{0x1p-126F};
        for (std::int64_t t = 0; t < components; ++t)
            reach = larger(reach, keep_deviations(row, t, finite));
        // The power of two below the largest deviation: scaling by it is exact.
        const Value power = float_of_bits(bits_of(reach) & IntegerOf<Value>(0x7f800000U));
        const Value inverse = Value(1.0F) / power;
        Value sum{0.0F};
        for (std::int64_t m = 0; m < row.members; ++m) {
            Value squares{0.0F};
            for (std::int64_t t = 0; t < components; ++t) {
                const Value deviation = row.get(m, t) * inverse;
                squares = multiply_add(deviation, deviation, squares);
            }
            sum = sum + square_root(squares);
        }
        return sum * Value(1.0F / static_cast<float>(row.members)) * power * Value(4.0F);
    }
};

static_assert(RowScore<MeanDeviation>);

}  // namespace sluice::kernels
