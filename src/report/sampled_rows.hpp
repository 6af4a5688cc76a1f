#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "kernels/committee_network.hpp"
#include "model/committee.hpp"
#include "pool/pool.hpp"
#include "report/principal_axes.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sluice::report {

/// What is asked of a sample; the same on all ranks.
struct SampleTask {
    std::int64_t most_rows = 200'000;
    std::string score;             ///< of each row; empty: none
    std::string input;             ///< as SelectRequest's, for scores that read the pool's data
    std::string model_path;        ///< of the model that scores and classes come from; may be empty
    std::string predictions_path;  ///< or of what a trainer has written in its place; likewise
};

/// What rows of a pool are like: one entry a row, in the order in which they were asked for.
struct RowFacts {
    std::vector<RowId> rows;
    std::vector<double> x;              ///< along the first axis; NaN for features not finite
    std::vector<double> y;              ///< along the second
    std::vector<std::int32_t> classes;  ///< predicted; empty if nothing predicts any
    std::vector<std::int64_t> groups;   ///< empty without groups
};

/// Evenly spaced rows of the pool.
struct SampledRows {
    RowFacts facts;             ///< on rank 0; x and y are empty without features
    std::vector<float> scores;  ///< on rank 0; empty without a score
    std::int64_t num_classes = 0;
    std::optional<PrincipalAxes> axes;
    std::shared_ptr<const kernels::CommitteeNetwork> network;
    std::optional<model::Committee> committee;
};

/// Row floor(i N / n) for each i in [0, n), n = `most_rows` or fewer where the pool has fewer, or
/// where their features would take more than 256 MiB. Each rank reads its share; what rank 0 gets
/// does not depend on how many ranks there are. Throws AgreedError. \collective
SampledRows sample_rows(const pool::Pool& pool, const SampleTask& task, comm::Communicator& world);

/// Features [rows, D] of rows in ascending order; empty if the pool has none. Local.
std::vector<float> features_of(const pool::Pool& pool, const std::vector<RowId>& rows);

/// The same facts about rows given in any order. Local.
RowFacts facts_of(const pool::Pool& pool, const SampledRows& sample, std::vector<RowId> rows);

}  // namespace sluice::report
