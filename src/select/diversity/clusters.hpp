#pragma once

#include "select/diversity.hpp"
#include "select/k_means.hpp"

#include <vector>

/// What the rules that pick from clusters have in common.
namespace sluice::select {

/// A row of a cluster.
struct Member {
    RowId row = 0;
    std::int32_t cluster = -1;
    float score = 0.0F;
    float squared = 0.0F;  ///< distance to the centroid

    Candidate candidate() const { return {score, row}; }
};

/// The share's rows as members.
std::vector<Member> members_of(const ShortlistShare& share, const Clusters& clusters);

/// Plain k-means, every row weighing the same. \collective
Clusters cluster_alike(const ShortlistShare& share, const DiversityOptions& options,
                       std::int64_t num_clusters, comm::Communicator& world);

/// How many clusters TypiClust makes: one for each labeled row and each pick, 500 at most.
std::int64_t num_typical_clusters(std::int64_t num_labeled, std::int64_t num_picks);

KMeansOptions k_means_options(const DiversityOptions& options, std::int64_t num_clusters);

/// What k-means needs on one rank, and how often ranks exchange.
DiversityForecast forecast_k_means(const DiversitySizes& sizes, std::int64_t num_clusters);

}  // namespace sluice::select
