#pragma once

#ifdef __AVX2__

#include <immintrin.h>

#include <cstdint>

namespace sluice::kernels {
namespace {

// 8 x 8 by AVX, to columns `stride` apart: interleave pairs, then quadruples, then halves.
inline void transpose_eight(const float* const* rows, std::int64_t k, float* to,
                            std::int64_t stride = 8) {
    __m256 a[8];
    __m256 b[8];
    for (int j = 0; j < 8; ++j)
        a[j] = _mm256_loadu_ps(rows[j] + k);
    for (int j = 0; j < 8; j += 2) {
        b[j] = _mm256_unpacklo_ps(a[j], a[j + 1]);
        b[j + 1] = _mm256_unpackhi_ps(a[j], a[j + 1]);
    }
    for (int j = 0; j < 8; j += 4) {
        for (int i = 0; i < 2; ++i) {
            a[j + 2 * i] = _mm256_shuffle_ps(b[j + i], b[j + i + 2], 0x44);
            a[j + 2 * i + 1] = _mm256_shuffle_ps(b[j + i], b[j + i + 2], 0xEE);
        }
    }
    for (int j = 0; j < 4; ++j) {
        _mm256_storeu_ps(to + j * stride, _mm256_permute2f128_ps(a[j], a[j + 4], 0x20));
        _mm256_storeu_ps(to + (j + 4) * stride, _mm256_permute2f128_ps(a[j], a[j + 4], 0x31));
    }
}

}  // namespace
}  // namespace sluice::kernels

#endif
