#include "select/stale_rows.hpp"

#include "kernels/worker_pool.hpp"

#include <algorithm>
#include <numeric>

namespace sluice::select {
namespace {

// Laying out a centre for the kernel costs about as much as relaxing this many rows by it.
constexpr std::int64_t layout_cost = 8;
// Fewer missing centres than this a row are not worth sorting out.
constexpr std::int64_t least_missing = 16;

// Sorts by key, then local index, and drops the keys from the result.
std::vector<std::int64_t> sorted_locals(std::vector<std::pair<std::int32_t, std::int64_t>>& order) {
    std::sort(order.begin(), order.end());
    std::vector<std::int64_t> sorted(order.size());
    std::transform(order.begin(), order.end(), sorted.begin(),
                   [](const auto& entry) { return entry.second; });
    return sorted;
}

}  // namespace

StaleRows::StaleRows(const Source& source, std::int64_t max_centers, std::int64_t max_mapped)
    : source_(source),
      resident_(source.backend, source.features),
      centers_(static_cast<std::size_t>(max_centers * source.features.dim)),
      seen_(source.rows.size(), 0),
      center_(source.rows.size(), -1),
      out_(source.rows.size(), 0),
      map_(std::min(max_centers, max_mapped)) {}

std::int64_t StaleRows::find(RowId row) const {
    return std::lower_bound(source_.rows.begin(), source_.rows.end(), row) - source_.rows.begin();
}

void StaleRows::add_center(const float* features) {
    const std::int64_t dim = source_.features.dim;
    std::copy_n(features, dim, centers_.begin() + num_centers_ * dim);
    ++num_centers_;
}

void StaleRows::update(std::int64_t local, const State& state) {
    const auto i = static_cast<std::size_t>(local);
    source_.nearest[i] = state.distance;
    center_[i] = state.center;
    seen_[i] = static_cast<std::int32_t>(state.num_seen);
}

template <typename Filter>
std::vector<Candidate> StaleRows::best_of(std::int64_t count, const Candidate& floor,
                                          const Filter& filter) const {
    // Kept unordered, cut back to the best when twice too long: the bar rises early, and few rows
    // pass it.
    const auto limit = static_cast<std::size_t>(2 * count + 1024);
    std::vector<Candidate> found;
    const auto cut_back = [&] {
        std::nth_element(found.begin(), found.begin() + (count - 1), found.end(), better);
        found.resize(static_cast<std::size_t>(count));
    };
    float bar = floor.score;
    for (std::size_t i = 0; i < source_.rows.size(); ++i) {
        const float distance = source_.nearest[i];
        if (!(distance >= bar) || !filter(i) || out_[i] != 0) continue;
        if (!better({distance, source_.rows[i]}, floor)) continue;
        found.push_back({distance, static_cast<RowId>(i)});
        if (found.size() == limit) {
            cut_back();
            bar = found.back().score;
        }
    }
    if (static_cast<std::int64_t>(found.size()) > count) cut_back();
    return found;
}

std::vector<Candidate> StaleRows::best_fresh(std::int64_t count, const Candidate& floor) const {
    return best_of(count, floor, [this](std::size_t i) { return is_fresh(i); });
}

std::vector<Candidate> StaleRows::best_stale(std::int64_t count, const Candidate& floor) const {
    return best_of(count, floor, [this](std::size_t i) { return !is_fresh(i); });
}

Candidate StaleRows::best_outside(std::span<const std::int64_t> excluded) const {
    Candidate best = no_candidate;
    std::int64_t begin = 0;
    const auto look_at = [&](std::int64_t end) {
        // Rows ascend, so only a larger distance beats an earlier row.
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
            if (source_.nearest[i] > best.score && out_[i] == 0) {
                best = {source_.nearest[i], source_.rows[i]};
            }
        }
    };
    for (const std::int64_t local : excluded) {
        look_at(local);
        begin = local + 1;
    }
    look_at(size());
    return best;
}

void StaleRows::refresh(std::span<const std::int64_t> locals) {
    if (!refresh_by_near(locals)) refresh_by_all(locals);
    for (const std::int64_t local : locals) {
        seen_[static_cast<std::size_t>(local)] = static_cast<std::int32_t>(num_centers_);
    }
    rows_refreshed_ += static_cast<std::int64_t>(locals.size());
}

kernels::MatrixView StaleRows::centers_from(std::int64_t first) const {
    const std::int64_t dim = source_.features.dim;
    return {centers_.data() + first * dim, num_centers_ - first, dim};
}

