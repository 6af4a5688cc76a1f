#include "select/diversity/clusters.hpp"

#include "select/diversity/race_rounds.hpp"

#include <algorithm>

namespace sluice::select {

std::vector<Member> members_of(const ShortlistShare& share, const Clusters& clusters) {
    std::vector<Member> members;
    for (std::size_t i = 0; i < share.rows.size(); ++i) {
        members.push_back(
            {share.rows[i], clusters.cluster[i], share.scores[i], clusters.distance[i]});
    }
    return members;
}

std::int64_t num_typical_clusters(std::int64_t num_labeled, std::int64_t num_picks) {
    constexpr std::int64_t most_clusters = 500;
    return std::min(num_labeled + num_picks, most_clusters);
}

KMeansOptions k_means_options(const DiversityOptions& options, std::int64_t num_clusters) {
    KMeansOptions result;
    result.num_clusters = num_clusters;
    result.seed = options.seed;
    result.round = options.round;
    result.num_threads = options.num_threads;
    result.backend = options.backend;
    return result;
}

Clusters cluster_alike(const ShortlistShare& share, const DiversityOptions& options,
                       std::int64_t num_clusters, comm::Communicator& world) {
    return k_means({share.rows, share.features, {}, {}}, k_means_options(options, num_clusters),
                   world);
}

DiversityForecast forecast_k_means(const DiversitySizes& sizes, std::int64_t num_clusters) {
    constexpr std::int64_t usual_iterations = 30;
    constexpr auto real = static_cast<std::int64_t>(sizeof(float));
    constexpr auto whole = static_cast<std::int64_t>(sizeof(std::int64_t));
    const std::int64_t clusters = std::min(num_clusters, sizes.shortlist_rows);
    // Of a row: weight, number, distance, clusters before and after, and as a member.
    const std::int64_t per_row = 2 * whole + 5 * real + static_cast<std::int64_t>(sizeof(Member));
    DiversitySizes seeds = sizes;
    seeds.num_picks = clusters;
    DiversityForecast forecast = RaceRounds::forecast(seeds, sizes.dim);
    forecast.memory_bytes +=
        sizes.share_rows * per_row +
        clusters * (sizes.dim * (sizes.num_threads * whole + 4 * real) + 5 * whole);
    forecast.rounds += usual_iterations;
    forecast.bytes_received += clusters * usual_iterations * (sizes.dim + 2) * whole;
    return forecast;
}

}  // namespace sluice::select
