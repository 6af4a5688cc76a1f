#include "kernels/simd/plain_lanes.hpp"
#include "kernels/square_bounds_tile.hpp"

namespace sluice::kernels {
namespace {

struct Plain : PlainLanes<float, panel_rows> {
    static Type multiply_add(const Type& a, const Type& b, const Type& c) {
        return of_lanes([&](int j) { return a.lane[j] * b.lane[j] + c.lane[j]; });
    }
    static Type subtract(const Type& a, const Type& b) {
        return of_lanes([&](int j) { return a.lane[j] - b.lane[j]; });
    }
    static Type absolute(const Type& a) {
        return of_lanes([&](int j) { return a.lane[j] < 0.0F ? -a.lane[j] : a.lane[j]; });
    }
    static Type positive_part(const Type& a) {
        return of_lanes([&](int j) { return a.lane[j] > 0.0F ? a.lane[j] : 0.0F; });
    }
    static Type add_where(const Type& seen, const Type& number, const Type& sum, const Type& part) {
        return of_lanes([&](int j) {
            return seen.lane[j] <= number.lane[j] ? sum.lane[j] + part.lane[j] : sum.lane[j];
        });
    }
};

}  // namespace

const SquareInstructions squares_baseline = instructions_of<Plain>();

}  // namespace sluice::kernels
