#include "kernels/nearest_center_tile.hpp"

#include <immintrin.h>

namespace sluice::kernels {
namespace {

struct Avx2 {
    using Type = __m256;
    static constexpr int lanes = 8;
    static constexpr int max_singles = 4;  // 4 x 3 sums, one single and one difference: 14 of 16
    static constexpr int max_panels = 3;

    static Type zero() { return _mm256_setzero_ps(); }
    static Type load(const float* from) { return _mm256_load_ps(from); }
    static Type broadcast(const float* from) { return _mm256_broadcast_ss(from); }
    static Type subtract(Type a, Type b) { return _mm256_sub_ps(a, b); }
    static Type multiply_add(Type a, Type b, Type c) { return _mm256_fmadd_ps(a, b, c); }
    static Type minimum(Type a, Type b) { return _mm256_min_ps(a, b); }
    static bool any_below(Type values, float limit) {
        return _mm256_movemask_ps(_mm256_cmp_ps(values, _mm256_set1_ps(limit), _CMP_LT_OQ)) != 0;
    }
    static void store(float* to, Type values) { _mm256_storeu_ps(to, values); }

    // 8 x 8: interleave pairs, then quadruples, then halves.
    static void transpose(const float* const* source, std::int64_t k, float* to) {
        __m256 a[8];
        __m256 b[8];
        for (int j = 0; j < 8; ++j)
            a[j] = _mm256_loadu_ps(source[j] + k);
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
            _mm256_store_ps(to + j * 8, _mm256_permute2f128_ps(a[j], a[j + 4], 0x20));
            _mm256_store_ps(to + (j + 4) * 8, _mm256_permute2f128_ps(a[j], a[j + 4], 0x31));
        }
    }
};

constexpr NearestCenterTiles tiles = tiles_of<Avx2>();

}  // namespace

const NearestCenterTiles& nearest_center_tiles_avx2() {
    return tiles;
}

}  // namespace sluice::kernels
