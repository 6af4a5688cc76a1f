#pragma once

#include "campaign/arm.hpp"
#include "campaign/rank_use.hpp"
#include "campaign/schedule.hpp"
#include "campaign/stop_rules.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sluice::campaign {

/// plan.json: what a round asks for.
struct RoundPlan {
    std::int64_t round = 0;
    BatchStrategy strategy;
    std::int64_t batch = 0;
    double batch_cost = 0.0;           ///< 0 = any
    std::int64_t batch_instances = 0;  ///< likewise
    std::int64_t shortlist = 0;
    std::int64_t model_round = -1;               ///< whose model scores read; -1 = none
    std::map<std::string, std::string> science;  ///< see science_of_round()
};

/// batch.json: what was chosen.
struct RoundBatch {
    std::string id;                     ///< empty: nothing was asked for
    std::int64_t chosen = 0;            ///< rows
    std::optional<std::int64_t> items;  ///< that the rows are instances of, if they are
    std::int64_t candidates = 0;        ///< rows, or items
    double cost = 0.0;
    std::optional<double> covering_radius;
    std::optional<double> redundancy;
};

/// versions.json: what everything was made of.
struct RoundVersions {
    std::string sluice;
    std::string pool;    ///< fingerprint
    std::string oracle;  ///< hash of its specification; empty outside
    std::string batch;   ///< id; empty in round 0
    std::string labels;  ///< SHA-256 of labels.csv; empty in round 0
    std::string model;   ///< see RoundModel::hash; empty without a model
};

/// timings.json: seconds of each step, and of all oracle runs of the arm's queue so far.
struct RoundTimings {
    std::map<std::string, double> seconds;
    double oracle_seconds = 0.0;
    std::map<std::string, std::vector<RankUse>> ranks;  ///< by step, of each rank; may be empty

    double total() const;
};

/// As in plan.json.
std::string plan_text(const RoundPlan& plan);
RoundPlan parse_plan(const std::string& text);

/// Written whole and durably, as JSON; the folder is made when absent.
void write_plan(const Arm& arm, const RoundPlan& plan);
void write_batch(const Arm& arm, std::int64_t round, const RoundBatch& batch);
void write_record(const Arm& arm, const RoundRecord& record);
void write_timings(const Arm& arm, std::int64_t round, const RoundTimings& timings);
void write_versions(const Arm& arm, std::int64_t round, const RoundVersions& versions);

/// Nothing if the file is not there. Throw Error(bad_data) for one that is damaged.
std::optional<RoundPlan> read_plan(const Arm& arm, std::int64_t round);
std::optional<RoundBatch> read_batch(const Arm& arm, std::int64_t round);
std::optional<RoundTimings> read_timings(const Arm& arm, std::int64_t round);
std::optional<RoundVersions> read_versions(const Arm& arm, std::int64_t round);

/// metrics.json, without seconds: those are in timings.json.
std::optional<RoundRecord> read_record(const Arm& arm, std::int64_t round);

/// Whether all of the round is done.
bool is_complete(const Arm& arm, std::int64_t round);

}  // namespace sluice::campaign
