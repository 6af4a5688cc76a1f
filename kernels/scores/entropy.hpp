#pragma once

#include "kernels/score_concept.hpp"

namespace sluice::kernels {

/// -sum of p ln p over the classes, with 0 ln 0 = 0: 0 (certain) to ln C, in nats.
/// \source Shannon, "A Mathematical Theory of Communication", 1948, section 6.
struct Entropy {
    static constexpr std::string_view name = "entropy";
    static constexpr std::array<std::string_view, 4> aliases = {
        "entropy_sampling", "PredictionEntropy", "predictive_entropy", "uncertainty_entropy"};
    static constexpr std::string_view summary = "-sum p ln p in nats; 0 to ln C";
    static constexpr auto inputs = class_inputs;
    static constexpr std::int64_t min_members = 1;
    static constexpr std::int64_t min_classes = 2;

    template <class Value>
    SLUICE_LANE Value of_probabilities(const RowView<Value>& row) const {
        LongSum<Value> sum;
        LongSum<Value> negentropy;
        IntegerOf<Value> bits(0U);
        for (std::int64_t begin = 0; begin < row.classes; begin += run_length) {
            const std::int64_t end = run_end(begin, row.classes);
            Value run{0.0F};
            Value negentropy_run{0.0F};
            std::int64_t c = begin;
            for (; c + 2 <= end; c += 2) {
                const Value even = row.get_slowly(0, c);
                const Value odd = row.get_slowly(0, c + 1);
                run = run + even + odd;
                bits = any_bits(bits, bits_of(even), bits_of(odd));
                negentropy_run = multiply_add(even, canonical_log(even), negentropy_run);
                negentropy_run = multiply_add(odd, canonical_log(odd), negentropy_run);
            }
            if (c < end) {
                const Value last = row.get(0, c);
                run = run + last;
                bits = bits | bits_of(last);
                negentropy_run = multiply_add(last, canonical_log(last), negentropy_run);
            }
            sum.add(run);
            negentropy.add(negentropy_run);
        }
        const auto valid = is_distribution(row, 0, sum.total(), bits);
        return nan_unless(valid, Value(0.0F) - negentropy.total());
    }

    /// With e_c = exp(x_c) / exp(max x) and Z their sum: ln Z + (1/Z) sum of e_c (max x - x_c).
    template <class Value>
    SLUICE_LANE Value of_logits(const RowView<Value>& row) const {
        const SoftmaxSums<Value> sums = softmax_sums(row);
        return nan_unless(sums.valid, of_softmax(sums));
    }
    template <class Value>
    SLUICE_LANE static Value of_softmax(const SoftmaxSums<Value>& sums) {
        return canonical_log1p(sums.rest / sums.largest) + sums.spread / sums.total();
    }

    template <class Committee, class Value = typename Committee::Lanes>
    SLUICE_LANE Value of_committee(const Committee& committee) const {
        LongSum<Value> negentropy;
        const std::int64_t classes = committee.row.classes;
        for (std::int64_t begin = 0; begin < classes; begin += run_length) {
            const std::int64_t end = run_end(begin, classes);
            Value run{0.0F};
            for (std::int64_t c = begin; c < end; ++c) {
                const MeanProbability<Value> mean = mean_probability(committee, c);
                run = multiply_add(mean.probability, log_of_mean(mean), run);
            }
            negentropy.add(run);
        }
        return Value(0.0F) - negentropy.total();
    }
    template <class Value>
    SLUICE_LANE static Value log_of_mean(const MeanProbability<Value>& mean) {
        return canonical_log_near(mean.probability, Value(0.0F) - mean.complement);
    }
};

static_assert(RowScore<Entropy>);

}  // namespace sluice::kernels
