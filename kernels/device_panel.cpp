#include "kernels/device_panel.hpp"

#include "kernels/panel_block.hpp"

#include <algorithm>

namespace sluice::kernels {
namespace {

// A warp's worth: with fewer, more blocks wait for each other and none is done sooner.
constexpr std::int64_t usual_rows = 32;
constexpr std::int64_t least_rows = 8;

std::int64_t ceil_divide(std::int64_t a, std::int64_t b) {
    return (a + b - 1) / b;
}

}  // namespace

PanelShape panel_shape(std::int64_t num_rows, std::int64_t dim, const PanelLimits& limits) {
    if (num_rows == 0 || limits.most_blocks == 0) return {};
    std::int64_t rows = std::max(usual_rows, ceil_divide(num_rows, limits.most_blocks));
    const auto fits = [&] {
        return PanelShared::bytes({0, rows, dim}, dim) <= limits.shared_bytes;
    };
    while (!fits() && rows / 2 >= least_rows &&
           ceil_divide(num_rows, rows / 2) <= limits.most_blocks)
        rows /= 2;
    PanelShape shape{ceil_divide(num_rows, rows), rows, dim};
    if (fits()) return shape;
    // The rest of each row is read from the device's memory for each pick.
    const std::int64_t left = limits.shared_bytes - PanelShared::bytes({0, rows, 0}, dim);
    if (left < 0) return {};
    const std::int64_t floats = left / static_cast<std::int64_t>(sizeof(float));
    shape.resident = floats / rows / panel_chunk * panel_chunk;
    return shape;
}

}  // namespace sluice::kernels
