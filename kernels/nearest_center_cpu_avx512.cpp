#include "kernels/nearest_center_tile.hpp"

#include <immintrin.h>

namespace sluice::kernels {
namespace {

struct Avx512 {
    using Type = __m512;
    static constexpr int lanes = 16;
    static constexpr int max_singles =
        8;  // 8 x 3 sums, 3 lanes, a single and a difference: 29 of 32
    static constexpr int max_panels = 3;

    static Type zero() { return _mm512_setzero_ps(); }
    static Type load(const float* from) { return _mm512_load_ps(from); }
    static Type broadcast(const float* from) { return _mm512_set1_ps(*from); }
    static Type subtract(Type a, Type b) { return _mm512_sub_ps(a, b); }
    static Type multiply_add(Type a, Type b, Type c) { return _mm512_fmadd_ps(a, b, c); }
    static Type minimum(Type a, Type b) { return _mm512_min_ps(a, b); }
    static bool any_below(Type values, float limit) {
        return _mm512_cmp_ps_mask(values, _mm512_set1_ps(limit), _CMP_LT_OQ) != 0;
    }
    static void store(float* to, Type values) { _mm512_storeu_ps(to, values); }

    // 16 x 16: interleave pairs, then quadruples, then quarters twice.
    static void transpose(const float* const* source, std::int64_t k, float* to) {
        __m512 a[16];
        __m512 b[16];
        for (int j = 0; j < 16; ++j)
            a[j] = _mm512_loadu_ps(source[j] + k);
        for (int j = 0; j < 16; j += 2) {
            b[j] = _mm512_unpacklo_ps(a[j], a[j + 1]);
            b[j + 1] = _mm512_unpackhi_ps(a[j], a[j + 1]);
        }
        for (int j = 0; j < 16; j += 4) {
            for (int i = 0; i < 2; ++i) {
                a[j + 2 * i] = _mm512_shuffle_ps(b[j + i], b[j + i + 2], 0x44);
                a[j + 2 * i + 1] = _mm512_shuffle_ps(b[j + i], b[j + i + 2], 0xEE);
            }
        }
        // a[4 q + i] holds elements i, 4+i, 8+i, 12+i (one a quarter) of vectors 4 q .. 4 q + 3.
        for (int i = 0; i < 4; ++i) {
            const __m512 low01 = _mm512_shuffle_f32x4(a[i], a[4 + i], 0x88);
            const __m512 high01 = _mm512_shuffle_f32x4(a[i], a[4 + i], 0xDD);
            const __m512 low23 = _mm512_shuffle_f32x4(a[8 + i], a[12 + i], 0x88);
            const __m512 high23 = _mm512_shuffle_f32x4(a[8 + i], a[12 + i], 0xDD);
            _mm512_store_ps(to + i * 16, _mm512_shuffle_f32x4(low01, low23, 0x88));
            _mm512_store_ps(to + (4 + i) * 16, _mm512_shuffle_f32x4(high01, high23, 0x88));
            _mm512_store_ps(to + (8 + i) * 16, _mm512_shuffle_f32x4(low01, low23, 0xDD));
            _mm512_store_ps(to + (12 + i) * 16, _mm512_shuffle_f32x4(high01, high23, 0xDD));
        }
    }
};

constexpr NearestCenterTiles tiles = tiles_of<Avx512>();

}  // namespace

const NearestCenterTiles& nearest_center_tiles_avx512() {
    return tiles;
}

}  // namespace sluice::kernels
