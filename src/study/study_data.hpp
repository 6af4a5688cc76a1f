#pragma once

#include "comm/communicator.hpp"
#include "pool/pool.hpp"
#include "study/simulated_run.hpp"

#include <cstdint>
#include <string>

namespace sluice::study {

/// Where a data set of a study comes from.
struct StudySource {
    std::string name;
    pool::PoolSource pool;    ///< no files: the labels hold the features
    std::string labels_path;  ///< a labels file or a directory of generations
};

/// How it is read.
struct StudyReading {
    enum class Costs { equal, from_pool };

    Costs costs = Costs::equal;                                 ///< from_pool: dataset `cost`
    std::int64_t num_classes = 0;                               ///< 0 = the largest class + 1
    enum class Items { unused, needed } items = Items::unused;  ///< needed: the pool has groups
    std::vector<std::string> condition_roles = {};              ///< datasets of conditions
    double memory_gib = 1.0;  ///< of one rank; a data set that needs more is refused
};

/// Reads a data set into the memory of each rank: its labels straight into the oracle, the features
/// of the rows that have one, the pool's `groups` where it has them (else copies form groups).
/// Throws AgreedError for what is missing or wrong in the files, and Error(usage) beyond the
/// memory. \collective
StudyData read_study_data(const StudySource& source, const StudyReading& reading,
                          comm::Communicator& world);

}  // namespace sluice::study
