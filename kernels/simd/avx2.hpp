#pragma once

#if defined(__AVX2__) && defined(__FMA__)

#include "kernels/simd/lane.hpp"

#include <immintrin.h>

#include <cstdint>

namespace sluice::kernels {

/// Eight rows in an AVX2 register.
struct Avx2Lanes {
    static constexpr int width = 8;

    /// All bits of a lane set where it holds.
    struct Mask {
        __m256 lanes;
        Mask() = default;
        SLUICE_LANE Mask(__m256 value) : lanes(value) {}
    };

    struct Integer {
        __m256i lanes;
        Integer() = default;
        SLUICE_LANE Integer(__m256i value) : lanes(value) {}
        SLUICE_LANE explicit Integer(std::uint32_t value)
            : lanes(_mm256_set1_epi32(static_cast<int>(value))) {}
    };

    __m256 lanes;

    Avx2Lanes() = default;
    SLUICE_LANE Avx2Lanes(__m256 value) : lanes(value) {}
    SLUICE_LANE explicit Avx2Lanes(float value) : lanes(_mm256_set1_ps(value)) {}
    SLUICE_LANE static void fetch_early(const float* from) { __builtin_prefetch(from); }
    SLUICE_LANE static Avx2Lanes load(const float* from) { return _mm256_load_ps(from); }
};

/// As load, from any address.
SLUICE_LANE Avx2Lanes load_unaligned(Avx2Lanes, const float* from) {
    return _mm256_loadu_ps(from);
}

SLUICE_LANE void store_lanes(float* to, Avx2Lanes value) {
    _mm256_storeu_ps(to, value.lanes);
}

SLUICE_LANE Avx2Lanes operator+(Avx2Lanes a, Avx2Lanes b) {
    return _mm256_add_ps(a.lanes, b.lanes);
}
SLUICE_LANE Avx2Lanes operator-(Avx2Lanes a, Avx2Lanes b) {
    return _mm256_sub_ps(a.lanes, b.lanes);
}
SLUICE_LANE Avx2Lanes operator*(Avx2Lanes a, Avx2Lanes b) {
    return _mm256_mul_ps(a.lanes, b.lanes);
}
SLUICE_LANE Avx2Lanes operator/(Avx2Lanes a, Avx2Lanes b) {
    return _mm256_div_ps(a.lanes, b.lanes);
}
SLUICE_LANE Avx2Lanes multiply_add(Avx2Lanes a, Avx2Lanes b, Avx2Lanes c) {
    return _mm256_fmadd_ps(a.lanes, b.lanes, c.lanes);
}
SLUICE_LANE Avx2Lanes larger(Avx2Lanes a, Avx2Lanes b) {
    return _mm256_max_ps(a.lanes, b.lanes);
}
SLUICE_LANE Avx2Lanes smaller(Avx2Lanes a, Avx2Lanes b) {
    return _mm256_min_ps(a.lanes, b.lanes);
}
SLUICE_LANE Avx2Lanes square_root(Avx2Lanes a) {
    return _mm256_sqrt_ps(a.lanes);
}

SLUICE_LANE Avx2Lanes::Mask operator<(Avx2Lanes a, Avx2Lanes b) {
    return _mm256_cmp_ps(a.lanes, b.lanes, _CMP_LT_OQ);
}
SLUICE_LANE Avx2Lanes::Mask operator<=(Avx2Lanes a, Avx2Lanes b) {
    return _mm256_cmp_ps(a.lanes, b.lanes, _CMP_LE_OQ);
}
SLUICE_LANE Avx2Lanes::Mask equal(Avx2Lanes a, Avx2Lanes b) {
    return _mm256_cmp_ps(a.lanes, b.lanes, _CMP_EQ_OQ);
}
SLUICE_LANE Avx2Lanes::Mask differ(Avx2Lanes a, Avx2Lanes b) {
    return _mm256_cmp_ps(a.lanes, b.lanes, _CMP_NEQ_UQ);
}
SLUICE_LANE Avx2Lanes::Mask both(Avx2Lanes::Mask a, Avx2Lanes::Mask b) {
    return _mm256_and_ps(a.lanes, b.lanes);
}
SLUICE_LANE bool any(Avx2Lanes::Mask mask) {
    return _mm256_movemask_ps(mask.lanes) != 0;
}
SLUICE_LANE Avx2Lanes select(Avx2Lanes::Mask mask, Avx2Lanes yes, Avx2Lanes no) {
    return _mm256_blendv_ps(no.lanes, yes.lanes, mask.lanes);
}
SLUICE_LANE Avx2Lanes add_where(Avx2Lanes::Mask mask, Avx2Lanes sum, Avx2Lanes term) {
    return select(mask, sum + term, sum);
}

SLUICE_LANE Avx2Lanes::Integer bits_of(Avx2Lanes value) {
    return _mm256_castps_si256(value.lanes);
}
SLUICE_LANE Avx2Lanes float_of_bits(Avx2Lanes::Integer bits) {
    return _mm256_castsi256_ps(bits.lanes);
}
SLUICE_LANE Avx2Lanes float_of_integer(Avx2Lanes::Integer bits) {
    return _mm256_cvtepi32_ps(bits.lanes);
}
SLUICE_LANE Avx2Lanes::Integer operator+(Avx2Lanes::Integer a, Avx2Lanes::Integer b) {
    return _mm256_add_epi32(a.lanes, b.lanes);
}
SLUICE_LANE Avx2Lanes::Integer operator-(Avx2Lanes::Integer a, Avx2Lanes::Integer b) {
    return _mm256_sub_epi32(a.lanes, b.lanes);
}
SLUICE_LANE Avx2Lanes::Integer operator&(Avx2Lanes::Integer a, Avx2Lanes::Integer b) {
    return _mm256_and_si256(a.lanes, b.lanes);
}
SLUICE_LANE Avx2Lanes::Integer operator|(Avx2Lanes::Integer a, Avx2Lanes::Integer b) {
    return _mm256_or_si256(a.lanes, b.lanes);
}
SLUICE_LANE Avx2Lanes::Integer any_bits(Avx2Lanes::Integer a, Avx2Lanes::Integer b,
                                        Avx2Lanes::Integer c) {
    return a | b | c;
}
SLUICE_LANE Avx2Lanes::Mask top_bit(Avx2Lanes::Integer bits) {
    return _mm256_castsi256_ps(_mm256_srai_epi32(bits.lanes, 31));
}
SLUICE_LANE Avx2Lanes times_power_of_two(Avx2Lanes value, Avx2Lanes count) {
    const Avx2Lanes::Integer exponent = _mm256_cvtps_epi32(count.lanes);
    const Avx2Lanes::Integer half = _mm256_srai_epi32(exponent.lanes, 1);
    const Avx2Lanes::Integer bias(127U);
    const Avx2Lanes first = _mm256_castsi256_ps(_mm256_slli_epi32((half + bias).lanes, 23));
    const Avx2Lanes second =
        _mm256_castsi256_ps(_mm256_slli_epi32((exponent - half + bias).lanes, 23));
    return value * first * second;
}

namespace avx2 {

/// Eight columns of eight rows, `row[i]` pointing at the first column of row i.
SLUICE_LANE void transpose_eight_columns(const float* const* row, float* tile) {
    __m256 a[8];
    __m256 b[8];
    for (int i = 0; i < 4; ++i) {
        // Columns 0-3, then 4-7, of rows i and i + 4: this step is done by the load ports.
        a[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(row[i])),
                                    _mm_loadu_ps(row[i + 4]), 1);
        a[i + 4] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(row[i] + 4)),
                                        _mm_loadu_ps(row[i + 4] + 4), 1);
    }
    for (int i = 0; i < 8; i += 2) {
        b[i] = _mm256_unpacklo_ps(a[i], a[i + 1]);
        b[i + 1] = _mm256_unpackhi_ps(a[i], a[i + 1]);
    }
    for (int h = 0; h < 2; ++h) {
        const __m256d p = _mm256_castps_pd(b[4 * h]);
        const __m256d q = _mm256_castps_pd(b[4 * h + 1]);
        const __m256d r = _mm256_castps_pd(b[4 * h + 2]);
        const __m256d s = _mm256_castps_pd(b[4 * h + 3]);
        float* to = tile + h * 32;
        _mm256_store_ps(to, _mm256_castpd_ps(_mm256_unpacklo_pd(p, r)));
        _mm256_store_ps(to + 8, _mm256_castpd_ps(_mm256_unpackhi_pd(p, r)));
        _mm256_store_ps(to + 16, _mm256_castpd_ps(_mm256_unpacklo_pd(q, s)));
        _mm256_store_ps(to + 24, _mm256_castpd_ps(_mm256_unpackhi_pd(q, s)));
    }
}

}  // namespace avx2

/// Rows of memory to lanes: tile[e * 8 + i] = rows[i * elements + e] for the `num_rows` rows there
/// are; the remaining lanes repeat the last of them.
SLUICE_LANE void fill_tile(Avx2Lanes, const float* rows, std::int64_t elements, int num_rows,
                           float* tile) {
    const float* row[8];
    for (int i = 0; i < 8; ++i)
        row[i] = rows + (i < num_rows ? i : num_rows - 1) * elements;
    std::int64_t e = 0;
    for (; e + 8 <= elements; e += 8) {
        avx2::transpose_eight_columns(row, tile + e * 8);
        for (const float*& next : row)
            next += 8;
    }
    for (; e < elements; ++e)
        for (int i = 0; i < 8; ++i)
            tile[e * 8 + i] = *row[i]++;
}

}  // namespace sluice::kernels

#endif
