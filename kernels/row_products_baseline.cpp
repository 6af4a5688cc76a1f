#include "kernels/row_products_tile.hpp"
#include "kernels/simd/plain_lanes.hpp"

namespace sluice::kernels {
namespace {

struct Plain : PlainLanes<double, panel_rows> {
    static Type widen(const float* from) {
        return of_lanes([&](int j) { return static_cast<double>(from[j]); });
    }
    static Type divide(const Type& a, const Type& b) {
        return of_lanes([&](int j) { return a.lane[j] / b.lane[j]; });
    }
    static Type subtract_where(const Type& seen, const Type& number, const Type& value,
                               const Type& part) {
        return of_lanes([&](int j) {
            return seen.lane[j] <= number.lane[j] ? value.lane[j] - part.lane[j] : value.lane[j];
        });
    }
};

}  // namespace

const ProductInstructions products_baseline = instructions_of<Plain>();

}  // namespace sluice::kernels
