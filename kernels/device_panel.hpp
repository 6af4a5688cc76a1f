#pragma once

#include "core/types.hpp"
#include "kernels/nearest_center.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace sluice::kernels {

/// A row of a panel that the greedy picked.
struct PanelPick {
    std::int64_t local = 0;  ///< index in the panel
    float squared_distance = 0.0F;

    friend constexpr bool operator==(const PanelPick&, const PanelPick&) = default;
};

/// The rows among which the greedy of k-center picks.
struct PanelView {
    MatrixView rows;
    std::span<const RowId> numbers;  ///< [rows] in the pool, ascending
    std::span<float> nearest;        ///< [rows] squared distances to the nearest centre; relaxed
    std::span<std::int32_t> center;  ///< [rows] set to the number of the pick that came nearest,
                                     ///< counted from 0, where one did
};

/// Runs the greedy on a GPU, one launch for all picks: the best row becomes a centre and relaxes
/// all rows of the panel, for as long as it is better than `outside`, and at most `num_picks`
/// times. The picks and their distances are those of the CPU, bit for bit. None, with nothing
/// changed, if the device cannot hold such a panel. Throws Error(unavailable) in a build without
/// CUDA, or if the device fails or lacks memory.
std::optional<std::vector<PanelPick>> pick_on_device(const PanelView& panel,
                                                     const Candidate& outside,
                                                     std::int64_t num_picks);

/// What a device has for a panel.
struct PanelLimits {
    std::int64_t most_blocks = 0;   ///< that run at the same time, one to a multiprocessor
    std::int64_t shared_bytes = 0;  ///< for each of them
};

/// How a panel is spread over blocks of threads.
struct PanelShape {
    std::int64_t num_blocks = 0;  ///< 0: the panel does not fit
    std::int64_t rows_per_block = 0;
    std::int64_t resident = 0;  ///< leading elements of each row that stay in shared memory

    friend constexpr bool operator==(const PanelShape&, const PanelShape&) = default;
};
PanelShape panel_shape(std::int64_t num_rows, std::int64_t dim, const PanelLimits& limits);

}  // namespace sluice::kernels
