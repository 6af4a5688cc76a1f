#include "kernels/simd/transpose_eight.hpp"
#include "kernels/square_bounds_tile.hpp"

namespace sluice::kernels {
namespace {

struct Avx512 {
    using Type = __m512;
    static constexpr int lanes = 16;
    static constexpr int max_vectors = 12;
    static constexpr int max_panels = 2;  // 12 x 2 sums, 2 of rows, a factor: 27 of 32

    static Type zero() { return _mm512_setzero_ps(); }
    static Type load(const float* from) { return _mm512_loadu_ps(from); }
    static Type broadcast(const float* from) { return _mm512_set1_ps(*from); }
    static Type multiply(Type a, Type b) { return _mm512_mul_ps(a, b); }
    static Type multiply_add(Type a, Type b, Type c) { return _mm512_fmadd_ps(a, b, c); }
    static Type add(Type a, Type b) { return _mm512_add_ps(a, b); }
    static Type subtract(Type a, Type b) { return _mm512_sub_ps(a, b); }
    static Type absolute(Type a) { return _mm512_abs_ps(a); }
    // The second operand where the first is not a number.
    static Type positive_part(Type a) { return _mm512_max_ps(a, zero()); }
    static Type add_where(Type seen, Type number, Type sum, Type part) {
        return _mm512_mask_add_ps(sum, _mm512_cmp_ps_mask(seen, number, _CMP_LE_OQ), sum, part);
    }
    static void store(float* to, Type values) { _mm512_storeu_ps(to, values); }
    static void transpose(const float* const* rows, std::int64_t k, float* to) {
        transpose_eight(rows, k, to, lanes);
        transpose_eight(rows + 8, k, to + 8, lanes);
    }
};

}  // namespace

const SquareInstructions squares_avx512 = instructions_of<Avx512>();

}  // namespace sluice::kernels
