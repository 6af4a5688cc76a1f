#include "select/diversify.hpp"

#include "core/error.hpp"
#include "core/partition.hpp"
#include "core/phase.hpp"
#include "core/progress.hpp"
#include "pool/row_reader.hpp"
#include "select/budget.hpp"
#include "select/embedding.hpp"
#include "select/feature_rows.hpp"
#include "select/member_probabilities.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <span>

namespace sluice::select {
namespace {

constexpr std::int64_t center_block_bytes = std::int64_t{8} << 20;
constexpr std::int64_t most_rows_for_redundancy = 20'000;
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float unknown = std::numeric_limits<float>::quiet_NaN();

std::int64_t center_block_rows(std::int64_t dim) {
    return std::max<std::int64_t>(
        16, center_block_bytes / (dim * static_cast<std::int64_t>(sizeof(float))));
}

// Stage 2 of one rank.
class Diversity {
  public:
    Diversity(const pool::Pool& pool, const Plan& plan, comm::Communicator& world)
        : pool_(pool),
          plan_(plan),
          features_(*plan.embedding->dataset),
          rule_(find_diversity(plan.diversity)),
          world_(world),
          reader_(features_) {}

    // Reads the rank's share; a bad row on any rank ends all alike.
    void read_share(std::vector<Candidate> mine) {
        std::vector<RowId> rows;
        for (const Candidate& candidate : mine)
            rows.push_back(candidate.row);
        world_.agree(
            [&] { share_ = read_embedded(*plan_.embedding, reader_, plan_, std::move(rows)); });
        num_dropped_ = world_.sum(share_.num_dropped);
        std::erase_if(mine, [&](const Candidate& candidate) {
            return !std::binary_search(share_.rows.begin(), share_.rows.end(), candidate.row);
        });
        mine_ = std::move(mine);
        for (const Candidate& candidate : mine_)
            scores_.push_back(candidate.score);
        if (rule_.needs_members) read_members_of_share();
    }

    DiverseBatch pick(const std::vector<RowId>& centers) {
        ShortlistShare share;
        share.rows = share_.rows;
        share.scores = scores_;
        share.features = share_.view();
        share.member_says = member_says_;
        share.members = members_.members;
        share.classes = members_.classes;
        share.num_centers = static_cast<std::int64_t>(centers.size());
        share.visit_centers = [&](const auto& visit) { visit_blocks(centers, visit); };
        share.visit_saying_centers = [&](const auto& visit) { visit_saying(centers, visit); };
        DiversityOptions options;
        options.num_picks = plan_.batch_size;
        options.metric = plan_.metric;
        options.seed = plan_.seed;
        options.round = plan_.round;
        options.parameters = plan_.diversity_parameters;
        options.backend = plan_.backend;
        options.num_threads = plan_.num_threads;
        Progress progress("diversifying", plan_.batch_size, "picks");
        options.progress = &progress;
        return rule_.pick(share, options, world_);
    }

    // Scores live with the rank that holds the row: gather (pick, score) pairs.
    std::vector<Selected> with_scores(const std::vector<DiversePick>& picks) {
        std::vector<Candidate> known;
        for (const DiversePick& pick : picks) {
            const auto found = std::lower_bound(
                mine_.begin(), mine_.end(), pick.row,
                [](const Candidate& candidate, RowId row) { return candidate.row < row; });
            if (found != mine_.end() && found->row == pick.row) known.push_back(*found);
        }
        auto all = world_.all_gather(std::span<const Candidate>(known));
        const auto by_row = [](const Candidate& a, const Candidate& b) { return a.row < b.row; };
        std::sort(all.begin(), all.end(), by_row);
        std::vector<Selected> result;
        for (const DiversePick& pick : picks) {
            const auto found =
                std::lower_bound(all.begin(), all.end(), Candidate{0.0F, pick.row}, by_row);
            result.push_back({pick.row, found->score, pick.value, {}});
        }
        return result;
    }

    // The radius that the picks and the centres leave, where the rule does not know it.
    float covering_radius(const std::vector<RowId>& centers,
                          const std::vector<DiversePick>& picks) {
        std::vector<float> nearest(share_.rows.size(), infinity);
        const auto relax = [&](kernels::MatrixView block) {
            kernels::relax_nearest(plan_.backend, share_.view(), block, nearest, plan_.num_threads);
        };
        visit_blocks(centers, relax);
        visit_blocks(rows_of(picks), relax);
        float radius = 0.0F;
        for (const float squared : nearest)
            radius = std::max(radius, squared);
        return distance_of(static_cast<float>(world_.max(static_cast<double>(radius))),
                           plan_.metric);
    }

