#include "study/study_summary.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::study {
namespace {

using Costs = StudyReading::Costs;

// What a point stands at: its labels, or their cost where costs differ.
double amount(const RunPoint& point, Costs costs) {
    return costs == Costs::equal ? static_cast<double>(point.labels) : point.cost;
}

LearningCurve curve_of(const std::vector<RunPoint>& run, std::size_t which, Costs costs) {
    LearningCurve curve;
    for (const RunPoint& point : run) {
        curve.labels.push_back(amount(point, costs));
        curve.values.push_back(point.values[which]);
    }
    return curve;
}

// Areas by seed, each as far as all arms of that seed have come.
std::vector<double> areas_of(const DataResult& result, const Arm& arm, std::size_t which,
                             Costs costs) {
    std::vector<double> areas;
    for (std::size_t seed = 0; seed < arm.runs.size(); ++seed) {
        double end = amount(arm.runs[seed].back(), costs);
        for (const Arm& other : result.arms)
            end = std::min(end, amount(other.runs[seed].back(), costs));
        areas.push_back(area_under_curve(curve_until(curve_of(arm.runs[seed], which, costs), end)));
    }
    return areas;
}

MeanPoint mean_point(const Arm& arm, std::size_t round, std::size_t which) {
    MeanPoint mean;
    std::vector<double> values;
    for (const std::vector<RunPoint>& run : arm.runs) {
        mean.labels += static_cast<double>(run[round].labels);
        mean.cost += run[round].cost;
        values.push_back(run[round].values[which]);
    }
    mean.labels /= static_cast<double>(arm.runs.size());
    mean.cost /= static_cast<double>(arm.runs.size());
    mean.value = estimate(values);
    return mean;
}

ArmSummary arm_summary(const DataResult& result, const Arm& arm, std::size_t which, Costs costs) {
    ArmSummary summary;
    summary.name = arm.name;
    std::size_t rounds = arm.runs.front().size();
    std::vector<double> finals;
    for (const std::vector<RunPoint>& run : arm.runs) {
        rounds = std::min(rounds, run.size());
        finals.push_back(run.back().values[which]);
    }
    for (std::size_t round = 0; round < rounds; ++round)
        summary.curve.push_back(mean_point(arm, round, which));
    summary.final_value = estimate(finals);
    summary.area = estimate(areas_of(result, arm, which, costs));
    return summary;
}

void choose_target(const StudyRequest& request, std::size_t which, model::Task task,
                   StudySummary& summary) {
    summary.target = summary.arms.front().final_value.mean;
    summary.target_text = "what random ends with";
    if (which != reported_measure(task, request)) return;
    if (request.target) {
        summary.target = *request.target;
        summary.target_text = "as asked";
    }
    if (request.within && summary.all_labels) {
        const double sign = summary.measure.better == Better::higher ? -1.0 : 1.0;
        summary.target = summary.all_labels->mean + sign * *request.within;
        summary.target_text = "within " + number_text(*request.within) + " of a label for all rows";
    }
}

void find_target(const StudySummary& study, ArmSummary& arm) {
    LearningCurve by_labels;
    LearningCurve by_cost;
    for (const MeanPoint& point : arm.curve) {
        by_labels.labels.push_back(point.labels);
        by_labels.values.push_back(point.value.mean);
        by_cost.labels.push_back(point.cost);
        by_cost.values.push_back(point.value.mean);
    }
    arm.labels_to_target = labels_to_reach(by_labels, study.target, study.measure.better);
    arm.cost_to_target = labels_to_reach(by_cost, study.target, study.measure.better);
}

void judge(const DataResult& result, std::size_t which, Costs costs, StudySummary& summary) {
    const std::vector<double> random = areas_of(result, result.arms.front(), which, costs);
    std::vector<double> p;
    for (std::size_t i = 1; i < summary.arms.size(); ++i) {
        summary.arms[i].against_random = paired_test(
            random, areas_of(result, result.arms[i], which, costs), summary.measure.better);
        p.push_back(summary.arms[i].against_random->p);
    }
    const std::vector<double> adjusted = holm_adjusted(p);
    for (std::size_t i = 1; i < summary.arms.size(); ++i) {
        ArmSummary& arm = summary.arms[i];
        arm.adjusted_p = adjusted[i - 1];
        if (!(arm.adjusted_p < significance_level)) continue;
        const bool is_higher = arm.against_random->difference.mean > 0.0;
        const bool is_better = is_higher == (summary.measure.better == Better::higher);
        arm.verdict = is_better ? Verdict::better : Verdict::worse;
    }
}

}  // namespace

std::string_view verdict_text(Verdict verdict) {
    switch (verdict) {
        case Verdict::better:
            return "better";
        case Verdict::worse:
            return "worse";
        default:
            return "no difference seen";
    }
}

PseudoCount count_pseudo(const Arm& arm) {
    PseudoCount count;
    for (const std::vector<RunPoint>& run : arm.runs) {
        for (const RunPoint& point : run) {
            count.labels += point.pseudo;
            count.wrong += point.wrong;
            count.trainings += point.pseudo > 0 ? 1 : 0;
        }
    }
    return count;
}

StudySummary summarize(const DataResult& result, std::size_t which, const StudyRequest& request) {
    StudySummary summary;
    summary.measure = measures_of(result.task)[which];
    for (const Arm& arm : result.arms)
        summary.arms.push_back(arm_summary(result, arm, which, request.reading.costs));
    if (!result.all_labels.empty()) {
        std::vector<double> values;
        for (const RunPoint& point : result.all_labels)
            values.push_back(point.values[which]);
        summary.all_labels = estimate(values);
    }
    choose_target(request, which, result.task, summary);
    for (ArmSummary& arm : summary.arms)
        find_target(summary, arm);
    judge(result, which, request.reading.costs, summary);
    return summary;
}

std::size_t reported_measure(model::Task task, const StudyRequest& request) {
    const std::vector<MeasureDefinition> measures = measures_of(task);
    for (std::size_t i = 0; i < measures.size(); ++i) {
        if (measures[i].name == request.measure) return i;
    }
    return 0;
}

}  // namespace sluice::study
