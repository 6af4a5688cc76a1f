#pragma once

#include "campaign/arm.hpp"
#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "model/committee.hpp"
#include "model/model_outputs.hpp"
#include "pool/pool.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace sluice::campaign {

/// The file of an arm's model of a round: models/NNNN.h5, or what a trainer has written of every
/// row; empty if neither is there. Local; the file system may tell ranks differently.
std::string model_file(const Arm& arm, std::int64_t round);

/// The model of a round: a committee, or what a trainer has written of every row of the pool.
class RoundModel {
  public:
    /// `num_rows` of the pool. Throws AgreedError(bad_data) for a file that is damaged or gone.
    /// \collective
    RoundModel(const Arm& arm, std::int64_t round, RowId num_rows, comm::Communicator& world);

    const std::string& path() const { return path_; }

    /// Null if it is not one, and on other ranks than 0.
    const model::Committee* committee() const { return committee_ ? &*committee_ : nullptr; }

    /// Null if it is a committee.
    const pool::Pool* predictions() const { return predictions_ ? &*predictions_ : nullptr; }

    /// What it says of rows (ascending) with features [rows, dim]. Throws Error(bad_data). For
    /// rank 0.
    model::ModelOutputs outputs(std::span<const RowId> rows, std::span<const float> features,
                                std::int64_t dim) const;

    /// See model::model_hash; of predictions pool::fingerprint. For rank 0.
    const std::string& hash() const { return hash_; }

  private:
    std::string path_;
    std::optional<model::Committee> committee_;
    std::optional<pool::Pool> predictions_;
    std::string hash_;
};

}  // namespace sluice::campaign
