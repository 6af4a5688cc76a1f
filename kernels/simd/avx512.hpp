#pragma once

#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__) && defined(__AVX512VL__)

#include "kernels/simd/lane.hpp"

#include <immintrin.h>

#include <cstdint>

namespace sluice::kernels {

/// Sixteen rows in an AVX-512 register.
struct Avx512Lanes {
    static constexpr int width = 16;

    /// A type of its own, so that its functions are found wherever a template uses them.
    struct Mask {
        __mmask16 lanes;
        Mask() = default;
        SLUICE_LANE Mask(__mmask16 value) : lanes(value) {}
    };

    struct Integer {
        __m512i lanes;
        Integer() = default;
        SLUICE_LANE Integer(__m512i value) : lanes(value) {}
        SLUICE_LANE explicit Integer(std::uint32_t value)
            : lanes(_mm512_set1_epi32(static_cast<int>(value))) {}
    };

    __m512 lanes;

    Avx512Lanes() = default;
    SLUICE_LANE Avx512Lanes(__m512 value) : lanes(value) {}
    SLUICE_LANE explicit Avx512Lanes(float value) : lanes(_mm512_set1_ps(value)) {}
    SLUICE_LANE static void fetch_early(const float* from) { __builtin_prefetch(from); }
    SLUICE_LANE static Avx512Lanes load(const float* from) { return _mm512_load_ps(from); }
};

/// As load, from any address.
SLUICE_LANE Avx512Lanes load_unaligned(Avx512Lanes, const float* from) {
    return _mm512_loadu_ps(from);
}

SLUICE_LANE void store_lanes(float* to, Avx512Lanes value) {
    _mm512_storeu_ps(to, value.lanes);
}

SLUICE_LANE Avx512Lanes operator+(Avx512Lanes a, Avx512Lanes b) {
    return _mm512_add_ps(a.lanes, b.lanes);
}
SLUICE_LANE Avx512Lanes operator-(Avx512Lanes a, Avx512Lanes b) {
    return _mm512_sub_ps(a.lanes, b.lanes);
}
SLUICE_LANE Avx512Lanes operator*(Avx512Lanes a, Avx512Lanes b) {
    return _mm512_mul_ps(a.lanes, b.lanes);
}
SLUICE_LANE Avx512Lanes operator/(Avx512Lanes a, Avx512Lanes b) {
    return _mm512_div_ps(a.lanes, b.lanes);
}
SLUICE_LANE Avx512Lanes multiply_add(Avx512Lanes a, Avx512Lanes b, Avx512Lanes c) {
    return _mm512_fmadd_ps(a.lanes, b.lanes, c.lanes);
}
SLUICE_LANE Avx512Lanes larger(Avx512Lanes a, Avx512Lanes b) {
    return _mm512_max_ps(a.lanes, b.lanes);
}
SLUICE_LANE Avx512Lanes smaller(Avx512Lanes a, Avx512Lanes b) {
    return _mm512_min_ps(a.lanes, b.lanes);
}
SLUICE_LANE Avx512Lanes square_root(Avx512Lanes a) {
    return _mm512_sqrt_ps(a.lanes);
}

SLUICE_LANE Avx512Lanes::Mask operator<(Avx512Lanes a, Avx512Lanes b) {
    return _mm512_cmp_ps_mask(a.lanes, b.lanes, _CMP_LT_OQ);
}
SLUICE_LANE Avx512Lanes::Mask operator<=(Avx512Lanes a, Avx512Lanes b) {
    return _mm512_cmp_ps_mask(a.lanes, b.lanes, _CMP_LE_OQ);
}
SLUICE_LANE Avx512Lanes::Mask equal(Avx512Lanes a, Avx512Lanes b) {
    return _mm512_cmp_ps_mask(a.lanes, b.lanes, _CMP_EQ_OQ);
}
SLUICE_LANE Avx512Lanes::Mask differ(Avx512Lanes a, Avx512Lanes b) {
    return _mm512_cmp_ps_mask(a.lanes, b.lanes, _CMP_NEQ_UQ);
}
SLUICE_LANE Avx512Lanes::Mask both(Avx512Lanes::Mask a, Avx512Lanes::Mask b) {
    return _kand_mask16(a.lanes, b.lanes);
}
SLUICE_LANE bool any(Avx512Lanes::Mask mask) {
    return mask.lanes != 0;
}
SLUICE_LANE Avx512Lanes select(Avx512Lanes::Mask mask, Avx512Lanes yes, Avx512Lanes no) {
    return _mm512_mask_blend_ps(mask.lanes, no.lanes, yes.lanes);
}
SLUICE_LANE Avx512Lanes add_where(Avx512Lanes::Mask mask, Avx512Lanes sum, Avx512Lanes term) {
    return _mm512_mask_add_ps(sum.lanes, mask.lanes, sum.lanes, term.lanes);
}

SLUICE_LANE Avx512Lanes::Integer bits_of(Avx512Lanes value) {
    return _mm512_castps_si512(value.lanes);
}
SLUICE_LANE Avx512Lanes float_of_bits(Avx512Lanes::Integer bits) {
    return _mm512_castsi512_ps(bits.lanes);
}
SLUICE_LANE Avx512Lanes float_of_integer(Avx512Lanes::Integer bits) {
    return _mm512_cvtepi32_ps(bits.lanes);
}
SLUICE_LANE Avx512Lanes::Integer operator+(Avx512Lanes::Integer a, Avx512Lanes::Integer b) {
    return _mm512_add_epi32(a.lanes, b.lanes);
}
SLUICE_LANE Avx512Lanes::Integer operator-(Avx512Lanes::Integer a, Avx512Lanes::Integer b) {
    return _mm512_sub_epi32(a.lanes, b.lanes);
}
SLUICE_LANE Avx512Lanes::Integer operator&(Avx512Lanes::Integer a, Avx512Lanes::Integer b) {
    return _mm512_and_si512(a.lanes, b.lanes);
}
SLUICE_LANE Avx512Lanes::Integer operator|(Avx512Lanes::Integer a, Avx512Lanes::Integer b) {
    return _mm512_or_si512(a.lanes, b.lanes);
}
SLUICE_LANE Avx512Lanes::Integer any_bits(Avx512Lanes::Integer a, Avx512Lanes::Integer b,
                                          Avx512Lanes::Integer c) {
    return _mm512_ternarylogic_epi32(a.lanes, b.lanes, c.lanes, 0xfe);
}
SLUICE_LANE Avx512Lanes::Mask top_bit(Avx512Lanes::Integer bits) {
    return _mm512_movepi32_mask(bits.lanes);
}
/// The instruction rounds once, as the two multiplications of the scalar form do.
SLUICE_LANE Avx512Lanes times_power_of_two(Avx512Lanes value, Avx512Lanes count) {
    return _mm512_scalef_ps(value.lanes, count.lanes);
}

namespace avx512 {

/// Columns 0-7 of rows `upper` and `lower`, side by side; a step of the transposition done by the
/// load ports.
SLUICE_LANE __m512 two_rows(const float* upper, const float* lower) {
    const __m512 low = _mm512_castps256_ps512(_mm256_loadu_ps(upper));
    return _mm512_insertf32x8(low, _mm256_loadu_ps(lower), 1);
}

/// Eight columns of sixteen rows, `row[i]` pointing at the first column of row i.
SLUICE_LANE void transpose_eight_columns(const float* const* row, float* tile) {
    __m512 a[8];
    __m512 b[8];
    for (int i = 0; i < 8; ++i)
        a[i] = two_rows(row[i], row[i + 8]);
    for (int i = 0; i < 8; i += 2) {
        b[i] = _mm512_unpacklo_ps(a[i], a[i + 1]);
        b[i + 1] = _mm512_unpackhi_ps(a[i], a[i + 1]);
    }
    // a[4 h + j]: columns j and j + 4 of rows 4 h .. 4 h + 3 and 8 more, in 128-bit pieces.
    for (int h = 0; h < 2; ++h) {
        const __m512d p = _mm512_castps_pd(b[4 * h]);
        const __m512d q = _mm512_castps_pd(b[4 * h + 1]);
        const __m512d r = _mm512_castps_pd(b[4 * h + 2]);
        const __m512d s = _mm512_castps_pd(b[4 * h + 3]);
        a[4 * h] = _mm512_castpd_ps(_mm512_unpacklo_pd(p, r));
        a[4 * h + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(p, r));
        a[4 * h + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(q, s));
        a[4 * h + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(q, s));
    }
    const __m512i low = _mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27);
    const __m512i high =
        _mm512_setr_epi32(4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
    for (int j = 0; j < 4; ++j) {
        _mm512_store_ps(tile + j * 16, _mm512_permutex2var_ps(a[j], low, a[j + 4]));
        _mm512_store_ps(tile + (j + 4) * 16, _mm512_permutex2var_ps(a[j], high, a[j + 4]));
    }
}

}  // namespace avx512

/// Rows of memory to lanes: tile[e * stride + i] = rows[i * elements + e] for the `num_rows` rows
/// there are; the remaining lanes repeat the last of them.
SLUICE_LANE void fill_tile(Avx512Lanes, const float* rows, std::int64_t elements, int num_rows,
                           float* tile) {
    const float* row[16];
    for (int i = 0; i < 16; ++i)
        row[i] = rows + (i < num_rows ? i : num_rows - 1) * elements;
    std::int64_t e = 0;
    for (; e + 8 <= elements; e += 8) {
        avx512::transpose_eight_columns(row, tile + e * 16);
        for (const float*& next : row)
            next += 8;
    }
    for (; e < elements; ++e)
        for (int i = 0; i < 16; ++i)
            tile[e * 16 + i] = *row[i]++;
}

}  // namespace sluice::kernels

#endif
