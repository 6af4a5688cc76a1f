#include "select/k_means.hpp"

#include "kernels/device_rows.hpp"
#include "kernels/worker_pool.hpp"
#include "select/diversity/nearest_spread.hpp"
#include "select/diversity/race.hpp"
#include "select/diversity/race_rounds.hpp"
#include "select/diversity/shared_rows.hpp"
#include "select/fixed_point.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

namespace sluice::select {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

std::vector<float> start_distances(const KMeansShare& share) {
    if (share.nearest.empty()) return std::vector<float>(share.rows.size(), infinity);
    return {share.nearest.begin(), share.nearest.end()};
}

std::vector<std::int64_t> weights_of(const KMeansShare& share, comm::Communicator& world) {
    const std::vector<float> alike(share.weights.empty() ? share.rows.size() : 0, 1.0F);
    return whole_weights(share.weights.empty() ? std::span<const float>(alike) : share.weights,
                         world);
}

// The seeds, one after the other.
DiverseBatch draw(const KMeansShare& share, const KMeansOptions& options,
                  comm::Communicator& world) {
    const std::vector<std::int64_t> whole = weights_of(share, world);
    const std::vector<double> weights(whole.begin(), whole.end());
    ShortlistShare rows;
    rows.rows = share.rows;
    rows.features = share.features;
    DiversityOptions wanted;
    wanted.num_picks = options.num_clusters;
    wanted.seed = options.seed;
    wanted.round = options.round;
    wanted.num_threads = options.num_threads;
    wanted.backend = options.backend;
    const std::vector<float> start = start_distances(share);
    const bool begins = std::find(start.begin(), start.end(), infinity) != start.end();
    std::optional<NearestSpread> spread;
    world.agree([&] { spread.emplace(share.features, start, wanted); });
    RaceRounds rounds(rows, wanted, *spread, weights, world);
    rounds.draw_seeds();
    if (world.max(std::int64_t{begins}) != 0) {
        // Without any centre so far a row's chance is its weight.
        const std::vector<std::uint8_t> none(share.rows.size(), 0);
        const Race race{options.seed, options.round, 0, Race::Clock::cluster_seeds};
        rounds.pick_first(race.winner(share.rows, none, weights));
    }
    return rounds.pick();
}

std::vector<RowId> rows_of(const DiverseBatch& batch) {
    std::vector<RowId> rows;
    for (const DiversePick& pick : batch.picks)
        rows.push_back(pick.row);
    return rows;
}

// One Lloyd iteration after the other.
class Lloyd {
  public:
    Lloyd(const KMeansShare& share, const KMeansOptions& options, comm::Communicator& world)
        : share_(share),
          options_(options),
          world_(world),
          dim_(share.features.dim),
          weights_(weights_of(share, world)),
          fixed_(share.features, world.sum(static_cast<std::int64_t>(share.rows.size())), world),
          all_(share.rows.size()) {
        std::iota(all_.begin(), all_.end(), std::int64_t{0});
        world.agree([&] { resident_.emplace(options.backend, share.features); });
    }

    void seed(const DiverseBatch& drawn) {
        const std::vector<RowId> rows = rows_of(drawn);
        result_.seed_rounds = drawn.rounds;
        result_.centroids = gather_rows(share_.rows, share_.features, rows, world_);
        result_.sizes.resize(rows.size());
        result_.weights.resize(rows.size());
    }

    // How many rows of all ranks have another cluster than before.
    std::int64_t assign() {
        std::vector<std::int32_t> before(share_.rows.size(), -1);
        before.swap(result_.cluster);
        result_.distance = start_distances_of(before);
        resident_->relax_nearest_of(all_, centroids(), {result_.distance, result_.cluster, 0},
                                    options_.num_threads);
        std::int64_t changed = 0;
        for (std::size_t i = 0; i < before.size(); ++i)
            changed += before[i] != result_.cluster[i] ? 1 : 0;
        count_rows();
        return world_.sum(changed);
    }

    void move_centroids() {
        const std::vector<float> before = result_.centroids;
        std::vector<std::int64_t> sums = sums_of_rows();
        world_.sum(sums);
        for (std::int64_t c = 0; c < result_.count(); ++c) {
            // Without weight there is no mean: the centroid stays where it is.
            const std::int64_t weight = result_.weights[static_cast<std::size_t>(c)];
            if (weight == 0) continue;
            fixed_.mean(sums.data() + c * dim_, weight, result_.centroids.data() + c * dim_);
        }
        refill();
        moved_.resize(static_cast<std::size_t>(result_.count()));
        for (std::int64_t c = 0; c < result_.count(); ++c) {
            moved_[static_cast<std::size_t>(c)] = std::sqrt(double{kernels::squared_distance(
                before.data() + c * dim_, result_.centroids.data() + c * dim_, dim_)});
        }
    }

    Clusters& result() { return result_; }

