#include "kernels/race_rows_tile.hpp"

#include <immintrin.h>

namespace sluice::kernels {
namespace {

struct Avx512 {
    using Type = __m512i;
    struct Product {
        Type high;
        Type low;
    };

    static Type load(const std::uint32_t* from) { return _mm512_loadu_si512(from); }
    static Type fill(std::uint32_t value) { return _mm512_set1_epi32(static_cast<int>(value)); }
    static Type low_words(const RowId* rows) { return words(rows, 0); }
    static Type high_words(const RowId* rows) { return words(rows, 1); }
    static Product multiply(Type a, std::uint32_t b) {
        constexpr __mmask16 odd_lanes = 0xAAAA;
        const Type factor = fill(b);
        const Type even = _mm512_mul_epu32(a, factor);
        const Type odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), factor);
        return {_mm512_mask_mov_epi32(_mm512_srli_epi64(even, 32), odd_lanes, odd),
                _mm512_mask_shuffle_epi32(even, odd_lanes, odd, _MM_PERM_CCAA)};
    }
    static Type exclusive_or(Type a, Type b, std::uint32_t c) {
        return _mm512_ternarylogic_epi32(a, b, fill(c), 0x96);
    }
    static unsigned at_most(Type values, Type limits) {
        return _mm512_cmple_epu32_mask(values, limits);
    }

  private:
    // Every other 32-bit word of sixteen rows, from word `first` on.
    static Type words(const RowId* rows, int first) {
        const Type places = _mm512_add_epi32(
            _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30),
            _mm512_set1_epi32(first));
        return _mm512_permutex2var_epi32(_mm512_loadu_si512(rows), places,
                                         _mm512_loadu_si512(rows + 8));
    }
};

}  // namespace

const RaceInstructions race_avx512 = {16, &early<Avx512>};

}  // namespace sluice::kernels
