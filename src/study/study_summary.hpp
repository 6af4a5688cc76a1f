#pragma once

#include "study/measures.hpp"
#include "study/statistics.hpp"
#include "study/study.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::study {

/// What a paired test against the random arm allows to say.
enum class Verdict { better, worse, no_difference_seen };
std::string_view verdict_text(Verdict verdict);

/// Largest adjusted p at which a difference counts as seen.
inline constexpr double significance_level = 0.05;

/// A point of the mean curve.
struct MeanPoint {
    double labels = 0.0;  ///< mean over the seeds
    double cost = 0.0;    ///< mean over the seeds
    Estimate value;
};

/// One arm under one measure.
struct ArmSummary {
    std::string name;
    std::vector<MeanPoint> curve;  ///< as long as every seed's run
    Estimate final_value;
    Estimate area;  ///< under each seed's curve, over labels or, where costs differ, over cost
    std::optional<double> labels_to_target;  ///< of the mean curve
    std::optional<double> cost_to_target;
    std::optional<PairedTest> against_random;  ///< areas, paired by seed; not for the random arm
    double adjusted_p = 0.0;                   ///< Holm, over the arms of this data set
    Verdict verdict = Verdict::no_difference_seen;
};

/// One data set under one measure.
struct StudySummary {
    MeasureDefinition measure;
    double target = 0.0;
    std::string target_text;  ///< where the target comes from
    std::vector<ArmSummary> arms;
    std::optional<Estimate> all_labels;
};

/// The pseudo-labels of all trainings of an arm.
struct PseudoCount {
    std::int64_t labels = 0;
    std::int64_t wrong = 0;      ///< of which so many name another class than the true one
    std::int64_t trainings = 0;  ///< that had some
};
PseudoCount count_pseudo(const Arm& arm);

/// Sums up a data set under the measure number `which` of its task. The target is the request's
/// where it is of this measure, else what the random arm ends with on average.
StudySummary summarize(const DataResult& result, std::size_t which, const StudyRequest& request);

/// The measure that the request's report is about, as its number among those of the task.
std::size_t reported_measure(model::Task task, const StudyRequest& request);

}  // namespace sluice::study
