#include "study/study_files.hpp"

#include "core/text.hpp"
#include "core/version.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>

namespace sluice::study {
namespace {

using Json = nlohmann::ordered_json;

// CSV has no word for a number that is none.
std::string cell(double value) {
    return std::isfinite(value) ? number_text(value) : std::string();
}

std::string cell(const std::optional<double>& value) {
    return value ? cell(*value) : std::string();
}

// JSON neither.
Json json_number(double value) {
    return std::isfinite(value) ? Json(value) : Json();
}

Json json_number(const std::optional<double>& value) {
    return value ? json_number(*value) : Json();
}

bool has_task(const std::vector<DataResult>& results, model::Task task) {
    for (const DataResult& result : results) {
        if (result.task == task) return true;
    }
    return false;
}

// The measures of all tasks in the study, and whether there may be pseudo-labels.
struct Columns {
    std::vector<MeasureDefinition> measures;
    std::string pseudo;  // their heading, or nothing
};

Columns columns_of(const StudyRequest& request, const std::vector<DataResult>& results) {
    Columns columns;
    for (const MeasureDefinition& definition : measure_definitions()) {
        if (has_task(results, *definition.task)) columns.measures.push_back(definition);
    }
    if (request.rules.pseudo.is_used()) columns.pseudo = ",pseudo,pseudo_wrong";
    return columns;
}

std::string pseudo_cells(const RunPoint& point, const Columns& columns) {
    return columns.pseudo.empty() ? "" : fmt::format(",{},{}", point.pseudo, point.wrong);
}

// A point's measures in their columns.
std::string measure_cells(const RunPoint& point, model::Task task, const Columns& columns) {
    std::string text;
    std::size_t which = 0;
    for (const MeasureDefinition& column : columns.measures)
        text += "," + (column.task == task ? cell(point.values[which++]) : std::string());
    return text;
}

std::string run_lines(const std::string& start, const std::vector<RunPoint>& run, model::Task task,
                      const Columns& columns) {
    std::string text;
    for (const RunPoint& point : run) {
        text += fmt::format("{},{},{},{},{}{}{}\n", start, point.round, point.labels, point.asked,
                            number_text(point.cost), measure_cells(point, task, columns),
                            pseudo_cells(point, columns));
    }
    return text;
}

std::string arm_line(const std::string& data, const StudySummary& summary, const ArmSummary& arm) {
    std::string text = fmt::format("{},{},{},{},{},{},{},{},{},{},{}", data, summary.measure.name,
                                   arm.name, arm.final_value.count, cell(arm.final_value.mean),
                                   cell(arm.final_value.half_width), cell(arm.area.mean),
                                   cell(arm.area.half_width), cell(summary.target),
                                   cell(arm.labels_to_target), cell(arm.cost_to_target));
    if (!arm.against_random) return text + ",,,,,,,\n";
    const Estimate& difference = arm.against_random->difference;
    return text + fmt::format(",{},{},{},{},{},{},{}\n", cell(difference.mean),
                              cell(difference.mean - difference.half_width),
                              cell(difference.mean + difference.half_width),
                              cell(arm.against_random->p), cell(arm.adjusted_p),
                              cell(arm.against_random->wins), verdict_text(arm.verdict));
}

Json curve_json(const ArmSummary& arm) {
    Json curve = Json::array();
    for (const MeanPoint& point : arm.curve) {
        curve.push_back({{"labels", json_number(point.labels)},
                         {"cost", json_number(point.cost)},
                         {"mean", json_number(point.value.mean)},
                         {"deviation", json_number(point.value.deviation)},
                         {"half_width", json_number(point.value.half_width)}});
    }
    return curve;
}

Json test_json(const ArmSummary& arm) {
    const PairedTest& test = *arm.against_random;
    return {{"difference", json_number(test.difference.mean)},
            {"low", json_number(test.difference.mean - test.difference.half_width)},
            {"high", json_number(test.difference.mean + test.difference.half_width)},
            {"t", json_number(test.t)},
            {"p", json_number(test.p)},
            {"p_holm", json_number(arm.adjusted_p)},
            {"wins", json_number(test.wins)},
            {"verdict", verdict_text(arm.verdict)}};
}

Json arm_json(const ArmSummary& arm) {
    Json json = {{"strategy", arm.name},
                 {"final", json_number(arm.final_value.mean)},
                 {"final_half_width", json_number(arm.final_value.half_width)},
                 {"area", json_number(arm.area.mean)},
                 {"area_half_width", json_number(arm.area.half_width)},
                 {"labels_to_target", json_number(arm.labels_to_target)},
                 {"cost_to_target", json_number(arm.cost_to_target)}};
    if (arm.against_random) json["against_random"] = test_json(arm);
    json["curve"] = curve_json(arm);
    return json;
}

Json summary_json_of(const StudySummary& summary) {
    Json json = {{"measure", summary.measure.name},
                 {"better", summary.measure.better == Better::higher ? "higher" : "lower"},
                 {"target", json_number(summary.target)},
                 {"target_from", summary.target_text}};
    if (summary.all_labels) json["all_labels"] = json_number(summary.all_labels->mean);
    json["strategies"] = Json::array();
    for (const ArmSummary& arm : summary.arms)
        json["strategies"].push_back(arm_json(arm));
    return json;
}

}  // namespace

std::string curves_csv(const StudyRequest& request, const std::vector<DataResult>& results) {
    const Columns columns = columns_of(request, results);
    std::string text = "data,strategy,seed,round,labels,asked,cost";
    for (const MeasureDefinition& column : columns.measures)
        text += "," + column.name;
    text += columns.pseudo + "\n";
    for (const DataResult& result : results) {
        for (const Arm& arm : result.arms) {
            for (std::size_t seed = 0; seed < arm.runs.size(); ++seed) {
                text += run_lines(
                    fmt::format("{},{},{}", result.name, arm.name, request.first_seed + seed),
                    arm.runs[seed], result.task, columns);
            }
        }
        for (std::size_t seed = 0; seed < result.all_labels.size(); ++seed) {
            text += run_lines(
                fmt::format("{},{},{}", result.name, all_labels_name, request.first_seed + seed),
                {result.all_labels[seed]}, result.task, columns);
        }
    }
    return text;
}

std::string summary_csv(const std::vector<DataResult>& results,
                        std::span<const StudySummary> summaries) {
    std::string text =
        "data,measure,strategy,seeds,final,final_half_width,area,area_half_width,target,"
        "labels_to_target,cost_to_target,difference,difference_low,difference_high,p,p_holm,wins,"
        "verdict\n";
    std::size_t next = 0;
    for (const DataResult& result : results) {
        for (std::size_t which = 0; which < measures_of(result.task).size(); ++which, ++next) {
            for (const ArmSummary& arm : summaries[next].arms)
                text += arm_line(result.name, summaries[next], arm);
        }
    }
    return text;
}

std::string summary_json(const StudyRequest& request, const std::vector<DataResult>& results,
                         std::span<const StudySummary> summaries) {
    Json json;
    json["format"] = "sluice-study-1";
    json["sluice"] = version_text();
    json["options"] = request.options_text;
    json["data"] = Json::array();
    std::size_t next = 0;
    for (const DataResult& result : results) {
        Json data = {{"name", result.name},       {"task", model::task_name(result.task)},
                     {"rows", result.rows},       {"dim", result.dim},
                     {"outputs", result.outputs}, {"test_rows", result.test_rows},
                     {"measures", Json::array()}};
        for (const Arm& arm : result.arms) {
            const PseudoCount count = count_pseudo(arm);
            if (count.labels == 0) continue;
            data["pseudo"].push_back(
                {{"strategy", arm.name}, {"labels", count.labels}, {"wrong", count.wrong}});
        }
        for (std::size_t which = 0; which < measures_of(result.task).size(); ++which)
            data["measures"].push_back(summary_json_of(summaries[next++]));
        json["data"].push_back(std::move(data));
    }
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace sluice::study
