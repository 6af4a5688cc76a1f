#include "kernels/nearest_center_tile.hpp"
#include "kernels/simd/transpose_eight.hpp"

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

    static void transpose(const float* const* source, std::int64_t k, float* to) {
        transpose_eight(source, k, to);
    }
};

constexpr NearestCenterTiles tiles = tiles_of<Avx2>();

}  // namespace

const NearestCenterTiles& nearest_center_tiles_avx2() {
    return tiles;
}

}  // namespace sluice::kernels
