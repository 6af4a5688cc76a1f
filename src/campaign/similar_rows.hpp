#pragma once

#include "comm/communicator.hpp"
#include "pool/pool.hpp"
#include "select/diversity.hpp"
#include "select/similar_to.hpp"

#include <memory>
#include <string>

namespace sluice::campaign {

/// Where the vectors that `similarity` means are.
struct SimilarSource {
    std::string path;       ///< a pool file; empty: the pool itself
    std::string rows_path;  ///< which of its rows, see read_named_rows(); empty: all
};

/// The vectors of `--similar-to`: rows of `features`, ready for the metric. Throws AgreedError for
/// a file without them, or with a row that can take part in no distance. \collective
std::shared_ptr<const select::SimilarTo> read_similar(const SimilarSource& source,
                                                      const pool::Pool& pool, select::Metric metric,
                                                      comm::Communicator& world);

/// SHA-256 of the vectors.
std::string similar_hash(const select::SimilarTo& similar);

}  // namespace sluice::campaign
