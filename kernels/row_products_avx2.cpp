#include "kernels/row_products_tile.hpp"
#include "kernels/simd/transpose_eight.hpp"

namespace sluice::kernels {
namespace {

struct Avx2 {
    using Type = __m256d;
    static constexpr int lanes = 4;
    static constexpr int max_vectors = 5;  // 5 x 2 sums, 2 of rows, a factor, a product: 14 of 16
    static constexpr int max_panels = 1;

    static Type zero() { return _mm256_setzero_pd(); }
    static Type widen(const float* from) { return _mm256_cvtps_pd(_mm_loadu_ps(from)); }
    static Type broadcast(const double* from) { return _mm256_broadcast_sd(from); }
    static Type multiply(Type a, Type b) { return _mm256_mul_pd(a, b); }
    static Type load(const double* from) { return _mm256_loadu_pd(from); }
    static Type divide(Type a, Type b) { return _mm256_div_pd(a, b); }
    static Type subtract_where(Type seen, Type number, Type value, Type part) {
        const Type wanted = _mm256_cmp_pd(seen, number, _CMP_LE_OQ);
        return _mm256_blendv_pd(value, _mm256_sub_pd(value, part), wanted);
    }
    static Type add(Type a, Type b) { return _mm256_add_pd(a, b); }
    static void store(double* to, Type values) { _mm256_storeu_pd(to, values); }
    static void transpose(const float* const* rows, std::int64_t k, float* to) {
        transpose_eight(rows, k, to);
    }
};

}  // namespace

const ProductInstructions products_avx2 = instructions_of<Avx2>();

}  // namespace sluice::kernels
