#include "kernels/simd/portable.hpp"
#include "kernels/similarity_rows_tile.hpp"

namespace sluice::kernels {
namespace {

struct FourPlain {
    struct Type {
        double lane[4];
    };
    static Type load(const double* from) { return {{from[0], from[1], from[2], from[3]}}; }
    static Type widen(const float* from) { return {{from[0], from[1], from[2], from[3]}}; }
    static Type positive_part(const Type& a, const Type& b) {
        Type result;
        for (int i = 0; i < 4; ++i) {
            const double difference = a.lane[i] - b.lane[i];
            result.lane[i] = difference > 0.0 ? difference : 0.0;
        }
        return result;
    }
    static std::uint64_t above_zero(const Type& a) {
        std::uint64_t bits = 0;
        for (int i = 0; i < 4; ++i)
            bits |= std::uint64_t{a.lane[i] > 0.0} << i;
        return bits;
    }
    static Type add_product(const Type& sum, const Type& a, const Type& b) {
        Type result;
        for (int i = 0; i < 4; ++i)
            result.lane[i] = sum.lane[i] + a.lane[i] * b.lane[i];
        return result;
    }
    static void store(double* to, const Type& values) {
        for (int i = 0; i < 4; ++i)
            to[i] = values.lane[i];
    }
};

}  // namespace

const SimilarityInstructions similarity_baseline = {
    &exponentials_of<PortableLanes>, &add_uncovered_of<FourPlain>,
    &add_uncovered_of_four<FourPlain>, &mark_uncovered_of<FourPlain>};

}  // namespace sluice::kernels
