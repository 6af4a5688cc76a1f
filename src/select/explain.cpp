#include "select/explain.hpp"

#include "core/partition.hpp"
#include "core/phase.hpp"
#include "kernels/nearest_center.hpp"
#include "pool/row_reader.hpp"
#include "select/embedding.hpp"
#include "select/feature_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <utility>

namespace sluice::select {
namespace {

constexpr std::size_t most_rows = 20'000;
constexpr std::int64_t block_bytes = std::int64_t{8} << 20;
constexpr std::int64_t rows_of_a_chunk = 64;
constexpr float infinity = std::numeric_limits<float>::infinity();

// The nearest row found so far, as a squared distance.
struct Near {
    float squared = infinity;
    RowId row = -1;
};

// The nearest of `others` to each of `rows`, ties to the first; numbers of others, or -1.
struct NearestOf {
    std::vector<float> squared;
    std::vector<std::int32_t> numbers;

    explicit NearestOf(std::int64_t rows)
        : squared(static_cast<std::size_t>(rows), infinity),
          numbers(static_cast<std::size_t>(rows), -1) {}

    void relax(kernels::MatrixView rows, kernels::MatrixView others, std::int32_t first,
               int num_threads) {
        if (rows.rows == 0 || others.rows == 0) return;
        std::vector<std::int64_t> all(static_cast<std::size_t>(rows.rows));
        std::iota(all.begin(), all.end(), std::int64_t{0});
        kernels::relax_nearest_of(kernels::Backend::cpu, rows, all, others,
                                  {squared, numbers, first}, num_threads);
    }
};

class Explanation {
  public:
    Explanation(const pool::Pool& pool, const Plan& plan, comm::Communicator& world)
        : features_(dataset_of(pool, plan)), plan_(plan), world_(world), reader_(features_) {}

    // Features of rows in any order on every rank; those of a bad row are NaN, near nothing.
    FeatureRows on_all_ranks(const std::vector<RowId>& rows) {
        const RowRange part = part_of_rows(std::ssize(rows), world_.rank(), world_.size());
        std::vector<RowId> ascending = rows;
        std::sort(ascending.begin(), ascending.end());
        FeatureRows own;
        world_.agree([&] {
            own = read({ascending.begin() + part.begin, ascending.begin() + part.end});
        });
        const auto good = world_.all_gather(std::span<const RowId>(own.rows));
        const auto values = world_.all_gather(std::span<const float>(own.values));
        FeatureRows all;
        all.dim = plan_.embedding->dim();
        all.rows = rows;
        all.values.assign(rows.size() * static_cast<std::size_t>(all.dim), std::nanf(""));
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const auto at = std::lower_bound(good.begin(), good.end(), rows[i]);
            if (at == good.end() || *at != rows[i]) continue;
            std::copy_n(values.begin() + (at - good.begin()) * all.dim, all.dim,
                        all.values.begin() + static_cast<std::ptrdiff_t>(i) * all.dim);
        }
        return all;
    }

    FeatureRows read(std::vector<RowId> rows) const {
        return read_embedded(*plan_.embedding, reader_, plan_, std::move(rows));
    }

    // Every rank compares its share of the centres with all picks.
    std::vector<Near> nearest_centers(const FeatureRows& picks, const std::vector<RowId>& centers) {
        const RowRange part = part_of_rows(std::ssize(centers), world_.rank(), world_.size());
        const std::int64_t block = std::max<std::int64_t>(
            1, block_bytes / (picks.dim * static_cast<std::int64_t>(sizeof(float))));
        NearestOf nearest(std::ssize(picks.rows));
        std::vector<RowId> rows;  // that are no bad ones
        world_.agree([&] {
            for (RowId begin = part.begin; begin < part.end; begin += block) {
                const RowId end = std::min(begin + block, part.end);
                const FeatureRows some = read({centers.begin() + begin, centers.begin() + end});
                nearest.relax(picks.view(), some.view(), static_cast<std::int32_t>(rows.size()),
                              plan_.num_threads);
                rows.insert(rows.end(), some.rows.begin(), some.rows.end());
            }
        });
        std::vector<Near> mine;
        for (std::size_t i = 0; i < picks.rows.size(); ++i) {
            const std::int32_t number = nearest.numbers[i];
            if (number >= 0)
                mine.push_back({nearest.squared[i], rows[static_cast<std::size_t>(number)]});
            else
                mine.emplace_back();
        }
        return least_of_ranks(mine);
    }

    // Ranks hold ascending centres, so the lower rank has the lower row.
    std::vector<Near> least_of_ranks(const std::vector<Near>& mine) {
        const std::vector<Near> all = world_.all_gather(std::span<const Near>(mine));
        std::vector<Near> least(mine.size());
        for (std::size_t i = 0; i < all.size(); ++i) {
            Near& one = least[i % mine.size()];
            if (all[i].squared < one.squared) one = all[i];
        }
        return least;
    }

