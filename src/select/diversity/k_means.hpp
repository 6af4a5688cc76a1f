#pragma once

#include "select/diversity.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// Clusters of a shortlist by Lloyd's algorithm.
struct Clusters {
    std::int64_t count = 0;
    std::vector<float> centroids;       ///< [count, D], the same on all ranks
    std::vector<std::int32_t> cluster;  ///< [own rows] of the nearest centroid, ties to the lower
    std::vector<float> squared;         ///< [own rows] distance to it
    std::int64_t rounds = 0;
};

/// At most `wanted` clusters of rows that count by their `weights` [own rows] >= 0, beginning with
/// the picks of k-means++ (by distance alone); ends when no row changes its cluster, or after 25
/// rounds. A centroid is a sum of whole numbers over all ranks: weighted features cut to multiples
/// of a power of two that their largest and the number of rows determine, so that neither order nor
/// ranks matter. A cluster without rows (or weight) goes on from the row that is farthest from its
/// own centroid, rows of higher distance to clusters of lower number. \collective
Clusters find_clusters(const ShortlistShare& share, const DiversityOptions& options,
                       std::int64_t wanted, std::span<const double> weights,
                       comm::Communicator& world);

/// Memory, rounds and exchange of find_clusters.
DiversityForecast forecast_clusters(const DiversitySizes& sizes, std::int64_t wanted);

}  // namespace sluice::select
