#include "select/diversity/k_means.hpp"

#include "select/diversity/centers.hpp"
#include "select/diversity/nearest_state.hpp"
#include "select/diversity/rules.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace sluice::select {
namespace {

constexpr std::int64_t most_rounds = 25;

// Features of the given rows [rows, D] in their order, from those who hold them. \collective
std::vector<float> features_of(std::span<const RowId> rows, const ShortlistShare& share,
                               comm::Communicator& world) {
    const auto dim = static_cast<std::size_t>(share.features.dim);
    std::vector<std::int64_t> places;
    std::vector<float> values;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::int64_t local = find_row(share, rows[i]);
        if (local < 0) continue;
        places.push_back(static_cast<std::int64_t>(i));
        const float* const row = share.features.row(local);
        values.insert(values.end(), row, row + dim);
    }
    places = world.all_gather(std::span<const std::int64_t>(places));
    values = world.all_gather(std::span<const float>(values));
    std::vector<float> result(rows.size() * dim);
    for (std::size_t i = 0; i < places.size(); ++i) {
        std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(i * dim), dim,
                    result.begin() + places[i] * static_cast<std::ptrdiff_t>(dim));
    }
    return result;
}

// Sums over all rows of all ranks that stay below 2^62: 2^exponent per unit.
int exponent_for(double largest, std::int64_t num_rows) {
    if (!(largest > 0.0)) return 0;
    return 59 - std::ilogb(largest) - std::ilogb(static_cast<double>(num_rows));
}

class Lloyd {
  public:
    Lloyd(const ShortlistShare& share, const DiversityOptions& options,
          std::span<const double> weights, comm::Communicator& world)
        : share_(share), options_(options), weights_(weights), world_(world), all_(weights.size()) {
        std::iota(all_.begin(), all_.end(), std::int64_t{0});
        double heaviest = 0.0;
        double largest = 0.0;
        for (std::size_t i = 0; i < weights.size(); ++i) {
            heaviest = std::max(heaviest, weights[i]);
            for (const float value : row(i))
                largest = std::max(largest, weights[i] * std::abs(static_cast<double>(value)));
        }
        const std::int64_t num_rows = world.sum(std::ssize(weights));
        weight_exponent_ = exponent_for(world.max(heaviest), num_rows);
        sum_exponent_ = exponent_for(world.max(largest), num_rows);
    }

    Clusters run(std::vector<float> centroids) {
        const std::int64_t dim = share_.features.dim;
        Clusters clusters;
        clusters.count = std::ssize(centroids) / dim;
        clusters.centroids = std::move(centroids);
        assign(clusters);
        for (clusters.rounds = 1; clusters.rounds < most_rounds; ++clusters.rounds) {
            leave_if_stopped(world_);
            const std::vector<std::int32_t> before = clusters.cluster;
            move_centroids(clusters);
            assign(clusters);
            if (world_.max(std::int64_t{before != clusters.cluster}) == 0) break;
        }
        return clusters;
    }

  private:
    std::span<const float> row(std::size_t i) const {
        return {share_.features.row(static_cast<std::int64_t>(i)),
                static_cast<std::size_t>(share_.features.dim)};
    }

    void assign(Clusters& clusters) const {
        clusters.cluster.assign(all_.size(), -1);
        clusters.squared.assign(all_.size(), std::numeric_limits<float>::infinity());
        kernels::relax_nearest_of(kernels::Backend::cpu, share_.features, all_,
                                  {clusters.centroids.data(), clusters.count, share_.features.dim},
                                  {clusters.squared, clusters.cluster, 0}, options_.num_threads);
    }

    void move_centroids(Clusters& clusters) const {
        const auto dim = static_cast<std::size_t>(share_.features.dim);
        const auto count = static_cast<std::size_t>(clusters.count);
        std::vector<std::int64_t> sums(count * (dim + 1), 0);  // the weight after the features
        for (std::size_t i = 0; i < all_.size(); ++i) {
            std::int64_t* const of_cluster =
                sums.data() + static_cast<std::size_t>(clusters.cluster[i]) * (dim + 1);
            for (std::size_t k = 0; k < dim; ++k) {
                of_cluster[k] += static_cast<std::int64_t>(
                    std::ldexp(weights_[i] * static_cast<double>(row(i)[k]), sum_exponent_));
            }
            of_cluster[dim] += static_cast<std::int64_t>(std::ldexp(weights_[i], weight_exponent_));
        }
        world_.sum(sums);
        std::vector<std::int64_t> empty;
        for (std::size_t c = 0; c < count; ++c) {
            const std::int64_t* const sum = sums.data() + c * (dim + 1);
            if (sum[dim] == 0) {
                empty.push_back(static_cast<std::int64_t>(c));
                continue;
            }
            const double weight = std::ldexp(static_cast<double>(sum[dim]), -weight_exponent_);
            for (std::size_t k = 0; k < dim; ++k) {
                clusters.centroids[c * dim + k] = static_cast<float>(
                    std::ldexp(static_cast<double>(sum[k]), -sum_exponent_) / weight);
            }
        }
        refill(empty, clusters);
    }

    void refill(std::span<const std::int64_t> empty, Clusters& clusters) const {
        if (empty.empty()) return;
        std::vector<Candidate> farthest;
        for (std::size_t i = 0; i < all_.size(); ++i)
            farthest.push_back({clusters.squared[i], share_.rows[i]});
        const auto keep = [&] {
            std::sort(farthest.begin(), farthest.end(), better);
            farthest.resize(std::min(farthest.size(), empty.size()));
        };
        keep();
        farthest = world_.all_gather(std::span<const Candidate>(farthest));
        keep();
        std::vector<RowId> rows;
        for (const Candidate& one : farthest)
            rows.push_back(one.row);
        const std::vector<float> values = features_of(rows, share_, world_);
        const std::int64_t dim = share_.features.dim;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            std::copy_n(values.begin() + static_cast<std::int64_t>(i) * dim, dim,
                        clusters.centroids.begin() + empty[i] * dim);
        }
    }

    const ShortlistShare& share_;
    const DiversityOptions& options_;
    std::span<const double> weights_;
    comm::Communicator& world_;
    std::vector<std::int64_t> all_;
    int weight_exponent_ = 0;
    int sum_exponent_ = 0;
};

}  // namespace

Clusters find_clusters(const ShortlistShare& share, const DiversityOptions& options,
                       std::int64_t wanted, std::span<const double> weights,
                       comm::Communicator& world) {
    ShortlistShare plain = share;  // without centres
    plain.num_centers = 0;
    DiversityOptions seeding = options;
    seeding.num_picks = wanted;
    seeding.progress = nullptr;
    seeding.parameters = {};
    std::vector<RowId> rows;
    for (const DiversePick& pick : kmeanspp_rule().pick(plain, seeding, world).picks)
        rows.push_back(pick.row);
    return Lloyd(share, options, weights, world).run(features_of(rows, share, world));
}

DiversityForecast forecast_clusters(const DiversitySizes& sizes, std::int64_t wanted) {
    DiversityForecast forecast = forecast_by_rows(sizes, sizes.dim + 1);
    const std::int64_t sums = std::min(wanted, sizes.shortlist_rows) * (sizes.dim + 1) * 8;
    forecast.memory_bytes += 4 * sums + sizes.share_rows * 32;
    forecast.rounds = wanted + most_rounds;
    forecast.bytes_received = wanted * (sizes.dim + 1) * 4 + most_rounds * sums;
    return forecast;
}

}  // namespace sluice::select
