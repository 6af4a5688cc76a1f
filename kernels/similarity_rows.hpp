#pragma once

#include <cstdint>
#include <span>

namespace sluice::kernels {

/// values[i] = canonical_exp(values[i] / divisor).
void exponentials(std::span<float> values, float divisor);

/// The sum over i of weights[i] * max(0, similar[i] - covered[i]) in float64, in four chains: those
/// of i = 0, 1, 2, 3 modulo 4, added as (0 + 1) + (2 + 3). The same on every instruction set.
double uncovered_sum(std::span<const float> similar, std::span<const float> covered,
                     std::span<const double> weights);

/// The same of some rows, similar [sums, covered], each row's for itself.
void uncovered_sums(std::span<const float> similar, std::span<const float> covered,
                    std::span<const double> weights, std::span<double> sums);

struct Uncovered {
    double sum = 0.0;                ///< uncovered_sum
    std::int64_t longest_chain = 0;  ///< how many of one chain are above 0, at most
};

/// The same of one row; bit i % 64 of above[i / 64] says whether similar[i] is above covered[i],
/// bits beyond the last are clear. above [a word for every 64 begun].
Uncovered mark_uncovered(std::span<const float> similar, std::span<const float> covered,
                         std::span<const double> weights, std::span<std::uint64_t> above);

}  // namespace sluice::kernels
