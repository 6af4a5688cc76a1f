#pragma once

#include "kernels/cuda/thread_grid.hpp"
#include "kernels/panel_block.hpp"

#include <cstdint>
#include <vector>

namespace sluice::kernels {

/// pick_on_device as the device runs it, on the CPU block by block and thread by thread.
inline std::vector<PanelPick> pick_on_twin(const PanelView& panel, const PanelShape& shape,
                                           const Candidate& outside, std::int64_t num_picks) {
    using Block = SerialBlock<PanelThread, panel_threads>;
    const std::int64_t dim = panel.rows.dim;
    const auto num_blocks = static_cast<std::size_t>(shape.num_blocks);
    std::vector<Block> blocks(num_blocks);
    // All of it NaN, as what nobody has written may be.
    const auto words = static_cast<std::size_t>(PanelShared::bytes(shape, dim)) / 8;
    std::vector<std::uint64_t> memory(num_blocks * words, ~std::uint64_t{0});
    std::vector<PanelShared> shared;
    for (std::size_t b = 0; b < num_blocks; ++b)
        shared.push_back(PanelShared::in(memory.data() + b * words, shape, dim));
    std::vector<std::uint64_t> best(2 * num_blocks, ~std::uint64_t{0});
    std::vector<std::uint64_t> keys(static_cast<std::size_t>(num_picks));
    std::int64_t num_made = 0;
    const PanelTask task{panel.rows.data,
                         panel.numbers.data(),
                         panel.rows.rows,
                         dim,
                         shape,
                         outside,
                         num_picks,
                         panel.nearest.data(),
                         panel.center.data(),
                         best.data(),
                         keys.data(),
                         &num_made};
    SerialGrid<Block, PanelShared> grid(blocks.data(), shared.data(),
                                        static_cast<int>(shape.num_blocks));
    panel_greedy_grid(grid, task);
    std::vector<PanelPick> picks;
    for (std::size_t i = 0; i < static_cast<std::size_t>(num_made); ++i)
        picks.push_back({place_of_key(keys[i]), distance_of_key(keys[i])});
    return picks;
}

}  // namespace sluice::kernels
