#include "select/diversify.hpp"

#include "core/error.hpp"
#include "core/partition.hpp"
#include "core/phase.hpp"
#include "core/progress.hpp"
#include "pool/row_reader.hpp"
#include "select/budget.hpp"
#include "select/feature_rows.hpp"
#include "select/k_center.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace sluice::select {
namespace {

constexpr std::int64_t center_block_bytes = std::int64_t{8} << 20;
constexpr std::int64_t most_rows_for_redundancy = 20'000;
constexpr float infinity = std::numeric_limits<float>::infinity();

float distance_of(float squared, Metric metric) {
    return metric == Metric::cosine ? squared * 0.5F : std::sqrt(squared);
}

std::int64_t center_block_rows(std::int64_t dim) {
    return std::max<std::int64_t>(
        16, center_block_bytes / (dim * static_cast<std::int64_t>(sizeof(float))));
}

// Stage 2 of one rank.
class Diversity {
  public:
    Diversity(const pool::Pool& pool, const Plan& plan, comm::Communicator& world)
        : features_(pool.get("features", "--diversify k_center")),
          plan_(plan),
          world_(world),
          reader_(features_) {}

    // Reads the rank's share; a bad row on any rank ends all alike.
    void read_share(std::vector<Candidate> mine) {
        std::vector<RowId> rows;
        for (const Candidate& candidate : mine)
            rows.push_back(candidate.row);
        world_.agree([&] { share_ = read_features(features_, reader_, plan_, std::move(rows)); });
        num_dropped_ = world_.sum(share_.num_dropped);
        std::erase_if(mine, [&](const Candidate& candidate) {
            return !std::binary_search(share_.rows.begin(), share_.rows.end(), candidate.row);
        });
        mine_ = std::move(mine);
        nearest_.assign(share_.rows.size(), infinity);
    }

    // Relaxes every share against the centres, block by block; each rank reads its part of a block.
    void add_centers(const std::vector<RowId>& centers) {
        const std::int64_t block = center_block_rows(share_.dim);
        const auto total = static_cast<std::int64_t>(centers.size());
        Progress progress("existing centres", total, "rows");
        for (std::int64_t begin = 0; begin < total; begin += block) {
            const std::int64_t count = std::min(block, total - begin);
            const std::vector<float> values = gather_block(centers, begin, count);
            const auto rows = static_cast<std::int64_t>(values.size()) / share_.dim;
            kernels::relax_nearest(plan_.backend, share_.view(), {values.data(), rows, share_.dim},
                                   nearest_, plan_.num_threads);
            progress.advance(count);
        }
    }

    KCenterResult pick(RowId first_pick) {
        KCenterOptions options;
        options.num_picks = plan_.batch_size;
        options.first_pick = first_pick;
        options.backend = plan_.backend;
        options.num_threads = plan_.num_threads;
        Progress progress("diversifying", plan_.batch_size, "picks");
        return k_center({share_.rows, share_.view(), nearest_}, options, world_, &progress);
    }

    // The best-scored row of the shortlist: what a traversal without any centre starts with.
    RowId best_scored() {
        std::vector<Candidate> best;
        if (!mine_.empty()) best.push_back(*std::min_element(mine_.begin(), mine_.end(), better));
        const auto all = world_.all_gather(std::span<const Candidate>(best));
        return all.empty() ? -1 : std::min_element(all.begin(), all.end(), better)->row;
    }

    // Scores live with the rank that holds the row: gather (pick, score) pairs.
    std::vector<Selected> with_scores(const std::vector<KCenterPick>& picks) {
        std::vector<Candidate> known;
        for (const KCenterPick& pick : picks) {
            const auto found = std::lower_bound(
                mine_.begin(), mine_.end(), pick.row,
                [](const Candidate& candidate, RowId row) { return candidate.row < row; });
            if (found != mine_.end() && found->row == pick.row) known.push_back(*found);
        }
        auto all = world_.all_gather(std::span<const Candidate>(known));
        const auto by_row = [](const Candidate& a, const Candidate& b) { return a.row < b.row; };
        std::sort(all.begin(), all.end(), by_row);
        std::vector<Selected> result;
        for (const KCenterPick& pick : picks) {
            const auto found =
                std::lower_bound(all.begin(), all.end(), Candidate{0.0F, pick.row}, by_row);
            result.push_back(
                {pick.row, found->score, distance_of(pick.squared_distance, plan_.metric)});
        }
        return result;
    }

