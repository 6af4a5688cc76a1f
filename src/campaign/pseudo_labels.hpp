#pragma once

#include "campaign/campaign_spec.hpp"
#include "campaign/round_model.hpp"
#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "pool/pool.hpp"
#include "select/plan.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::campaign {

/// What a model is confident of, by itself; see model::PseudoRules. Never mixed with labels: such
/// rows stay candidates, and cost nothing.
struct PseudoLabels {
    std::vector<RowId> rows;  ///< ascending
    std::vector<std::int32_t> classes;
    std::vector<float> entropies;  ///< of the members' mean, natural logarithm
};

/// Where a model looks for them.
struct PseudoRequest {
    const pool::Pool& pool;
    const RoundModel& model;
    double delta = 0.0;       ///< > 0; entropies are below it
    std::int64_t most = 0;    ///< the most confident rows first, ties to the lower row
    select::TakenRows taken;  ///< labeled rows, and those kept for tests
    select::BadRows bad_rows = select::BadRows::refuse;
    MachineSpec machine;
};

/// Streams the pool once. The result is on rank 0, others get an empty one; it is the same for any
/// number of ranks. Throws AgreedError as a selection does. \collective
PseudoLabels find_pseudo_labels(const PseudoRequest& request, comm::Communicator& world);

/// Writes a labels file of its own, `source` = pseudo, whole and durably: row, y, entropy, round,
/// source; without rows it has none of these.
void publish_pseudo_labels(const std::string& path, std::int64_t round, const PseudoLabels& labels);

/// How many such a file holds; nothing if it is not there.
std::optional<std::int64_t> count_pseudo_labels(const std::string& path);

}  // namespace sluice::campaign