  private:
    // Where a row's centroid is now it cannot be farther than before plus the way the centroid has
    // moved: what is farther need not be looked at to the end. The bound is above the distance to
    // that centroid, so that the nearest one is found all the same.
    std::vector<float> start_distances_of(const std::vector<std::int32_t>& before) {
        std::vector<float> start = start_distances(share_);
        if (moved_.empty()) return start;
        // Of a chain of D sums and differences, several times over.
        const double rounding = 1.0 + 0x1p-20 * static_cast<double>(dim_ + 8);
        for (std::size_t i = 0; i < start.size(); ++i) {
            if (before[i] < 0) continue;
            const double way = std::sqrt(double{result_.distance[i]}) +
                               moved_[static_cast<std::size_t>(before[i])];
            const double bound = std::max(way * way * rounding, 0x1p-120);
            start[i] = std::min(start[i], static_cast<float>(bound));
        }
        return start;
    }

    std::vector<std::int64_t> sums_of_rows() const {
        const auto size = static_cast<std::size_t>(result_.count() * dim_);
        const auto parts = static_cast<std::int64_t>(options_.num_threads);
        const std::int64_t num_rows = std::ssize(all_);
        std::vector<std::vector<std::int64_t>> sums(static_cast<std::size_t>(parts));
        kernels::parallel_for(options_.num_threads, parts, [&](std::int64_t part) {
            std::vector<std::int64_t>& own = sums[static_cast<std::size_t>(part)];
            own.assign(size, 0);
            for (std::int64_t i = num_rows * part / parts; i < num_rows * (part + 1) / parts; ++i) {
                const std::int32_t cluster = result_.cluster[static_cast<std::size_t>(i)];
                if (cluster < 0) continue;
                fixed_.add(share_.features.row(i), weights_[static_cast<std::size_t>(i)],
                           own.data() + cluster * dim_);
            }
        });
        for (std::size_t part = 1; part < sums.size(); ++part) {
            for (std::size_t j = 0; j < size; ++j)
                sums[0][j] += sums[part][j];
        }
        return std::move(sums[0]);
    }

    kernels::MatrixView centroids() const {
        return {result_.centroids.data(), result_.count(), dim_};
    }

    void count_rows() {
        const auto count = static_cast<std::size_t>(result_.count());
        std::vector<std::int64_t> totals(2 * count, 0);  // rows, then weights
        for (std::size_t i = 0; i < weights_.size(); ++i) {
            const std::int32_t cluster = result_.cluster[i];
            if (cluster < 0) continue;
            ++totals[static_cast<std::size_t>(cluster)];
            totals[count + static_cast<std::size_t>(cluster)] += weights_[i];
        }
        world_.sum(totals);
        std::copy_n(totals.begin(), count, result_.sizes.begin());
        std::copy_n(totals.begin() + static_cast<std::int64_t>(count), count,
                    result_.weights.begin());
    }

    // Centroids that have lost their rows move to the rows farthest from theirs.
    void refill() {
        std::vector<std::int64_t> empty;
        for (std::int64_t c = 0; c < result_.count(); ++c) {
            if (result_.sizes[static_cast<std::size_t>(c)] == 0) empty.push_back(c);
        }
        if (empty.empty()) return;
        std::vector<Gain> far;
        for (std::size_t i = 0; i < result_.distance.size(); ++i) {
            if (result_.distance[i] > 0.0F) far.push_back({result_.distance[i], share_.rows[i]});
        }
        far = best_of_ranks(std::move(far), static_cast<std::int64_t>(empty.size()), world_);
        std::vector<RowId> rows;
        for (const Gain& row : far)
            rows.push_back(row.row);
        const std::vector<float> values = gather_rows(share_.rows, share_.features, rows, world_);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            std::copy_n(values.begin() + static_cast<std::int64_t>(i) * dim_, dim_,
                        result_.centroids.begin() + empty[i] * dim_);
        }
    }

    const KMeansShare& share_;
    const KMeansOptions& options_;
    comm::Communicator& world_;
    std::int64_t dim_;
    std::optional<kernels::ResidentRows> resident_;
    std::vector<std::int64_t> weights_;
    FixedPoint fixed_;
    std::vector<std::int64_t> all_;
    std::vector<double> moved_;  // [k] way of each centroid in the last iteration
    Clusters result_;
};

}  // namespace

std::vector<RowId> draw_seeds(const KMeansShare& share, const KMeansOptions& options,
                              comm::Communicator& world) {
    return rows_of(draw(share, options, world));
}

Clusters k_means(const KMeansShare& share, const KMeansOptions& options,
                 comm::Communicator& world) {
    // Drawn first: the rows are on the device for one of the two at a time.
    const DiverseBatch drawn = draw(share, options, world);
    Lloyd lloyd(share, options, world);
    lloyd.seed(drawn);
    lloyd.assign();
    Clusters& result = lloyd.result();
    while (result.iterations < options.max_iterations) {
        leave_if_stopped(world);
        ++result.iterations;
        lloyd.move_centroids();
        const bool is_settled = lloyd.assign() == 0;
        if (options.progress != nullptr) options.progress->advance(1);
        if (is_settled) break;
    }
    return result;
}

}  // namespace sluice::select
