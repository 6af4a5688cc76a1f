#include "select/shared_rows.hpp"

#include <algorithm>
#include <numeric>

namespace sluice::select {

Ranked first_of_all(const Ranked& mine, comm::Communicator& world) {
    const auto candidates = mine.row < 0 ? std::span<const Ranked>() : std::span(&mine, 1);
    const std::vector<Ranked> all = world.all_gather(candidates);
    return all.empty() ? Ranked{0.0, -1} : *std::min_element(all.begin(), all.end(), before);
}

std::vector<Ranked> first_of_all(std::vector<Ranked> mine, std::int64_t count,
                                 comm::Communicator& world) {
    const auto keep = [count](std::vector<Ranked>& list) {
        const auto end = list.begin() + std::min(count, static_cast<std::int64_t>(list.size()));
        std::partial_sort(list.begin(), end, list.end(), before);
        list.erase(end, list.end());
    };
    keep(mine);
    std::vector<Ranked> all = world.all_gather(std::span<const Ranked>(mine));
    keep(all);
    return all;
}

std::int64_t position_of(std::span<const RowId> rows, RowId row) {
    const auto found = std::lower_bound(rows.begin(), rows.end(), row);
    return found != rows.end() && *found == row ? found - rows.begin() : -1;
}

std::vector<float> gather_rows(std::span<const RowId> rows, kernels::MatrixView features,
                               std::span<const RowId> wanted, comm::Communicator& world) {
    std::vector<std::int64_t> places;  // in `wanted`, of the rows that this rank has
    std::vector<float> values;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const std::int64_t position = position_of(rows, wanted[i]);
        if (position < 0) continue;
        places.push_back(static_cast<std::int64_t>(i));
        values.insert(values.end(), features.row(position), features.row(position) + features.dim);
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
