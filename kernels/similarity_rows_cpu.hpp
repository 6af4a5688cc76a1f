#pragma once

#include <cstdint>

namespace sluice::kernels {

/// Similarities of one row, and what they are compared with.
struct UncoveredRow {
    const float* similar;
    const float* covered;
    const double* weights;
};

/// The loops of similarity_rows, built once for each instruction set with the same results.
struct SimilarityInstructions {
    void (*exponentials)(float* values, std::int64_t count, float divisor);
    /// Adds what belongs to the first `count` to sums[4], count a multiple of 4.
    void (*add_uncovered)(const float* similar, const float* covered, const double* weights,
                          std::int64_t count, double* sums);
    /// The same for four rows, `stride` from each other, and sums[4][4].
    void (*add_uncovered_of_four)(const float* similar, std::int64_t stride, const float* covered,
                                  const double* weights, std::int64_t count, double* sums);
    /// As add_uncovered for a multiple of 64; each 64 make a word of `above` with bit i set where
    /// similar[i] is above covered[i], and add to numbers[4], of bits in each chain.
    void (*mark_uncovered)(const UncoveredRow& row, std::int64_t count, double* sums,
                           std::uint64_t* above, std::int64_t* numbers);
};

extern const SimilarityInstructions similarity_baseline;
extern const SimilarityInstructions similarity_avx2;    ///< in builds for x86-64 only
extern const SimilarityInstructions similarity_avx512;  ///< likewise

}  // namespace sluice::kernels
