#include "select/k_means.hpp"

#include "core/philox.hpp"
#include "kernels/canonical_math.hpp"
#include "kernels/device_rows.hpp"
#include "select/diversity/shared_rows.hpp"
#include "select/fixed_point.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace sluice::select {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

// A standard exponential waiting time with 64 bits of chance, in (0, 45).
double waiting_time(const KMeansOptions& options, std::int64_t pick, RowId row) {
    const Philox4 words =
        random_words(options.seed, RandomPurpose::cluster_seeds, options.round,
                     static_cast<std::uint64_t>(row), static_cast<std::uint32_t>(pick));
    const double v = (words.word[0] + (words.word[1] + 0.5) * 0x1p-32) * 0x1p-32;
    return kernels::canonical_log1p(static_cast<float>(v / (1.0 - v)));
}

std::vector<float> start_distances(const KMeansShare& share) {
    if (share.nearest.empty()) return std::vector<float>(share.rows.size(), infinity);
    return {share.nearest.begin(), share.nearest.end()};
}

std::vector<std::int64_t> weights_of(const KMeansShare& share, comm::Communicator& world) {
    const std::vector<float> alike(share.weights.empty() ? share.rows.size() : 0, 1.0F);
    return whole_weights(share.weights.empty() ? std::span<const float>(alike) : share.weights,
                         world);
}

// One Lloyd iteration after the other.
class Lloyd {
  public:
    Lloyd(const KMeansShare& share, const KMeansOptions& options, comm::Communicator& world)
        : share_(share),
          options_(options),
          world_(world),
          dim_(share.features.dim),
          resident_(options.backend, share.features),
          weights_(weights_of(share, world)),
          fixed_(share.features, world.sum(static_cast<std::int64_t>(share.rows.size())), world),
          all_(share.rows.size()) {
        std::iota(all_.begin(), all_.end(), std::int64_t{0});
    }

    void seed() {
        const std::vector<RowId> rows = draw_seeds(share_, options_, world_);
        result_.centroids = gather_rows(share_.rows, share_.features, rows, world_);
        result_.sizes.resize(rows.size());
        result_.weights.resize(rows.size());
    }

    // How many rows of all ranks have another cluster than before.
    std::int64_t assign() {
        std::vector<std::int32_t> before(share_.rows.size(), -1);
        before.swap(result_.cluster);
        result_.distance = start_distances(share_);
        resident_.relax_nearest_of(all_, centroids(), {result_.distance, result_.cluster, 0},
                                   options_.num_threads);
        std::int64_t changed = 0;
        for (std::size_t i = 0; i < before.size(); ++i)
            changed += before[i] != result_.cluster[i] ? 1 : 0;
        count_rows();
        return world_.sum(changed);
    }

    void move_centroids() {
        std::vector<std::int64_t> sums(static_cast<std::size_t>(result_.count() * dim_), 0);
        for (const std::int64_t i : all_) {
            const std::int32_t cluster = result_.cluster[static_cast<std::size_t>(i)];
            if (cluster < 0) continue;
            fixed_.add(share_.features.row(i), weights_[static_cast<std::size_t>(i)],
                       sums.data() + cluster * dim_);
        }
        world_.sum(sums);
        for (std::int64_t c = 0; c < result_.count(); ++c) {
            // Without weight there is no mean: the centroid stays where it is.
            const std::int64_t weight = result_.weights[static_cast<std::size_t>(c)];
            if (weight == 0) continue;
            fixed_.mean(sums.data() + c * dim_, weight, result_.centroids.data() + c * dim_);
        }
        refill();
    }

    Clusters& result() { return result_; }

  private:
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
    kernels::ResidentRows resident_;
    std::vector<std::int64_t> weights_;
    FixedPoint fixed_;
    std::vector<std::int64_t> all_;
    Clusters result_;
};

}  // namespace

std::vector<RowId> draw_seeds(const KMeansShare& share, const KMeansOptions& options,
                              comm::Communicator& world) {
    std::vector<float> nearest = start_distances(share);
    const std::vector<std::int64_t> weights = weights_of(share, world);
    std::vector<RowId> seeds;
    while (static_cast<std::int64_t>(seeds.size()) < options.num_clusters) {
        Gain mine;
        for (std::size_t i = 0; i < nearest.size(); ++i) {
            // Without any centre so far a row's chance is its weight.
            const double spread = nearest[i] == infinity ? 1.0 : nearest[i];
            const double mass = static_cast<double>(weights[i]) * spread;
            if (!(mass > 0.0)) continue;
            const double time =
                waiting_time(options, static_cast<std::int64_t>(seeds.size()), share.rows[i]);
            const Gain candidate{-time / mass, share.rows[i]};
            if (beats(candidate, mine)) mine = candidate;
        }
        const Gain drawn = best_of_ranks(mine, world);
        if (drawn.row < 0) break;
        seeds.push_back(drawn.row);
        const std::vector<float> center =
            gather_rows(share.rows, share.features, {&seeds.back(), 1}, world);
        kernels::relax_nearest(kernels::Backend::cpu, share.features,
                               {center.data(), 1, share.features.dim}, nearest,
                               options.num_threads);
    }
    return seeds;
}

Clusters k_means(const KMeansShare& share, const KMeansOptions& options,
                 comm::Communicator& world) {
    Lloyd lloyd(share, options, world);
    lloyd.seed();
    lloyd.assign();
    Clusters& result = lloyd.result();
    while (result.iterations < options.max_iterations) {
        leave_if_stopped(world);
        ++result.iterations;
        lloyd.move_centroids();
        if (lloyd.assign() == 0) break;
    }
    return result;
}

}  // namespace sluice::select
