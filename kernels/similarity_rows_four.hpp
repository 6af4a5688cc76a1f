#pragma once

#ifdef __AVX2__

#include <immintrin.h>

#include <cstdint>

namespace sluice::kernels {
namespace {

// Four chains of sums in an AVX register.
struct FourOfAvx {
    using Type = __m256d;
    static Type load(const double* from) { return _mm256_loadu_pd(from); }
    static Type widen(const float* from) { return _mm256_cvtps_pd(_mm_loadu_ps(from)); }
    static Type positive_part(Type a, Type b) {
        return _mm256_max_pd(_mm256_sub_pd(a, b), _mm256_setzero_pd());
    }
    // Bit i is set where lane i is above 0.
    static std::uint64_t above_zero(Type a) {
        return static_cast<std::uint64_t>(
            _mm256_movemask_pd(_mm256_cmp_pd(a, _mm256_setzero_pd(), _CMP_GT_OQ)));
    }
    static Type add_product(Type sum, Type a, Type b) {
        return _mm256_add_pd(sum, _mm256_mul_pd(a, b));
    }
    static void store(double* to, Type values) { _mm256_storeu_pd(to, values); }
};

}  // namespace
}  // namespace sluice::kernels

#endif