    // Each pick compared with those before it, in chunks dealt out over the ranks.
    void add_earlier_picks(const FeatureRows& picks, std::vector<Near>& nearest) {
        const kernels::MatrixView view = picks.view();
        std::vector<Near> mine(nearest.size());
        for (std::int64_t begin = 0; begin < view.rows; begin += rows_of_a_chunk) {
            if (begin / rows_of_a_chunk % world_.size() != world_.rank()) continue;
            const std::int64_t end = std::min(begin + rows_of_a_chunk, view.rows);
            NearestOf earlier(end - begin);
            earlier.relax({view.row(begin), end - begin, view.dim}, {view.data, begin, view.dim}, 0,
                          plan_.num_threads);
            for (std::int64_t i = begin; i < end; ++i) {
                const auto at = static_cast<std::size_t>(i - begin);
                for (std::int64_t j = begin; j < i; ++j) {
                    const float squared =
                        kernels::squared_distance(view.row(i), view.row(j), view.dim);
                    if (!(squared < earlier.squared[at])) continue;
                    earlier.squared[at] = squared;
                    earlier.numbers[at] = static_cast<std::int32_t>(j);
                }
                if (earlier.numbers[at] < 0) continue;
                mine[static_cast<std::size_t>(i)] = {
                    earlier.squared[at], picks.rows[static_cast<std::size_t>(earlier.numbers[at])]};
            }
        }
        const std::vector<Near> chosen = least_of_ranks(mine);
        for (std::size_t i = 0; i < chosen.size(); ++i)
            if (chosen[i].squared < nearest[i].squared) nearest[i] = chosen[i];
    }

    // The share's rows and the nearest pick of each.
    std::vector<MapLine> map_share(const std::vector<Candidate>& shortlist,
                                   const FeatureRows& picks) {
        std::vector<RowId> rows;
        for (const Candidate& candidate : shortlist)
            rows.push_back(candidate.row);
        FeatureRows share;
        world_.agree([&] { share = read(std::move(rows)); });
        NearestOf nearest(std::ssize(share.rows));
        nearest.relax(share.view(), picks.view(), 0, plan_.num_threads);
        std::vector<MapLine> lines;
        for (std::size_t i = 0, next = 0; i < shortlist.size(); ++i) {
            if (next == share.rows.size() || share.rows[next] != shortlist[i].row) continue;
            if (nearest.numbers[next] >= 0)
                lines.push_back({shortlist[i].row, shortlist[i].score,
                                 picks.rows[static_cast<std::size_t>(nearest.numbers[next])],
                                 distance_of(nearest.squared[next], plan_.metric)});
            ++next;
        }
        return lines;
    }

  private:
    static const pool::Dataset& dataset_of(const pool::Pool& pool, const Plan& plan) {
        const pool::Dataset* dataset = plan.embedding->dataset;
        return dataset == nullptr ? pool.get("features", "--map") : *dataset;
    }

    const pool::Dataset& features_;  // what is read of a row
    const Plan& plan_;
    comm::Communicator& world_;
    pool::RowReader reader_;
};

void cut_to_distance(const Plan& plan, Selection& selection) {
    const auto too_near =
        std::find_if(selection.rows.begin(), selection.rows.end(), [&](const Selected& selected) {
            return static_cast<double>(selected.nearest_distance) < plan.min_distance;
        });
    selection.rows.erase(too_near, selection.rows.end());
}

std::vector<RowId> rows_of(const Selection& selection) {
    std::vector<RowId> rows;
    for (const Selected& selected : selection.rows)
        rows.push_back(selected.row);
    return rows;
}

}  // namespace

void explain(const pool::Pool& pool, const Plan& plan, const std::vector<RowId>& centers,
             Selection& selection, comm::Communicator& world) {
    enter_phase("explain");
    const bool is_diverse = plan.diversity != "none";
    const bool is_limited = plan.min_distance > 0.0;
    const bool is_compared = !selection.rows.empty() &&
                             (is_limited || (is_diverse && selection.rows.size() <= most_rows));
    if (is_compared) {
        Explanation explanation(pool, plan, world);
        const FeatureRows picks = explanation.on_all_ranks(rows_of(selection));
        std::vector<Near> nearest = explanation.nearest_centers(picks, centers);
        explanation.add_earlier_picks(picks, nearest);
        for (std::size_t i = 0; i < nearest.size(); ++i) {
            if (nearest[i].row < 0) continue;
            selection.rows[i].nearest = nearest[i].row;
            selection.rows[i].nearest_distance = distance_of(nearest[i].squared, plan.metric);
        }
    }
    for (Selected& selected : selection.rows) {
        if (!selected.reason.empty()) continue;
        const bool is_start = is_compared && is_diverse && selected.nearest < 0;
        selected.reason = is_start ? "start" : is_diverse ? plan.diversity : "score";
    }
    if (is_limited) cut_to_distance(plan, selection);
}

std::vector<MapLine> map_shortlist(const pool::Pool& pool, const Plan& plan,
                                   const Selection& selection, comm::Communicator& world) {
    Explanation explanation(pool, plan, world);
    std::vector<RowId> rows = rows_of(selection);
    std::sort(rows.begin(), rows.end());
    const FeatureRows picks = explanation.on_all_ranks(rows);
    const std::vector<MapLine> mine = explanation.map_share(selection.shortlist, picks);
    std::vector<MapLine> all = world.gather(std::span<const MapLine>(mine));
    std::sort(all.begin(), all.end(),
              [](const MapLine& left, const MapLine& right) { return left.row < right.row; });
    return all;
}

}  // namespace sluice::select
