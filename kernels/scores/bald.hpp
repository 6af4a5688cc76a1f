#pragma once

#include "kernels/score_concept.hpp"

namespace sluice::kernels {

/// Mutual information of the label and the committee member, H(mean p) - mean H(p), in nats: 0
/// (members agree) to ln min(M, C). Equals the mean Kullback-Leibler divergence of the members
/// from their mean.
/// \source Houlsby et al., "Bayesian Active Learning for Classification and Preference Learning",
///         2011, equation 2.
///
/// The difference of entropies cancels where members nearly agree. Computed instead, with any
/// q_c > 0, as (1/M) sum over c of q_c [ sum over m of phi(p_mc / q_c) - M phi(mean_c / q_c) ],
/// phi(r) = r ln r - r + 1, an identity for any q. With q_c the rounded mean all terms are
/// non-negative and the last is a correction of the order of q's rounding error. From
/// probabilities the result is within 1e-6 of itself however small it is. From logits the rounding
/// of the softmax stays: within 1e-6 of itself plus 2e-7 times its square root plus 1e-13.
struct Bald {
    static constexpr std::string_view name = "bald";
    static constexpr std::array<std::string_view, 6> aliases = {
        "BALD", "mutual_information", "mi", "kl_divergence", "average_kl", "qbc_kl"};
    static constexpr std::string_view summary =
        "mutual information of label and member, in nats; 0 to ln min(M, C)";
    static constexpr std::array inputs = {ScoreInput::committee_probabilities,
                                          ScoreInput::committee_logits};
    static constexpr Complements complements = Complements::no;
    static constexpr std::int64_t min_members = 2;
    static constexpr std::int64_t min_classes = 2;

    template <class Committee, class Value = typename Committee::Lanes>
    SLUICE_LANE Value of_committee(const Committee& committee) const {
        LongSum<Value> sum;
        const std::int64_t classes = committee.row.classes;
        Center<Value> center = center_of(committee, 0);
        for (std::int64_t begin = 0; begin < classes; begin += run_length) {
            const std::int64_t end = run_end(begin, classes);
            Value run{0.0F};
            for (std::int64_t c = begin; c < end; ++c) {
                // One class ahead: the terms would wait for the division.
                const Center<Value> next = c + 1 < classes ? center_of(committee, c + 1) : center;
                run = multiply_add(class_divergence(committee, c, center.inverse), center.sum, run);
                center = next;
            }
            sum.add(run);
        }
        const auto members = static_cast<float>(committee.row.members);
        return larger(sum.total() * Value(1.0F / (members * members)), Value(0.0F));
    }

  private:
    /// phi's terms of one class, summed over members: with r = 2^e (1 + f), f in [-1/4, 1/2],
    /// phi(r) = 2^e f^2 Q(f) + e ln 2 r + (1 - 2^e), Q(f) = ((1 + f) ln(1 + f) - f) / f^2; for r
    /// near 1 it is f^2 Q(f) alone. r enters as 1 + (r - 1), because r - 1 is the more accurate.
    template <class Value>
    struct PhiSums {
        Value curved{0.0F};  ///< sum of 2^e f^2 Q(f)
        Value powers{0.0F};  ///< sum of 2^e, less M
        Value linear{0.0F};  ///< sum of e r, in steps of a float's exponent field
        Value drift{0.0F};   ///< sum of r - 1

        /// `f` = r - 1 rounded once.
        SLUICE_LANE void add(Value f) {
            const Value r = f + Value(1.0F);
            // A mantissa of 1.5 and more counts to the next exponent.
            const auto power_bits =
                (bits_of(r) + IntegerOf<Value>(0x00400000U)) & IntegerOf<Value>(0x7f800000U);
            const Value power = float_of_bits(power_bits);
            const Value inverse = float_of_bits(IntegerOf<Value>(0x7f000000U) - power_bits);
            const Value exponent = float_of_integer(power_bits - IntegerOf<Value>(0x3f800000U));
            const Value reduced = multiply_add(f, inverse, inverse - Value(1.0F));
            constexpr float coefficients[8] = {0.5F,
                                               -0x1.5555740p-3F,
                                               0x1.55517a0p-4F,
                                               -0x1.9966920p-5F,
                                               0x1.11fcc60p-5F,
                                               -0x1.9213e60p-6F,
                                               0x1.21462c0p-6F,
                                               -0x1.fd579a0p-8F};
            const Value square = reduced * reduced;
            const Value q = polynomial7(reduced, square, coefficients);
            curved = multiply_add(power * square, q, curved);
            linear = multiply_add(r, exponent, linear);
            powers = powers + power;
            drift = drift + f;
        }
    };

    /// M times the point q that a class's members are compared with, and 1 / q.
    template <class Value>
    struct Center {
        Value sum;
        Value inverse;
    };

    template <class Committee, class Value = typename Committee::Lanes>
    SLUICE_LANE static Center<Value> center_of(const Committee& committee, std::int64_t column) {
        const std::int64_t members = committee.row.members;
        const Value sum = probability_sum(committee, column);
        // A class whose sum is smaller adds less than 1e-29; its reciprocal could overflow.
        return {sum, Value(static_cast<float>(members)) / larger(sum, Value(0x1p-100F))};
    }

    /// The class's part of the whole sum, not yet divided by M.
    template <class Committee, class Value = typename Committee::Lanes>
    SLUICE_LANE static Value class_divergence(const Committee& committee, std::int64_t column,
                                              Value inverse) {
        const std::int64_t members = committee.row.members;
        const auto count = static_cast<float>(members);
        PhiSums<Value> sums;
        sums.powers = Value(-count);
        for (std::int64_t m = 0; m < members; ++m)
            sums.add(multiply_add(committee.probability(m, column), inverse, Value(-1.0F)));
        // The terms that cancel first: nearly exact each, their sum is rounded once.
        const Value whole =
            multiply_add(sums.linear, Value(ln2_per_exponent_bit), Value(0.0F) - sums.powers);
        const Value correction =
            multiply_add(sums.drift * sums.drift, Value(-0.5F / count), sums.curved);
        return whole + correction;
    }
};

static_assert(RowScore<Bald>);

}  // namespace sluice::kernels
