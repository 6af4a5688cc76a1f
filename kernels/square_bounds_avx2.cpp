#include "kernels/simd/transpose_eight.hpp"
#include "kernels/square_bounds_tile.hpp"

namespace sluice::kernels {
namespace {

struct Avx2 {
    using Type = __m256;
    static constexpr int lanes = 8;
    static constexpr int max_vectors = 6;  // 6 x 2 sums, 2 of rows, a factor: 15 of 16
    static constexpr int max_panels = 1;

    static Type zero() { return _mm256_setzero_ps(); }
    static Type load(const float* from) { return _mm256_loadu_ps(from); }
    static Type broadcast(const float* from) { return _mm256_broadcast_ss(from); }
    static Type multiply(Type a, Type b) { return _mm256_mul_ps(a, b); }
    static Type multiply_add(Type a, Type b, Type c) { return _mm256_fmadd_ps(a, b, c); }
    static Type add(Type a, Type b) { return _mm256_add_ps(a, b); }
    static Type subtract(Type a, Type b) { return _mm256_sub_ps(a, b); }
    static Type absolute(Type a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), a); }
    // The second operand where the first is not a number.
    static Type positive_part(Type a) { return _mm256_max_ps(a, zero()); }
    static Type add_where(Type seen, Type number, Type sum, Type part) {
        const Type wanted = _mm256_cmp_ps(seen, number, _CMP_LE_OQ);
        return _mm256_blendv_ps(sum, _mm256_add_ps(sum, part), wanted);
    }
    static void store(float* to, Type values) { _mm256_storeu_ps(to, values); }
    static void transpose(const float* const* rows, std::int64_t k, float* to) {
        transpose_eight(rows, k, to, panel_rows);
        transpose_eight(rows + 8, k, to + 8, panel_rows);
    }
};

}  // namespace

const SquareInstructions squares_avx2 = instructions_of<Avx2>();

}  // namespace sluice::kernels
