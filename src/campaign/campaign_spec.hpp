#pragma once

#include "campaign/schedule.hpp"
#include "campaign/stop_rules.hpp"
#include "kernels/backend.hpp"
#include "model/pseudo_rules.hpp"
#include "model/train.hpp"
#include "pool/pool.hpp"
#include "select/plan.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sluice::campaign {

/// The rounds before there is a model.
struct StartSpec {
    std::string strategy = "random";  ///< or k_center
    std::int64_t batch = 0;
    std::int64_t rounds = 1;
    std::int64_t shortlist = 0;
    std::string labels;  ///< path of labels that are there already; may be empty
};

/// The rounds with one.
struct SelectSpec {
    Schedule schedule;
    std::int64_t batch = 100;
    double batch_cost = 0.0;     ///< 0 = any
    std::int64_t shortlist = 0;  ///< 0 = 10 x batch
    std::string metric = "euclidean";
    std::string diversify_on = "features";  ///< of rounds with a model
    std::int64_t sketch_dim = 0;            ///< 0 = chosen
    std::string input = "model";            ///< or what SelectRequest::input takes
    select::Copies copies = select::Copies::keep;
    select::TrustLevels trust;                     ///< for scores other than random
    std::string randomize;                         ///< as select::PlanRequest::randomize; likewise
    select::Price price = select::Price::ignored;  ///< likewise
    select::DiversityParameters parameters;        ///< of rounds whose rule goes by them
    std::string where;                 ///< as select::PlanRequest::conditions; of all that is asked
    std::string items = "none";        ///< as select::PlanRequest::items; likewise
    std::int64_t batch_instances = 0;  ///< 0 = any
    std::int64_t ticket_items = 0;     ///< 0 = chosen
    std::string tag;

    bool has_items() const { return items != "none"; }
};

struct LabelSpec {
    enum class Where { inside, outside };

    Where where = Where::inside;
    std::string oracle_path;
    std::int64_t workers = 0;  ///< of the whole job; 0 = one a rank
    std::int64_t classes = 0;  ///< 0 = any
    double tolerance = 0.0;
    std::int64_t lease_seconds = 300;
    double grace_seconds = 20.0;
    std::string scratch;
    int keep_failed = 3;
};

struct TestSpec {
    std::int64_t rows = 0;  ///< drawn and labeled (items, where there are some); 0 = none
    std::string labels;     ///< or these; may be empty

    bool is_there() const { return rows > 0 || !labels.empty(); }
};

/// How this run uses the machine; alters no result.
struct MachineSpec {
    int num_threads = 0;
    kernels::DeviceChoice device = kernels::DeviceChoice::automatic;
    double memory_gib = 1.0;
};

/// A campaign as its INI file describes it.
struct CampaignSpec {
    std::string path;
    std::string directory;
    std::uint64_t seed = 0;
    bool has_random_arm = false;
    pool::PoolSource pool;
    select::BadRows bad_rows = select::BadRows::refuse;
    StartSpec start;
    model::TrainOptions train;
    std::int64_t loss_folds = 0;      ///< of a loss head; 0 = none
    std::optional<model::Task> task;  ///< by the head; nothing if that goes by the labels
    model::PseudoRules pseudo;
    std::string train_command;
    double train_limit_seconds = 0.0;
    SelectSpec select;
    LabelSpec label;
    TestSpec test;
    StopRules stop;
    std::int64_t stop_set_rows = 0;  ///< 0 = none
    MachineSpec machine;
    std::map<std::string, std::string> values;  ///< `SECTION.KEY` -> text, defaults included

    /// Whether round `round` begins before there is a model.
    bool is_start(std::int64_t round) const { return round <= start.rounds; }

    /// How its batch is chosen.
    BatchStrategy strategy(std::int64_t round) const;

    /// The first round: 0, which only trains, if labels are there already.
    std::int64_t first_round() const { return start.labels.empty() ? 1 : 0; }
};

/// Reads and checks a campaign file. Throws Error(bad_config) with line and column,
/// Error(no_input).
CampaignSpec read_campaign(const std::string& path);

/// The same from text; `path` gives the folder of relative paths.
CampaignSpec parse_campaign(const std::string& path, const std::string& text);

/// What the results of round `round` depend on, key by key: keys of Change::refused, and of
/// Change::next_round what they come to in that round.
std::map<std::string, std::string> science_of_round(const CampaignSpec& spec, std::int64_t round);

}  // namespace sluice::campaign
