#pragma once

#include "comm/communicator.hpp"
#include "pool/pool.hpp"

#include <string>
#include <vector>

namespace sluice::pool {

/// One thing `sluice check` found.
struct Finding {
    enum class Severity { advice, error } severity = Severity::advice;
    std::string message;  ///< `FILE: DATASET[ROW]: what (value); what to do`
};

struct CheckReport {
    std::vector<Finding> findings;  ///< errors first; at most a handful of rows each, with counts
    double seconds = 0.0;
    std::int64_t bytes_read = 0;
    bool ok() const;  ///< no errors
};

/// Scans every value of the pool once, at reading speed, over all ranks and `num_threads` threads
/// each: finite values, probabilities non-negative and summing to 1 (committees: each member),
/// feature norms whose squared distances overflow float32, ids unique; gives advice on chunk
/// layout. Which scores and diversities the pool allows is the caller's to say (select/).
/// The report is the same for any number of ranks. \collective
CheckReport check_pool(const Pool& pool, int num_threads, comm::Communicator& world);

}  // namespace sluice::pool
