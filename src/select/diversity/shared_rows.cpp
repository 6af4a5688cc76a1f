#include "select/diversity/shared_rows.hpp"

#include <algorithm>

namespace sluice::select {

std::vector<Gain> best_of_ranks(std::vector<Gain> mine, std::int64_t count,
                                comm::Communicator& world) {
    const auto keep = [count](std::vector<Gain>& list) {
        const auto end = list.begin() + std::min(count, std::ssize(list));
        std::partial_sort(list.begin(), end, list.end(),
                          [](const Gain& a, const Gain& b) { return better(a, b); });
        list.erase(end, list.end());
    };
    keep(mine);
    std::vector<Gain> all = world.all_gather(std::span<const Gain>(mine));
    keep(all);
    return all;
}

std::vector<float> gather_rows(std::span<const RowId> rows, kernels::MatrixView features,
                               std::span<const RowId> wanted, comm::Communicator& world) {
    std::vector<std::int64_t> places;  // in `wanted`, of the rows that this rank has
    std::vector<float> values;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const auto found = std::lower_bound(rows.begin(), rows.end(), wanted[i]);
        if (found == rows.end() || *found != wanted[i]) continue;
        const float* const x = features.row(found - rows.begin());
        places.push_back(static_cast<std::int64_t>(i));
        values.insert(values.end(), x, x + features.dim);
    }
    const auto all_places = world.all_gather(std::span<const std::int64_t>(places));
    const auto all_values = world.all_gather(std::span<const float>(values));
    std::vector<float> result(all_values.size());
    for (std::size_t i = 0; i < all_places.size(); ++i) {
        std::copy_n(all_values.begin() + static_cast<std::int64_t>(i) * features.dim, features.dim,
                    result.begin() + all_places[i] * features.dim);
    }
    return result;
}

}  // namespace sluice::select
