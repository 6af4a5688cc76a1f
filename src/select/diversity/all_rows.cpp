#include "select/diversity/all_rows.hpp"

#include <algorithm>
#include <numeric>

namespace sluice::select {

std::int64_t AllRows::find(RowId row) const {
    return std::lower_bound(rows.begin(), rows.end(), row) - rows.begin();
}

AllRows gather_all_rows(const ShortlistShare& share, comm::Communicator& world) {
    const auto dim = static_cast<std::size_t>(share.features.dim);
    const std::span<const float> mine(share.features.data, share.rows.size() * dim);
    const std::vector<RowId> rows = world.all_gather(share.rows);
    const std::vector<float> scores = world.all_gather(share.scores);
    const std::vector<float> features = world.all_gather(mine);
    std::vector<std::size_t> order(rows.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t left, std::size_t right) { return rows[left] < rows[right]; });
    AllRows all;
    all.dim = share.features.dim;
    all.features.reserve(features.size());
    for (const std::size_t i : order) {
        all.rows.push_back(rows[i]);
        all.scores.push_back(scores[i]);
        const auto from = features.begin() + static_cast<std::ptrdiff_t>(i * dim);
        all.features.insert(all.features.end(), from, from + static_cast<std::ptrdiff_t>(dim));
    }
    return all;
}

std::int64_t all_rows_memory(const DiversitySizes& sizes) {
    return sizes.shortlist_rows * (3 * sizes.dim * 4 + 64);
}

}  // namespace sluice::select