    // Mean distance of a picked row to the nearest other one: small means near-copies in the batch.
    double redundancy(const std::vector<DiversePick>& picks) {
        const auto count = static_cast<std::int64_t>(picks.size());
        if (count < 2 || count > most_rows_for_redundancy) {
            return std::numeric_limits<double>::quiet_NaN();
        }
        const std::vector<float> values = gather_block(rows_of(picks), 0, count);
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
    static std::vector<RowId> rows_of(const std::vector<DiversePick>& picks) {
        std::vector<RowId> rows;
        for (const DiversePick& pick : picks)
            rows.push_back(pick.row);
        std::sort(rows.begin(), rows.end());
        return rows;
    }

    void read_members_of_share() {
        world_.agree([&] {
            members_ = find_members(pool_, plan_, "--diversify " + rule_.name);
            member_says_ = read_members(members_, plan_, share_.rows);
        });
    }

    // Each rank reads its part of a block, and all get all of it.
    void visit_blocks(const std::vector<RowId>& rows,
                      const std::function<void(kernels::MatrixView)>& visit) {
        const std::int64_t block = center_block_rows(share_.dim);
        const auto total = static_cast<std::int64_t>(rows.size());
        Progress progress("existing centres", total, "rows");
        for (std::int64_t begin = 0; begin < total; begin += block) {
            const std::int64_t count = std::min(block, total - begin);
            const std::vector<float> values = gather_block(rows, begin, count);
            const auto num_good = static_cast<std::int64_t>(values.size()) / share_.dim;
            visit({values.data(), num_good, share_.dim});
            progress.advance(count);
        }
    }

    // As visit_blocks, with what the members say of the rows.
    void visit_saying(
        const std::vector<RowId>& rows,
        const std::function<void(kernels::MatrixView, std::span<const float>)>& visit) {
        const std::int64_t block = center_block_rows(share_.dim);
        for (std::int64_t begin = 0; begin < std::ssize(rows); begin += block) {
            const std::int64_t count = std::min(block, std::ssize(rows) - begin);
            std::vector<float> mine;
            const std::vector<float> values = gather_block(rows, begin, count, &mine);
            const std::vector<float> says = world_.all_gather(std::span<const float>(mine));
            visit({values.data(), std::ssize(values) / share_.dim, share_.dim}, says);
        }
    }

    // Features of rows[begin, begin + count) on every rank, each rank reading its part;
    // given `says`, what the members say of that part.
    std::vector<float> gather_block(const std::vector<RowId>& rows, std::int64_t begin,
                                    std::int64_t count, std::vector<float>* says = nullptr) {
        const RowRange part = part_of_rows(count, world_.rank(), world_.size());
        FeatureRows own;
        world_.agree([&] {
            own =
                read_embedded(*plan_.embedding, reader_, plan_,
                              {rows.begin() + begin + part.begin, rows.begin() + begin + part.end});
            if (says != nullptr) *says = read_members(members_, plan_, own.rows);
        });
        rows_read_ += part.size();
        return world_.all_gather(std::span<const float>(own.values));
    }

    const pool::Pool& pool_;
    const Plan& plan_;
    const pool::Dataset& features_;  // what is read of a row
    const DiversityDefinition& rule_;
    comm::Communicator& world_;
    pool::RowReader reader_;
    std::vector<Candidate> mine_;
    FeatureRows share_;
    std::vector<float> scores_;  // of share_
    MemberSource members_;
    std::vector<float> member_says_;
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
    enter_phase("diversify");
    DiverseBatch batch = stage.pick(centers);
    selection.rows = stage.with_scores(batch.picks);
    const std::size_t affordable = affordable_picks(pool, plan, selection.rows, world);
    if (affordable < batch.picks.size()) {
        // What the first pick left out was at is what the picks before it leave uncovered.
        batch.covering_radius = batch.values_cover ? batch.picks[affordable].value : unknown;
        batch.picks.resize(affordable);
        selection.rows.resize(affordable);
    }
    selection.covering_radius = std::isnan(batch.covering_radius)
                                    ? stage.covering_radius(centers, batch.picks)
                                    : batch.covering_radius;
    selection.redundancy = stage.redundancy(batch.picks);
    selection.note = batch.note;
    selection.rounds = batch.rounds;
    selection.rows_refreshed = world.sum(batch.rows_refreshed);
    selection.num_skipped += stage.num_dropped();
    selection.bytes_read += world.sum(stage.bytes_read());
}

void measure(const pool::Pool& pool, const Plan& plan, const std::vector<RowId>& centers,
             Selection& selection, comm::Communicator& world) {
    Diversity stage(pool, plan, world);
    stage.read_share(selection.shortlist);
    stage.count_share();
    std::vector<DiversePick> picks;
    for (const Selected& selected : selection.rows)
        picks.push_back({selected.row, selected.distance});
    selection.covering_radius = stage.covering_radius(centers, picks);
    selection.redundancy = stage.redundancy(picks);
    selection.bytes_read += world.sum(stage.bytes_read());
}

DiversityForecast forecast_diversify(const pool::Pool& pool, const Plan& plan,
                                     std::int64_t num_centers, int num_ranks) {
    const DiversityDefinition& rule = find_diversity(plan.diversity);
    const std::int64_t dim = plan.embedding->dim();
    const auto real = static_cast<std::int64_t>(sizeof(float));
    DiversitySizes sizes;
    sizes.shortlist_rows = plan.shortlist_size;
    sizes.share_rows = (plan.shortlist_size + num_ranks - 1) / num_ranks;
    sizes.dim = dim;
    sizes.num_picks = plan.batch_size;
    sizes.num_centers = num_centers;
    sizes.num_threads = plan.num_threads;
    if (rule.needs_members) {
        const MemberSource members = find_members(pool, plan, "--diversify " + rule.name);
        sizes.member_floats = members.members * members.classes;
        sizes.classes = members.classes;
    }
    DiversityForecast forecast = rule.forecast(sizes);
    const std::int64_t per_row = (dim + sizes.member_floats) * real + real +
                                 static_cast<std::int64_t>(sizeof(RowId) + sizeof(Candidate));
    const std::int64_t batch = std::min(plan.batch_size, most_rows_for_redundancy) * dim * real;
    // A block of centres exists twice while the ranks' parts are put together.
    const std::int64_t centers = 2 * std::min(num_centers, center_block_rows(dim)) * dim * real;
    forecast.memory_bytes = plan.embedding->memory_bytes(plan.num_threads) +
                            sizes.share_rows * per_row +
                            std::max(forecast.memory_bytes + batch, centers);
    return forecast;
}

}  // namespace sluice::select
