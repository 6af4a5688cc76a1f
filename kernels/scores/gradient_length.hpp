#pragma once

#include "kernels/score_concept.hpp"

namespace sluice::kernels {

/// Sum over classes y of p_y |p - e_y|: the length that the gradient of a softmax head's loss is
/// expected to have, for features of length 1. 0 (certain) to sqrt(1 - 1/C).
/// \source Settles and Craven, "An Analysis of Active Learning Strategies for Sequence Labeling
///         Tasks", EMNLP 2008, equation 9, for a linear head.
///
/// |p - e_y|^2 is (1 - p_y)^2 and the other classes' squares, which are summed without the largest
/// class: nothing cancels where a row is nearly certain.
struct GradientLength {
    static constexpr std::string_view name = "gradient_length";
    static constexpr std::array<std::string_view, 1> aliases = {"softmax_gradient_length"};
    static constexpr std::string_view summary =
        "sum over y of p_y |p - e_y|, the expected gradient of a softmax; 0 to sqrt(1 - 1/C)";
    static constexpr auto inputs = class_inputs;
    static constexpr std::int64_t min_members = 1;
    static constexpr std::int64_t min_classes = 2;

    template <class Value>
    SLUICE_LANE Value of_probabilities(const RowView<Value>& row) const {
        return of_single(CommitteeProbabilities<Value>{row});
    }

    template <class Value>
    SLUICE_LANE Value of_logits(const RowView<Value>& row) const {
        return of_single(CommitteeSoftmax<Value>{row});
    }

    template <class Committee, class Value = typename Committee::Lanes>
    SLUICE_LANE Value of_committee(const Committee& committee) const {
        const Squares<Value> squares = squares_of(committee);
        const Value all = multiply_add(squares.largest, squares.largest, squares.others);
        const Value top =
            square_root(multiply_add(squares.complement, squares.complement, squares.others));
        LongSum<Value> sum;
        const std::int64_t classes = committee.row.classes;
        for (std::int64_t begin = 0; begin < classes; begin += run_length) {
            const std::int64_t end = run_end(begin, classes);
            Value run{0.0F};
            for (std::int64_t c = begin; c < end; ++c) {
                const MeanProbability<Value> mean = mean_probability(committee, c);
                const Value p = mean.probability;
                const Value rest = multiply_add(Value(0.0F) - p, p, all);
                const Value below =
                    square_root(multiply_add(mean.complement, mean.complement, rest));
                run = multiply_add(p, select(equal(p, squares.largest), top, below), run);
            }
            sum.add(run);
        }
        return sum.total();
    }

  private:
    /// The largest probability, 1 less it, and the sum of the others' squares.
    template <class Value>
    struct Squares {
        Value largest;
        Value complement;
        Value others;
    };

    template <class Committee, class Value = typename Committee::Lanes>
    SLUICE_LANE Value of_single(const Committee& committee) const {
        const auto valid = committee.prepare();
        return nan_unless(valid, of_committee(committee));
    }

    template <class Committee, class Value = typename Committee::Lanes>
    SLUICE_LANE static Squares<Value> squares_of(const Committee& committee) {
        Squares<Value> result{Value(0.0F), Value(1.0F), Value(0.0F)};
        LongSum<Value> others;
        for (std::int64_t c = 0; c < committee.row.classes; ++c) {
            const MeanProbability<Value> mean = mean_probability(committee, c);
            const Value lesser = smaller(result.largest, mean.probability);
            others.add(lesser * lesser);
            result.complement =
                select(result.largest < mean.probability, mean.complement, result.complement);
            result.largest = larger(result.largest, mean.probability);
        }
        result.others = others.total();
        return result;
    }
};

static_assert(RowScore<GradientLength>);

}  // namespace sluice::kernels
