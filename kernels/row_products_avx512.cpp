#include "kernels/row_products_tile.hpp"
#include "kernels/simd/transpose_eight.hpp"

namespace sluice::kernels {
namespace {

struct Avx512 {
    using Type = __m512d;
    static constexpr int lanes = 8;
    static constexpr int max_vectors = 8;
    static constexpr int max_panels = 3;  // 8 x 3 sums, 3 of rows, a factor, a product: 29 of 32

    static Type zero() { return _mm512_setzero_pd(); }
    static Type widen(const float* from) { return _mm512_cvtps_pd(_mm256_loadu_ps(from)); }
    static Type broadcast(const double* from) { return _mm512_set1_pd(*from); }
    static Type multiply(Type a, Type b) { return _mm512_mul_pd(a, b); }
    static Type load(const double* from) { return _mm512_loadu_pd(from); }
    static Type divide(Type a, Type b) { return _mm512_div_pd(a, b); }
    static Type subtract_where(Type seen, Type number, Type value, Type part) {
        const __mmask8 wanted = _mm512_cmp_pd_mask(seen, number, _CMP_LE_OQ);
        return _mm512_mask_sub_pd(value, wanted, value, part);
    }
    static Type add(Type a, Type b) { return _mm512_add_pd(a, b); }
    static void store(double* to, Type values) { _mm512_storeu_pd(to, values); }
    static void transpose(const float* const* rows, std::int64_t k, float* to) {
        transpose_eight(rows, k, to);
    }
};

}  // namespace

const ProductInstructions products_avx512 = instructions_of<Avx512>();

}  // namespace sluice::kernels
