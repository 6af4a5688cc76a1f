#include "kernels/nearest_center_tile.hpp"

namespace sluice::kernels {
namespace {

// One lane; fmaf() is the C library's where the processor has no FMA, correctly rounded but slow.
struct Scalar {
    using Type = float;
    static constexpr int lanes = 1;
    static constexpr int max_singles = 4;
    static constexpr int max_panels = 2;

    static Type zero() { return 0.0F; }
    static Type load(const float* from) { return *from; }
    static Type broadcast(const float* from) { return *from; }
    static Type subtract(Type a, Type b) { return a - b; }
    static Type multiply_add(Type a, Type b, Type c) { return __builtin_fmaf(a, b, c); }
    static Type minimum(Type a, Type b) { return a < b ? a : b; }
    static bool any_below(Type values, float limit) { return values < limit; }
    static void store(float* to, Type values) { *to = values; }
    static void transpose(const float* const* source, std::int64_t k, float* to) {
        *to = source[0][k];
    }
};

constexpr NearestCenterTiles tiles = tiles_of<Scalar>();

}  // namespace

const NearestCenterTiles& nearest_center_tiles_baseline() {
    return tiles;
}

}  // namespace sluice::kernels
