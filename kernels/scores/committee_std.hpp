#pragma once

#include "kernels/score_concept.hpp"

namespace sluice::kernels {

/// Standard deviation of the members' predictions (population form, divisor M), the largest over
/// the components of a vector prediction. Members agree: 0.
/// \source Seung, Opper and Sompolinsky, "Query by Committee", COLT 1992, for regression as in
///         Burbidge, Rowland and King, IDEAL 2007.
struct CommitteeStd {
    static constexpr std::string_view name = "committee_std";
    static constexpr std::array<std::string_view, 4> aliases = {
        "std", "qbc_std", "committee_deviation", "model_deviation"};
    static constexpr std::string_view summary =
        "standard deviation over members, largest component; >= 0, unit of the prediction";
    static constexpr std::array inputs = {ScoreInput::predictions};
    static constexpr std::int64_t min_members = 2;
    static constexpr std::int64_t min_classes = 1;

    template <class Value>
    SLUICE_LANE Value of_predictions(const RowView<Value>& row) const {
        Value largest{0.0F};
        Value finite{0.0F};
        for (std::int64_t t = 0; t < row.classes; ++t) {
            const Value deviation = component_std(row, t, finite);
            largest = larger(largest, deviation);
        }
        return nan_unless(equal(finite, Value(0.0F)), largest);
    }

  private:
    /// Differences to the first member are exact or small, so an offset common to all does not
    /// cost digits; a second pass takes the deviations from their mean. `finite` becomes NaN if a
    /// value is not finite.
    template <class Value>
    SLUICE_LANE static Value component_std(const RowView<Value>& row, std::int64_t component,
                                           Value& finite) {
        // A quarter of every value: no difference overflows.
        const Value share{1.0F / static_cast<float>(row.members)};
        const Value origin = row.get(0, component) * Value(0.25F);
        Value sum{0.0F};
        Value reach{0.0F};
        for (std::int64_t m = 0; m < row.members; ++m) {
            const Value value = row.get(m, component);
            finite = multiply_add(value, Value(0.0F), finite);
            const Value difference = multiply_add(value, Value(0.25F), Value(0.0F) - origin);
            sum = sum + difference * share;
            reach = larger(reach, larger(difference, Value(0.0F) - difference));
        }
        // The power of two below the largest difference: scaling by it is exact.
        const Value power =
            float_of_bits(bits_of(larger(reach, Value(0x1p-126F))) & IntegerOf<Value>(0x7f800000U));
        const Value inverse = Value(1.0F) / power;
        const Value mean = sum * inverse;
        Value squares{0.0F};
        for (std::int64_t m = 0; m < row.members; ++m) {
            const Value value = row.get(m, component);
            const Value difference = multiply_add(value, Value(0.25F), Value(0.0F) - origin);
            const Value deviation = multiply_add(difference, inverse, Value(0.0F) - mean);
            squares = multiply_add(deviation, deviation, squares);
        }
        return square_root(squares * share) * power * Value(4.0F);
    }
};

static_assert(RowScore<CommitteeStd>);

}  // namespace sluice::kernels
