#pragma once

#include "campaign/arm.hpp"
#include "campaign/campaign_spec.hpp"
#include "campaign/round_files.hpp"
#include "campaign/stop_rules.hpp"
#include "core/types.hpp"
#include "model/committee.hpp"
#include "model/metrics.hpp"
#include "queue/waits.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// What a report says, as numbers. The page, the JSON and the summary for terminals are all written
// from these.

namespace sluice::report {

inline constexpr double not_known = std::numeric_limits<double>::quiet_NaN();

/// A part of the page that cannot be told, and why.
struct Gap {
    std::string part;
    std::string reason;
};

/// One chosen row, and what became of it.
struct ChosenRow {
    std::int64_t rank = 0;
    RowId row = 0;
    std::string id;
    double score = not_known;
    double distance = not_known;  ///< to the nearest labeled or chosen row, when it was chosen
    std::string reason;           ///< as the selection itself has put it down; may be empty
    std::string status;           ///< ok, or why there is no label; empty while it waits
    std::vector<double> y;
};

/// One round as its files tell it; what is not there yet, or damaged, is empty.
struct RoundView {
    std::int64_t round = 0;
    bool is_complete = false;
    std::optional<campaign::RoundPlan> plan;
    std::optional<campaign::RoundBatch> batch;
    std::optional<campaign::RoundRecord> record;
    std::optional<campaign::RoundTimings> timings;
    std::optional<campaign::RoundVersions> versions;
    std::vector<ChosenRow> chosen;
    std::int64_t num_ok = 0;
    std::int64_t num_failed = 0;
};

/// An arm and its rounds; the random arm has those alone that are its own.
struct ArmView {
    campaign::Arm arm;
    std::vector<RoundView> rounds;
};

/// A value of the test metric, and how far the choice of test rows leaves it uncertain.
struct MetricPoint {
    std::int64_t round = 0;
    double labels = 0.0;
    double cost = 0.0;
    double value = not_known;
    double half_width = not_known;           ///< of the 95 % interval over test rows
    double gain_per_100_labels = not_known;  ///< since the point before; positive = better
    double full_data_share = not_known;      ///< of the score of a model of all data; 1 = as good
};

/// The learning curve of one arm, the rounds it shares included.
struct MetricCurve {
    std::string arm;
    std::vector<MetricPoint> points;
};

/// A difference, active minus random, paired by test rows.
struct Difference {
    double mean = not_known;
    double half_width = not_known;
    double p = not_known;  ///< two-sided, Student's t
};

enum class Verdict { better, worse, no_difference, not_comparable };

/// The campaign against its random arm.
struct Comparison {
    Verdict verdict = Verdict::not_comparable;
    std::int64_t rounds = 0;                ///< in which both arms have a model of their own
    Difference mean_of_rounds;              ///< of the metric's mean over these rounds: decides
    Difference last_round;                  ///< of the last of them
    std::optional<double> labels_to_match;  ///< labels with which the campaign was as good as the
                                            ///< random arm with all of its own
    double random_labels = 0.0;
};

/// The test metric in all rounds.
struct Quality {
    std::string metric;  ///< empty: nothing is measured
    model::Better better = model::Better::higher;
    std::int64_t test_rows = 0;
    std::vector<MetricCurve> curves;
    Comparison comparison;
    double gain_per_100_labels = not_known;  ///< of the last round; positive = better
    std::string full_data_model;             ///< path; empty: there is none
    double full_data_value = not_known;      ///< of the metric, on the same test rows
};

/// Test rows of about the same confidence (or spread).
struct CalibrationBin {
    std::int64_t rows = 0;
    double said = not_known;  ///< mean confidence; or root mean square of the members' deviation
    double came = not_known;  ///< share that was right; or root mean square error
};

/// One test row: what is true and what the last model says.
struct ParityPoint {
    double truth = 0.0;
    double predicted = 0.0;
};

/// The last model on the test rows.
struct TestView {
    std::int64_t round = -1;  ///< of the model; -1 = there is none
    model::Task task = model::Task::regression;
    std::int64_t rows = 0;
    std::vector<CalibrationBin> calibration;
    double calibration_error = not_known;          ///< ECE; of numbers: ENCE
    std::vector<std::string> targets;              ///< names with units; regression
    std::vector<std::vector<ParityPoint>> parity;  ///< [targets][rows]
};

/// How often scores fall between two edges, in the pool's sample and among the chosen rows.
struct ScoreView {
    std::string score;
    std::int64_t round = -1;        ///< of the batch; -1 = none
    std::int64_t model_round = -1;  ///< of the model that spoke; -1 = the pool's own data
    bool is_logarithmic = false;
    std::vector<double> edges;         ///< [bins + 1]
    std::vector<std::int64_t> pool;    ///< [bins] of the sample
    std::vector<std::int64_t> chosen;  ///< [bins]
    std::vector<double> sorted;        ///< the sample's scores, ascending; not in the JSON
    std::int64_t refused = 0;          ///< rows of the sample without a finite score
};

/// A row on the map.
struct MapPoint {
    RowId row = 0;
    double x = 0.0;
    double y = 0.0;
};

/// The pool along its two principal axes.
struct MapView {
    std::int64_t dim = 0;                               ///< features; 0 = there is no map
    std::int64_t axis_rows = 0;                         ///< rows that the axes were found from
    std::array<double, 2> share{not_known, not_known};  ///< of the variance
    double x_low = 0.0;
    double x_high = 1.0;
    double y_low = 0.0;
    double y_high = 1.0;
    std::int64_t columns = 0;
    std::int64_t rows = 0;
    std::vector<std::int64_t> counts;  ///< [rows, columns] of the sample, from below
    std::array<double, 2> x_cuts{};    ///< between the thirds of the pool along an axis
    std::array<double, 2> y_cuts{};
    std::vector<MapPoint> labeled;
    std::vector<MapPoint> chosen;
    std::vector<MapPoint> failed;
};

/// Shares of the pool and of what was chosen.
struct Share {
    std::string name;
    double pool = not_known;
    double batch = not_known;
    double labels = not_known;
};

/// A row of the pool's sample that is far from all labels.
struct FarRow {
    RowId row = 0;
    double distance = not_known;  ///< to the nearest labeled row
    RowId label = 0;              ///< that row
    std::string region;           ///< empty without a map
};

/// What labels have not come near to yet.
struct FarthestView {
    std::int64_t looked_at = 0;  ///< rows of the sample; 0 = nothing was
    std::int64_t labeled = 0;
    std::vector<FarRow> rows;  ///< farthest first
};

/// Whether the test rows are like the pool: distances to the nearest row of the sample, of test
/// rows and of as many of the pool's own.
struct TestDistance {
    std::int64_t test_rows = 0;  ///< 0 = not known
    std::int64_t pool_rows = 0;  ///< of the sample that they were compared with
    double test_median = not_known;
    double pool_median = not_known;
    double share_beyond = not_known;  ///< of the test rows: farther than 95 % of the pool's own
};

/// What the sample of the pool's rows tells.
struct PoolView {
    RowId num_rows = 0;
    std::int64_t sample_rows = 0;
    std::int64_t skipped = 0;  ///< rows of the sample whose features are not finite
    MapView map;
    ScoreView score;
    std::vector<Share> classes;
    std::vector<Share> groups;
    std::vector<Share> regions;
    std::int64_t num_groups = 0;
    double largest_class_share = not_known;  ///< of the batch: how alike it looks to a person
    FarthestView farthest;
    TestDistance test_distance;
};

/// Items of one reason.
struct Reason {
    std::string status;
    std::string text;
    std::int64_t items = 0;
    std::vector<std::int64_t> by_region;  ///< [9] or empty
};

/// What oracles did.
struct OracleView {
    std::int64_t results = 0;   ///< read
    std::int64_t left_out = 0;  ///< result files that were not read
    double seconds = 0.0;       ///< sum of what was read
    double median_seconds = not_known;
    double longest_seconds = not_known;
    std::vector<double> edges;                   ///< [bins + 1] seconds
    std::vector<std::int64_t> counts;            ///< [bins]
    std::vector<Reason> reasons;                 ///< failures, most frequent first
    std::vector<std::int64_t> asked_by_region;   ///< [9] or empty: items with a result
    std::vector<std::int64_t> failed_by_region;  ///< [9] or empty
};

/// One queue: items by state.
struct QueueView {
    std::string name;  ///< active, random or test
    std::vector<std::pair<std::string, std::int64_t>> states;
    std::int64_t items = 0;
    queue::QueueWaits waits;
};

/// What stop rules say.
struct Advice {
    std::optional<std::string> decision;           ///< why the campaign ends; nothing: it goes on
    std::vector<campaign::RuleOutcome> rules;      ///< that the campaign has set
    std::vector<campaign::RuleOutcome> customary;  ///< that it has not, at customary thresholds
};

/// A row of the last batch, with the reason why it was chosen.
struct BatchLine {
    ChosenRow chosen;
    double share_above = not_known;  ///< of the pool's sample: scores at least as high
    std::string region;              ///< empty without a map
    std::string reason;
};

/// All that a report says.
struct ReportData {
    std::string directory;
    std::string name;
    std::vector<ArmView> arms;  ///< the campaign's own first
    std::optional<campaign::CampaignSpec> spec;
    Quality quality;
    TestView test;
    PoolView pool;
    OracleView oracle;
    std::vector<QueueView> queues;
    Advice advice;
    std::int64_t batch_round = -1;  ///< of the table below
    std::vector<BatchLine> batch;
    std::vector<Gap> gaps;

    const ArmView& active() const { return arms.front(); }
    const RoundView* last_round() const {
        return active().rounds.empty() ? nullptr : &active().rounds.back();
    }
};

/// `A1` to `C3`: thirds of the pool along the first axis (letters) and the second (numbers).
std::string region_name(std::size_t region);
inline constexpr std::size_t num_regions = 9;

}  // namespace sluice::report
