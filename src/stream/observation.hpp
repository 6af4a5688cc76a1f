#pragma once

#include "core/types.hpp"
#include "kernels/committee_network.hpp"
#include "model/committee.hpp"
#include "pool/pool.hpp"
#include "stream/policy.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sluice::stream {

/// What volume sampling takes as an item's direction.
enum class Embedding {
    automatic,  ///< gradient where class probabilities are known
    features,
    gradient  ///< of the cross-entropy of the likeliest class by the last layer: (p - 1[class]) x
};

/// What there is to know of an item: its name, and either class probabilities or predictions, or
/// features for a model to say them.
struct Observation {
    std::string id;
    std::vector<double> features;       ///< [D], may be empty
    std::vector<double> inputs;         ///< [P] of a line, what an oracle sees; may be empty
    std::vector<double> probabilities;  ///< [C] mean over the members; empty for numbers
    std::optional<double> deviation;    ///< of the members' predictions, the largest component
};

/// Turns lines and rows into observations, and these into items.
class Observer {
  public:
    /// `model_path` may be empty. Throws Error(no_input|bad_data).
    Observer(const std::string& model_path, Embedding embedding);

    /// A JSON object {"id": ..., "probabilities": [C] | "committee": [M][C] | "predictions": [M] or
    /// [M][T], "features": [D], "inputs": [P]}; `where` begins messages. Throws Error(bad_data).
    Observation of_line(const std::string& line, const std::string& where) const;

    /// Rows of a pool: ids where it has some, what a model says of the features, or else the first
    /// of the datasets probabilities, committee and predictions. Throws Error(bad_data).
    std::vector<Observation> of_rows(const pool::Pool& pool, RowRange rows,
                                     const PolicyDefinition& policy) const;

    /// Throws Error(bad_data) if what the policy needs is not there.
    Item item_of(const Observation& observation, const PolicyDefinition& policy) const;

  private:
    void ask_model(std::vector<Observation>& observations) const;
    std::vector<double> direction_of(const Observation& observation) const;

    std::string model_path_;
    Embedding embedding_;
    std::optional<model::Committee> committee_;
    std::shared_ptr<const kernels::CommitteeNetwork> network_;
};

}  // namespace sluice::stream
