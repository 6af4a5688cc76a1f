#pragma once

#include "comm/communicator.hpp"
#include "core/progress.hpp"
#include "core/types.hpp"
#include "kernels/nearest_center.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// What is clustered: one rank's share.
struct KMeansShare {
    std::span<const RowId> rows;     ///< ascending; shares of different ranks are disjoint
    kernels::MatrixView features;    ///< [rows, D], finite
    std::span<const float> weights;  ///< [rows] >= 0, finite; empty: all alike
    std::span<const float> nearest;  ///< [rows] squared distance to the nearest of the centroids
                                     ///< that do not move; empty: there are none
};

struct KMeansOptions {
    std::int64_t num_clusters = 0;
    std::int64_t max_iterations = 100;
    std::uint64_t seed = 0;
    std::uint32_t round = 1;
    int num_threads = 1;
    kernels::Backend backend = kernels::Backend::cpu;
    Progress* progress = nullptr;  ///< counts iterations; may be null
};

/// Clusters and where the share's rows are; the centroids and sizes are the same on all ranks.
struct Clusters {
    std::vector<float> centroids;       ///< [k, D]; k is less than asked for if there are fewer
                                        ///< distinct rows
    std::vector<std::int64_t> sizes;    ///< [k] rows
    std::vector<std::int64_t> weights;  ///< [k] in steps of 2^-20 of the largest weight
    std::vector<std::int32_t> cluster;  ///< [rows] of the share; -1: nearest to one that stays
    std::vector<float> distance;        ///< [rows] squared, to that centroid
    std::int64_t seed_rounds = 0;       ///< exchanges in which the seeds were drawn
    std::int64_t iterations = 0;        ///< until no row changed its cluster, or the most allowed

    std::int64_t count() const { return static_cast<std::int64_t>(sizes.size()); }
};

/// Lloyd's algorithm with weighted rows. Seeds by D^2 sampling: an exponential race whose clocks
/// are functions of seed, round, pick and row. A row belongs to the nearest centroid by canonical
/// distance, ties to the lower number and to one that does not move; a centroid is the mean in
/// fixed point (see FixedPoint for the bound); one that has lost its rows takes the row farthest
/// from its centroid. So the clusters are the same, bit for bit, for any number of ranks, any way
/// of sharing and any instruction set. Local minimum, as always: it depends on the seed.
/// Throws AgreedError(try_again) between iterations once a stop signal has reached any rank.
/// \collective
/// \source Lloyd 1982, IEEE Trans. Inf. Theory 28; Arthur and Vassilvitskii, "k-means++", SODA
///         2007; Efraimidis and Spirakis 2006, Inf. Process. Lett. 97, for the race.
Clusters k_means(const KMeansShare& share, const KMeansOptions& options, comm::Communicator& world);

/// Rows drawn one after the other without replacement, each with probability proportional to weight
/// times squared distance to the rows drawn before (and `share.nearest`); fewer than asked for if
/// no other row is at a distance. \collective
std::vector<RowId> draw_seeds(const KMeansShare& share, const KMeansOptions& options,
                              comm::Communicator& world);

}  // namespace sluice::select
