#pragma once

#include "kernels/committee_ratios.hpp"
#include "kernels/committee_view.hpp"
#include "kernels/phi_sums.hpp"

#include <cstdint>

/// The members' own divergences from their mean, for the scores that do not look at their average
/// alone. Each is the sum over classes of mean phi(p / mean), phi(r) = r ln r - r + 1: the
/// Kullback-Leibler divergence of member and mean where both sum to 1, and never negative. Within
/// 1e-6 of itself however small it is, from logits within 2e-6.
namespace sluice::kernels {

/// phi(1 + g).
template <class Value>
SLUICE_LANE Value phi_of(Value g) {
    PhiSums<Value> sum;
    sum.powers = Value(-1.0F);
    sum.add(g);
    return sum.total();
}

/// From probabilities: prepare() leaves the sums in the members' scratch, as a LongSum each.
template <class Value>
struct ProbabilityDivergences {
    RowView<Value> row;

    SLUICE_LANE MaskOf<Value> prepare() const {
        const auto valid = check_committee(row);
        for (std::int64_t m = 0; m < row.members; ++m) {
            store_lanes(row.scratch(m, 0), Value(0.0F));
            store_lanes(row.scratch(m, 1), Value(0.0F));
        }
        for (std::int64_t c = 0; c < row.classes; ++c)
            add_class(c);
        return valid;
    }

    SLUICE_LANE Value of_member(std::int64_t member) const {
        return larger(sum_of(member).total(), Value(0.0F));
    }

  private:
    SLUICE_LANE LongSum<Value> sum_of(std::int64_t member) const {
        return {load_lanes<Value>(row.scratch(member, 0)),
                load_lanes<Value>(row.scratch(member, 1))};
    }

    /// With f = p / q - 1, q near the mean, and e the mean of the members' f, p / mean - 1 is
    /// (f - e) / (1 + e): q's own rounding, as large as a small divergence's root, falls out.
    SLUICE_LANE void add_class(std::int64_t column) const {
        const auto members = static_cast<float>(row.members);
        Value sum{0.0F};
        for (std::int64_t m = 0; m < row.members; ++m)
            sum = sum + row.get_slowly(m, column);
        // A class whose sum is smaller adds less than 1e-28; its reciprocal could overflow.
        const Value inverse = Value(members) / larger(sum, Value(0x1p-100F));
        Value drift{0.0F};
        for (std::int64_t m = 0; m < row.members; ++m)
            drift = drift + multiply_add(row.get(m, column), inverse, Value(-1.0F));
        const Value error = drift * Value(1.0F / members);
        const Value scale = Value(1.0F) / larger(Value(1.0F) + error, Value(0.5F));
        const Value weight = sum * Value(1.0F / members);
        for (std::int64_t m = 0; m < row.members; ++m) {
            const Value f = multiply_add(row.get(m, column), inverse, Value(-1.0F));
            LongSum<Value> total = sum_of(m);
            total.add(weight * phi_of((f - error) * scale));
            store_lanes(row.scratch(m, 0), total.high);
            store_lanes(row.scratch(m, 1), total.low);
        }
    }
};

/// From logits: prepare() leaves the classes' means in their scratch (see CommitteeRatios).
template <class Value>
struct LogitDivergences {
    CommitteeRatios<Value> committee;

    SLUICE_LANE CommitteeTotal<Value> prepare() const {
        const RowView<Value>& row = committee.row;
        const CommitteeTotal<Value> total = committee.prepare();
        for (std::int64_t c = 0; c < row.classes; ++c) {
            const ClassMean<Value> mean = committee.class_mean(c);
            store_lanes(row.class_scratch(c, 0), mean.weight);
            store_lanes(row.class_scratch(c, 1), mean.inverse);
            store_lanes(row.class_scratch(c, 2), mean.offset);
        }
        return total;
    }

    SLUICE_LANE Value of_member(std::int64_t member, Value committee_sum) const {
        const RowView<Value>& row = committee.row;
        LongSum<Value> sum;
        for (std::int64_t c = 0; c < row.classes; ++c) {
            const Value weight = load_lanes<Value>(row.class_scratch(c, 0));
            const Value inverse = load_lanes<Value>(row.class_scratch(c, 1));
            const ClassMean<Value> mean{weight, inverse, load_lanes<Value>(row.class_scratch(c, 2)),
                                        inverse * Value(-0x1p-100F)};
            sum.add(weight * phi_of(committee.excess(member, c, mean)));
        }
        return larger(sum.total() / committee_sum, Value(0.0F));
    }
};

}  // namespace sluice::kernels
