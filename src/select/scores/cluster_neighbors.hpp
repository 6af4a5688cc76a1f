#pragma once

#include "comm/communicator.hpp"
#include "kernels/nearest_center.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// One rank's rows and the clusters that they are in.
struct ClusteredRows {
    kernels::MatrixView features;              ///< [rows, D], finite
    std::span<const std::int32_t> cluster;     ///< [rows] >= 0
    std::span<const std::uint8_t> is_counted;  ///< [rows] 0: no row's neighbour
};

/// Of each of this rank's rows the mean Euclidean distance to its `num_neighbors` nearest counted
/// rows of its cluster, itself apart, wherever these are: the square roots of canonical distances,
/// summed from the nearest on in float64; of fewer where there are fewer, and infinity where there
/// is none. The same for any number of ranks, any way of sharing and any number of threads. What a
/// rank needs beside its rows does not grow with the cluster: the ranks tell each other their rows
/// some thousand at a time. Throws AgreedError(try_again) once a stop signal has reached any rank.
/// \collective
std::vector<double> mean_neighbor_distances(const ClusteredRows& rows, std::int64_t num_neighbors,
                                            int num_threads, comm::Communicator& world);

/// Bytes that takes on one rank, and that it receives.
std::int64_t neighbor_memory(std::int64_t share_rows, std::int64_t dim, std::int64_t num_neighbors);

}  // namespace sluice::select
