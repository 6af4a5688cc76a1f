#include "select/diversity/clusters.hpp"
#include "select/diversity/rules.hpp"

#include <algorithm>

namespace sluice::select {
namespace {

std::int64_t clusters_for(std::int64_t num_picks) {
    return (num_picks + 1) / 2;
}

// All rows by cluster, best first; the smallest cluster first, ties to that with the lowest row.
std::vector<std::vector<Member>> by_size(std::vector<Member> mine, const Clusters& clusters,
                                         comm::Communicator& world) {
    std::vector<std::vector<Member>> result(static_cast<std::size_t>(clusters.count()));
    for (const Member& member : world.all_gather(std::span<const Member>(mine)))
        result[static_cast<std::size_t>(member.cluster)].push_back(member);
    std::erase_if(result, [](const std::vector<Member>& cluster) { return cluster.empty(); });
    for (std::vector<Member>& cluster : result) {
        std::sort(cluster.begin(), cluster.end(), [](const Member& a, const Member& b) {
            return better(a.candidate(), b.candidate());
        });
    }
    const auto lowest = [](const std::vector<Member>& cluster) {
        const auto lower = [](const Member& a, const Member& b) { return a.row < b.row; };
        return std::min_element(cluster.begin(), cluster.end(), lower)->row;
    };
    std::sort(result.begin(), result.end(), [&](const auto& a, const auto& b) {
        return a.size() < b.size() || (a.size() == b.size() && lowest(a) < lowest(b));
    });
    return result;
}

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    if (options.num_picks <= 0) return {};
    const Clusters clusters = cluster_alike(share, options, clusters_for(options.num_picks), world);
    const auto members = by_size(members_of(share, clusters), clusters, world);
    const std::size_t most = members.empty() ? 0 : members.back().size();
    DiverseBatch batch;
    for (std::size_t turn = 0; turn < most; ++turn) {
        for (const std::vector<Member>& cluster : members) {
            if (turn >= cluster.size()) continue;
            if (std::ssize(batch.picks) == options.num_picks) break;
            batch.picks.push_back(
                {cluster[turn].row, distance_of(cluster[turn].squared, options.metric)});
        }
    }
    batch.rounds = clusters.seed_rounds + clusters.iterations + 1;
    return batch;
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    DiversityForecast forecast = forecast_k_means(sizes, clusters_for(sizes.num_picks));
    const std::int64_t members = sizes.shortlist_rows * static_cast<std::int64_t>(sizeof(Member));
    forecast.memory_bytes += 2 * members;
    forecast.bytes_received += members;
    return forecast;
}

}  // namespace

// One row of each cluster in turn, the smallest cluster first, until the batch is full. Of a
// cluster the best scored row comes first, where the paper draws one by chance; and the clusters
// are those of k-means, half as many as picks, where the paper links the whole pool by average
// linkage up to a threshold that it does not tell. \source Citovsky et al., "Batch Active Learning
// at Scale", NeurIPS 2021, algorithms 1 and 2.
DiversityDefinition cluster_margin_rule() {
    DiversityDefinition rule;
    rule.name = "cluster_margin";
    rule.aliases = {"clustermargin", "cluster-margin"};
    rule.summary =
        "a row of each k-means cluster in turn, smallest cluster first, best score first in each "
        "(use with margin)";
    rule.value = "distance to the centroid";
    rule.needs_features = true;
    rule.pick = pick;
    rule.forecast = forecast;
    return rule;
}

}  // namespace sluice::select
