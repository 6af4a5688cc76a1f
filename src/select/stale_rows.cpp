#include "select/stale_rows.hpp"

#include "select/shortlist.hpp"

#include <algorithm>
#include <numeric>

namespace sluice::select {

StaleRows::StaleRows(const Source& source, std::int64_t max_centers)
    : source_(source),
      centers_(static_cast<std::size_t>(max_centers * source.features.dim)),
      seen_(source.rows.size(), 0),
      out_(source.rows.size(), 0) {}

void StaleRows::add_center(const float* features) {
    const std::int64_t dim = source_.features.dim;
    std::copy_n(features, dim, centers_.begin() + num_centers_ * dim);
    ++num_centers_;
}

void StaleRows::update(std::int64_t local, float nearest, std::int64_t num_seen) {
    source_.nearest[static_cast<std::size_t>(local)] = nearest;
    seen_[static_cast<std::size_t>(local)] = static_cast<std::int32_t>(num_seen);
}

std::int64_t StaleRows::find(RowId row) const {
    return std::lower_bound(source_.rows.begin(), source_.rows.end(), row) - source_.rows.begin();
}

template <typename Filter>
std::vector<std::int64_t> StaleRows::best_of(std::int64_t count, const Candidate& floor,
                                             const Filter& filter) const {
    std::vector<Candidate> found;
    for (std::size_t i = 0; i < source_.rows.size(); ++i) {
        const float distance = source_.nearest[i];
        if (!(distance >= floor.score) || !filter(i) || out_[i] != 0) continue;
        if (!better({distance, source_.rows[i]}, floor)) continue;
        found.push_back({distance, static_cast<RowId>(i)});
    }
    if (static_cast<std::int64_t>(found.size()) > count) {
        std::nth_element(found.begin(), found.begin() + count, found.end(), better);
        found.resize(static_cast<std::size_t>(count));
    }
    std::vector<std::int64_t> locals(found.size());
    std::transform(found.begin(), found.end(), locals.begin(),
                   [](const Candidate& candidate) { return candidate.row; });
    return locals;
}

std::vector<std::int64_t> StaleRows::best_fresh(std::int64_t count, const Candidate& floor) const {
    return best_of(count, floor, [this](std::size_t i) { return is_fresh(i); });
}

std::vector<std::int64_t> StaleRows::best_stale(std::int64_t count, const Candidate& floor) const {
    return best_of(count, floor, [this](std::size_t i) { return !is_fresh(i); });
}

Candidate StaleRows::best_outside(std::span<const std::int64_t> excluded) const {
    Candidate best = no_candidate;
    std::size_t next_excluded = 0;
    for (std::size_t i = 0; i < source_.rows.size(); ++i) {
        if (next_excluded < excluded.size() &&
            excluded[next_excluded] == static_cast<std::int64_t>(i)) {
            ++next_excluded;
            continue;
        }
        // Rows ascend, so only a larger distance beats an earlier row.
        if (source_.nearest[i] > best.score && out_[i] == 0) {
            best = {source_.nearest[i], source_.rows[i]};
        }
    }
    return best;
}

void StaleRows::refresh(std::span<const std::int64_t> locals) {
    std::vector<std::int64_t> order(locals.begin(), locals.end());
    std::sort(order.begin(), order.end(), [this](std::int64_t left, std::int64_t right) {
        return num_seen(left) != num_seen(right) ? num_seen(left) < num_seen(right) : left < right;
    });
    const std::int64_t dim = source_.features.dim;
    const auto count = static_cast<std::int64_t>(order.size());
    for (std::int64_t begin = 0; begin < count;) {
        const std::int64_t first = num_seen(order[static_cast<std::size_t>(begin)]);
        std::int64_t end = begin + 1;
        while (end < count && num_seen(order[static_cast<std::size_t>(end)]) == first)
            ++end;
        const std::span<const std::int64_t> group(order.data() + begin,
                                                  static_cast<std::size_t>(end - begin));
        kernels::relax_nearest_of(source_.backend, source_.features, group,
                                  {centers_.data() + first * dim, num_centers_ - first, dim},
                                  source_.nearest, source_.num_threads);
        begin = end;
    }
    for (const std::int64_t local : locals) {
        seen_[static_cast<std::size_t>(local)] = static_cast<std::int32_t>(num_centers_);
    }
    rows_refreshed_ += count;
}

namespace {

// The last place of a full list of `count`, or `floor` while the list of all ranks is shorter.
Candidate entry_bar(const std::vector<Candidate>& kept, std::int64_t count, const Candidate& floor,
                    comm::Communicator& world) {
    struct Share {
        Candidate worst{std::numeric_limits<float>::infinity(), -1};
        std::int64_t size = 0;
    };
    Share mine;
    mine.size = static_cast<std::int64_t>(kept.size());
    for (const Candidate& candidate : kept) {
        if (better(mine.worst, candidate)) mine.worst = candidate;
    }
    Share all;
    for (const Share& share : world.all_gather(std::span<const Share>(&mine, 1))) {
        if (better(all.worst, share.worst)) all.worst = share.worst;
        all.size += share.size;
    }
    return all.size < count ? floor : all.worst;
}

}  // namespace

std::vector<std::int64_t> refresh_best(StaleRows& rows, std::int64_t count, const Candidate& floor,
                                       comm::Communicator& world) {
    constexpr std::int64_t least_chunk = 256;
    const auto candidate = [&](std::int64_t local) {
        return Candidate{rows.nearest(local), rows.row(local)};
    };
    std::vector<Candidate> kept;
    for (const std::int64_t local : rows.best_fresh(count, floor))
        kept.push_back(candidate(local));
    std::int64_t chunk = std::max(least_chunk, count / world.size());
    for (;; chunk *= 2) {
        kept = keep_global_best(std::move(kept), count, world);
        const Candidate bar = entry_bar(kept, count, floor, world);
        const std::vector<std::int64_t> stale = rows.best_stale(chunk, bar);
        if (world.sum(static_cast<std::int64_t>(stale.size())) == 0) break;
        rows.refresh(stale);
        for (const std::int64_t local : stale) {
            if (better(candidate(local), bar)) kept.push_back(candidate(local));
        }
    }
    std::vector<std::int64_t> locals(kept.size());
    std::transform(kept.begin(), kept.end(), locals.begin(),
                   [&](const Candidate& one) { return rows.find(one.row); });
    std::sort(locals.begin(), locals.end());
    return locals;
}

}  // namespace sluice::select