// Rows in groups that have seen the same centres, each group against all that it has not seen.
void StaleRows::refresh_by_all(std::span<const std::int64_t> locals) {
    std::vector<std::pair<std::int32_t, std::int64_t>> order;
    order.reserve(locals.size());
    for (const std::int64_t local : locals) {
        order.emplace_back(seen_[static_cast<std::size_t>(local)], local);
    }
    const std::vector<std::int64_t> sorted = sorted_locals(order);
    for (std::size_t begin = 0; begin < order.size();) {
        const std::int64_t first = order[begin].first;
        std::size_t end = begin;
        while (end < order.size()) {
            const std::int64_t seen = order[end].first;
            std::size_t next = end;
            while (next < order.size() && order[next].first == seen)
                ++next;
            // Rows that have seen more join if that costs less than laying out centres once more.
            const auto num_joining = static_cast<std::int64_t>(next - end);
            if (num_joining * (seen - first) > layout_cost * (num_centers_ - seen)) break;
            end = next;
        }
        resident_.relax_nearest_of(
            std::span(sorted).subspan(begin, end - begin), centers_from(first),
            {source_.nearest, center_, static_cast<std::int32_t>(first)}, source_.num_threads);
        begin = end;
    }
}

// Rows that are close together follow each other: those of one centre, then those of its neighbour.
std::vector<std::int64_t> StaleRows::sorted_by_center(std::span<const std::int64_t> locals) const {
    const std::vector<std::int32_t> places = map_.places();
    std::vector<std::pair<std::int32_t, std::int64_t>> order;
    order.reserve(locals.size());
    for (const std::int64_t local : locals) {
        const std::int32_t center = center_[static_cast<std::size_t>(local)];
        order.emplace_back(center < 0 ? -1 : places[static_cast<std::size_t>(center)], local);
    }
    return sorted_locals(order);
}

// Rows in tiles of neighbours, each tile against those centres alone that may come near one of its
// rows. Returns false, having done nothing, where too few centres could be left out.
bool StaleRows::refresh_by_near(std::span<const std::int64_t> locals) {
    constexpr std::int64_t tiles_per_task = 4;
    constexpr std::int64_t sampled = 8;  // one tile in so many tells whether it is worth it
    if (num_centers_ > map_.capacity() || source_.backend != kernels::Backend::cpu) return false;
    std::int64_t missing = 0;
    for (const std::int64_t local : locals)
        missing += num_centers_ - state(local).num_seen;
    const auto count = static_cast<std::int64_t>(locals.size());
    if (missing < least_missing * count) return false;

    map_.extend(centers_from(0), source_.num_threads);
    const std::vector<std::int64_t> sorted = sorted_by_center(locals);
    const std::int64_t rows_per_tile = kernels::rows_at_a_time();
    const std::int64_t num_tiles = (count + rows_per_tile - 1) / rows_per_tile;
    const auto tile = [&](std::int64_t number) {
        const std::int64_t begin = number * rows_per_tile;
        return std::span(sorted).subspan(
            static_cast<std::size_t>(begin),
            static_cast<std::size_t>(std::min(rows_per_tile, count - begin)));
    };
    NearCenters near;
    std::int64_t num_all = 0;
    std::int64_t num_near = 0;
    for (std::int64_t number = 0; number < num_tiles; number += sampled) {
        num_all += choose_centers(tile(number), near);
        num_near += static_cast<std::int64_t>(near.chosen.size());
    }
    if (10 * num_near > 7 * num_all) return false;

    const std::int64_t num_tasks = (num_tiles + tiles_per_task - 1) / tiles_per_task;
    kernels::parallel_for(source_.num_threads, num_tasks, [&](std::int64_t task) {
        NearCenters of_tile;
        const std::int64_t end = std::min(num_tiles, (task + 1) * tiles_per_task);
        for (std::int64_t number = task * tiles_per_task; number < end; ++number) {
            choose_centers(tile(number), of_tile);
            kernels::relax_nearest_by(source_.features, tile(number), centers_from(0),
                                      of_tile.chosen, {source_.nearest, center_, 0});
        }
    });
    return true;
}

// Lists the centres that may come near a row of the tile and that it has not seen; returns how
// many there would be without leaving any out.
std::int64_t StaleRows::choose_centers(std::span<const std::int64_t> tile,
                                       NearCenters& near) const {
    std::vector<std::uint8_t>& marks = near.marks;
    marks.assign(static_cast<std::size_t>(num_centers_), 0);
    near.chosen.clear();
    std::int64_t first = num_centers_;
    for (std::size_t begin = 0; begin < tile.size();) {
        State widest = state(tile[begin]);  // what all rows of one centre need together
        std::size_t end = begin;
        for (; end < tile.size() && state(tile[end]).center == widest.center; ++end) {
            widest.distance = std::max(widest.distance, distance(tile[end]));
            widest.num_seen = std::min(widest.num_seen, state(tile[end]).num_seen);
        }
        first = std::min(first, widest.num_seen);
        if (widest.center < 0) {
            std::fill(marks.begin() + widest.num_seen, marks.end(), std::uint8_t{1});
        } else {
            map_.mark_near(widest.center, widest.num_seen, widest.distance, marks);
        }
        begin = end;
    }
    for (std::int64_t center = first; center < num_centers_; ++center) {
        if (marks[static_cast<std::size_t>(center)] != 0) {
            near.chosen.push_back(static_cast<std::int32_t>(center));
        }
    }
    return num_centers_ - first;
}

}  // namespace sluice::select