    // Mean distance of a picked row to the nearest other one: small means near-copies in the batch.
    double redundancy(const std::vector<KCenterPick>& picks) {
        const auto count = static_cast<std::int64_t>(picks.size());
        if (count < 2 || count > most_rows_for_redundancy) {
            return std::numeric_limits<double>::quiet_NaN();
        }
        std::vector<RowId> rows;
        for (const KCenterPick& pick : picks)
            rows.push_back(pick.row);
        std::sort(rows.begin(), rows.end());
        const std::vector<float> values = gather_block(rows, 0, count);
        const kernels::MatrixView all{values.data(), count, share_.dim};
        const RowRange own = part_of_rows(count, world_.rank(), world_.size());
        std::vector<float> nearest(static_cast<std::size_t>(own.size()), infinity);
        const kernels::MatrixView mine{all.row(own.begin), own.size(), share_.dim};
        const auto relax = [&](RowRange others) {
            kernels::relax_nearest(plan_.backend, mine,
                                   {all.row(others.begin), others.size(), share_.dim}, nearest,
                                   plan_.num_threads);
        };
        relax({0, own.begin});
        relax({own.end, count});
        for (std::int64_t i = own.begin; i < own.end; ++i) {  // pairs inside the own part
            for (std::int64_t j = own.begin; j < own.end; ++j) {
                if (i == j) continue;
                float& best = nearest[static_cast<std::size_t>(i - own.begin)];
                best = std::min(best, kernels::squared_distance(all.row(i), all.row(j), all.dim));
            }
        }
        double sum = 0.0;  // in row order on every rank: the same bits everywhere
        for (const float squared : world_.all_gather(std::span<const float>(nearest))) {
            sum += static_cast<double>(distance_of(squared, plan_.metric));
        }
        return sum / static_cast<double>(count);
    }

    std::int64_t num_dropped() const { return num_dropped_; }
    std::int64_t bytes_read() const { return rows_read_ * features_.row_bytes(); }
    void count_share() { rows_read_ += static_cast<std::int64_t>(mine_.size()); }

  private:
    // Features of rows[begin, begin + count) on every rank, each rank reading its part.
    std::vector<float> gather_block(const std::vector<RowId>& rows, std::int64_t begin,
                                    std::int64_t count) {
        const RowRange part = part_of_rows(count, world_.rank(), world_.size());
        FeatureRows own;
        world_.agree([&] {
            own =
                read_features(features_, reader_, plan_,
                              {rows.begin() + begin + part.begin, rows.begin() + begin + part.end});
        });
        rows_read_ += part.size();
        return world_.all_gather(std::span<const float>(own.values));
    }

    const pool::Dataset& features_;
    const Plan& plan_;
    comm::Communicator& world_;
    pool::RowReader reader_;
    std::vector<Candidate> mine_;
    FeatureRows share_;
    std::vector<float> nearest_;
    std::int64_t num_dropped_ = 0;
    std::int64_t rows_read_ = 0;
};

}  // namespace

void diversify(const pool::Pool& pool, const Plan& plan, std::vector<Candidate> mine,
               const std::vector<RowId>& centers, Selection& selection, comm::Communicator& world) {
    Diversity stage(pool, plan, world);
    enter_phase("read shortlist");
    stage.read_share(std::move(mine));
    stage.count_share();
    stage.add_centers(centers);
    enter_phase("diversify");
    KCenterResult result = stage.pick(centers.empty() ? stage.best_scored() : -1);
    selection.rows = stage.with_scores(result.picks);
    const std::size_t affordable = affordable_picks(pool, plan, selection.rows, world);
    if (affordable < result.picks.size()) {
        // What the first pick left out was at is what the picks before it leave uncovered.
        result.squared_radius = result.picks[affordable].squared_distance;
        result.picks.resize(affordable);
        selection.rows.resize(affordable);
    }
    selection.covering_radius = distance_of(result.squared_radius, plan.metric);
    selection.redundancy = stage.redundancy(result.picks);
    selection.rounds = result.rounds;
    selection.rows_refreshed = world.sum(result.rows_refreshed);
    selection.num_skipped += stage.num_dropped();
    selection.bytes_read += world.sum(stage.bytes_read());
}

std::int64_t diversify_memory(const pool::Pool& pool, const Plan& plan, std::int64_t num_centers,
                              int num_ranks) {
    const pool::Dataset* features = pool.find("features");
    if (plan.diversity == "none" || features == nullptr) return 0;
    const std::int64_t dim = features->row_elements();
    const auto real = static_cast<std::int64_t>(sizeof(float));
    const std::int64_t rows = (plan.shortlist_size + num_ranks - 1) / num_ranks;
    KCenterOptions options;
    options.num_picks = plan.batch_size;
    options.num_threads = plan.num_threads;
    const KCenterEstimate estimate = estimate_k_center(plan.shortlist_size, dim, options);
    const std::int64_t per_row =
        dim * real + real + static_cast<std::int64_t>(sizeof(RowId) + sizeof(Candidate));
    const std::int64_t batch = std::min(plan.batch_size, most_rows_for_redundancy) * dim * real;
    // A block of centres exists twice while the ranks' parts are put together.
    const std::int64_t centers = 2 * std::min(num_centers, center_block_rows(dim)) * dim * real;
    return rows * per_row + std::max(estimate.memory_bytes + batch, centers);
}

}  // namespace sluice::select
