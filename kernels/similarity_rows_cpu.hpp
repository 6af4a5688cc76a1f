#pragma once

#include <cstdint>

namespace sluice::kernels {

/// The loops of similarity_rows, built once for each instruction set with the same results.
struct SimilarityInstructions {
    void (*exponentials)(float* values, std::int64_t count, float divisor);
    /// Adds what belongs to the first `count` to sums[4], count a multiple of 4.
    void (*add_uncovered)(const float* similar, const float* covered, const double* weights,
                          std::int64_t count, double* sums);
};

extern const SimilarityInstructions similarity_baseline;
extern const SimilarityInstructions similarity_avx2;    ///< in builds for x86-64 only
extern const SimilarityInstructions similarity_avx512;  ///< likewise

}  // namespace sluice::kernels
