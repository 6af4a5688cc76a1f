#pragma once

#include "comm/communicator.hpp"
#include "select/diversity.hpp"
#include "select/similar_to.hpp"

#include <memory>
#include <string>

namespace sluice::campaign {

/// The vectors of `--similar-to`: all rows of `features` of a pool file, ready for the metric.
/// Throws AgreedError for a file without them, or with a row that can take part in no distance.
/// \collective
std::shared_ptr<const select::SimilarTo> read_similar(const std::string& path,
                                                      select::Metric metric,
                                                      comm::Communicator& world);

/// SHA-256 of the vectors.
std::string similar_hash(const select::SimilarTo& similar);

}  // namespace sluice::campaign
