#include "kernels/race_rows_tile.hpp"

#include <immintrin.h>

namespace sluice::kernels {
namespace {

struct Avx2 {
    using Type = __m256i;
    struct Product {
        Type high;
        Type low;
    };

    static Type load(const std::uint32_t* from) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    }
    static Type fill(std::uint32_t value) { return _mm256_set1_epi32(static_cast<int>(value)); }
    static Type low_words(const RowId* rows) { return words<0x88>(rows); }
    static Type high_words(const RowId* rows) { return words<0xDD>(rows); }
    static Product multiply(Type a, std::uint32_t b) {
        const Type factor = fill(b);
        const Type even = _mm256_mul_epu32(a, factor);
        const Type odd = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), factor);
        return {_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA),
                _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA)};
    }
    static Type exclusive_or(Type a, Type b, std::uint32_t c) {
        return _mm256_xor_si256(_mm256_xor_si256(a, b), fill(c));
    }
    static unsigned at_most(Type values, Type limits) {
        const Type same = _mm256_cmpeq_epi32(_mm256_min_epu32(values, limits), values);
        return static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(same)));
    }

  private:
    // Every other 32-bit word of eight rows, in their order.
    template <int picked>
    static Type words(const RowId* rows) {
        const Type first = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows));
        const Type second = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows + 4));
        const __m256 mixed =
            _mm256_shuffle_ps(_mm256_castsi256_ps(first), _mm256_castsi256_ps(second), picked);
        return _mm256_permute4x64_epi64(_mm256_castps_si256(mixed), 0xD8);
    }
};

}  // namespace

const RaceInstructions race_avx2 = {8, &early<Avx2>};

}  // namespace sluice::kernels
