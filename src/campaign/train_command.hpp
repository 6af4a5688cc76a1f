#pragma once

#include "comm/communicator.hpp"
#include "labels/label_source.hpp"
#include "model/committee.hpp"
#include "pool/pool.hpp"
#include "select/plan.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::campaign {

/// A trainer of the user's own: any program that reads labels and leaves a model, or what a model
/// says of every row of the pool.
struct TrainCommand {
    /// Words, never a shell; '...' and "..." keep blanks. Placeholders: {labels} a HDF5 file with
    /// row, id, features, inputs, round and y; {model} where the model must appear; {predictions}
    /// where the predictions must appear; {pool} the pool's files, as words of their own; {seed},
    /// {round}.
    std::string command;
    double time_limit_seconds = 0.0;  ///< 0 = none
    std::string log_path;             ///< gets what it wrote to stdout and stderr
    std::uint64_t seed = 0;
    std::uint32_t round = 0;
};

/// What it trains on, and what it must leave.
struct TrainCommandRequest {
    TrainCommand command;
    std::vector<labels::LabelSource> labels;
    const pool::Pool* pool = nullptr;  ///< may be null
    std::int64_t num_classes = 0;      ///< 0 = not known
    std::string model_path;            ///< empty = no model
    std::string predictions_path;      ///< empty = no predictions; they need a pool
    select::BadRows bad_rows = select::BadRows::refuse;  ///< rows without a usable prediction
};

/// What it left; on rank 0 but for what was predicted.
struct TrainCommandReport {
    std::int64_t num_labels = 0;
    std::optional<model::Committee> committee;
    std::string model_hash;
    std::int64_t predicted_rows = 0;
    std::vector<std::string> predicted;  ///< which of probabilities, committee, predictions
    double seconds = 0.0;                ///< that the command took
};

/// Runs the command on rank 0, in the working directory, with an environment that nothing of MPI or
/// the scheduler is left in, and checks what it leaves: a model must read, fit the labels and be
/// finite; predictions must be of as many rows as the pool, fit the labels, and be usable row by
/// row. Only then does it take the place of what was there before. Throws AgreedError: usage for a
/// command that cannot be, unavailable for a missing program, bad_data if it fails, takes too long
/// or leaves the wrong thing, try_again after a stop signal. \collective
TrainCommandReport run_train_command(const TrainCommandRequest& request, comm::Communicator& world);

/// The lines that `sluice train --train-command` prints, and the same as JSON.
std::string train_command_text(const TrainCommandRequest& request,
                               const TrainCommandReport& report);
std::string train_command_json(const TrainCommandRequest& request,
                               const TrainCommandReport& report);

}  // namespace sluice::campaign
