#pragma once

#include "comm/communicator.hpp"
#include "study/simulated_run.hpp"
#include "study/study_data.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::study {

/// Names that strategies cannot have, since every study or every full one has these arms.
inline constexpr const char* random_arm_name = "random";
inline constexpr const char* all_labels_name = "all_labels";

/// What `sluice simulate` was asked for.
struct StudyRequest {
    enum class AllLabels { skip, run };

    std::vector<StudySource> data;
    StudyReading reading;
    std::vector<Strategy> strategies;  ///< the random arm is always added
    StudyRules rules;
    std::int64_t num_seeds = 20;
    std::uint64_t first_seed = 0;
    AllLabels all_labels = AllLabels::skip;  ///< run: also what a label for every row gives
    std::string measure;                     ///< of the report; empty: the task's usual one
    std::optional<double> target;  ///< of the measure; default: what the random arm ends with
    std::optional<double> within;  ///< target: this much worse than a label for every row
    std::string out;               ///< directory of curves.csv, summary.csv, summary.json, *.svg
    std::string options_text;      ///< the command with all its options, for the record
};

/// One strategy's learning curves on one data set.
struct Arm {
    std::string name;
    std::vector<std::vector<RunPoint>> runs;  ///< [seeds][rounds + 1]
};

/// What a study found on one data set.
struct DataResult {
    std::string name;
    model::Task task = model::Task::classification;
    std::int64_t rows = 0;
    std::int64_t dim = 0;
    std::int64_t outputs = 0;
    std::int64_t test_rows = 0;        ///< of the first seed
    std::string unit;                  ///< of the labels; empty: none, or several
    std::vector<Arm> arms;             ///< the random one first
    std::vector<RunPoint> all_labels;  ///< [seeds], or empty
};

/// Runs every strategy and the random one on every data set with every seed: each such run whole on
/// one rank, dealt out by number, so that the result is the same for any number of ranks. The
/// results are on rank 0; others get an empty list. Stops with AgreedError(try_again) after a stop
/// signal. \collective
std::vector<DataResult> run_study(const StudyRequest& request, comm::Communicator& world);

/// run_study, then on rank 0 the files of `request.out` and the report on stdout. \collective
void simulate(const StudyRequest& request, comm::Communicator& world);

}  // namespace sluice::study
