#include "report/report_json.hpp"

#include "core/text.hpp"
#include "model/committee.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

namespace sluice::report {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) {
    return std::isfinite(value) ? Json(value) : Json();
}

Json number(const std::optional<double>& value) {
    return value ? number(*value) : Json();
}

Json round_json(const RoundView& round) {
    Json json{{"round", round.round},
              {"complete", round.is_complete},
              {"chosen", std::ssize(round.chosen)},
              {"ok", round.num_ok},
              {"failed", round.num_failed}};
    if (round.plan) {
        json["score"] = round.plan->strategy.score;
        json["diversify"] = round.plan->strategy.diversity;
        json["model_round"] = round.plan->model_round;
    }
    if (round.batch) {
        json["batch"] = round.batch->id;
        json["candidates"] = round.batch->candidates;
        json["covering_radius"] = number(round.batch->covering_radius);
        json["redundancy"] = number(round.batch->redundancy);
    }
    if (round.record) {
        json["labels"] = round.record->labels;
        json["cost"] = number(round.record->cost);
        json["candidates_left"] = round.record->candidates_left;
        for (const auto& [name, value] : round.record->metrics)
            json["metrics"][name] = number(value);
        json["stop_set"] = {{"uncertainty", number(round.record->uncertainty)},
                            {"kappa", number(round.record->kappa)},
                            {"delta_f", number(round.record->delta_f)},
                            {"change", number(round.record->change)}};
    }
    if (round.timings) {
        for (const auto& [step, seconds] : round.timings->seconds)
            json["seconds"][step] = number(seconds);
        json["oracle_seconds"] = number(round.timings->oracle_seconds);
        for (const auto& [step, ranks] : round.timings->ranks) {
            for (const campaign::RankUse& use : ranks) {
                json["ranks"][step].push_back({{"cpu_seconds", number(use.cpu_seconds)},
                                               {"bytes_read", use.bytes_read},
                                               {"bytes_received", use.bytes_received}});
            }
        }
    }
    if (round.versions) {
        json["versions"] = {{"sluice", round.versions->sluice}, {"pool", round.versions->pool},
                            {"oracle", round.versions->oracle}, {"batch", round.versions->batch},
                            {"labels", round.versions->labels}, {"model", round.versions->model}};
    }
    return json;
}

Json arms_json(const ReportData& data) {
    Json arms = Json::array();
    for (const ArmView& arm : data.arms) {
        Json rounds = Json::array();
        for (const RoundView& round : arm.rounds)
            rounds.push_back(round_json(round));
        arms.push_back({{"arm", arm.arm.name}, {"rounds", rounds}});
    }
    return arms;
}

Json difference_json(const Difference& difference) {
    return {{"mean", number(difference.mean)},
            {"half_width", number(difference.half_width)},
            {"p", number(difference.p)}};
}

std::string verdict_name(Verdict verdict) {
    switch (verdict) {
        case Verdict::better:
            return "better";
        case Verdict::worse:
            return "worse";
        case Verdict::no_difference:
            return "no difference seen";
        default:
            return "not comparable";
    }
}

Json quality_json(const Quality& quality) {
    Json curves = Json::array();
    for (const MetricCurve& curve : quality.curves) {
        Json points = Json::array();
        for (const MetricPoint& point : curve.points) {
            points.push_back({{"round", point.round},
                              {"labels", number(point.labels)},
                              {"cost", number(point.cost)},
                              {"value", number(point.value)},
                              {"half_width", number(point.half_width)}});
        }
        curves.push_back({{"arm", curve.arm}, {"points", points}});
    }
    const Comparison& comparison = quality.comparison;
    return {{"metric", quality.metric},
            {"better", quality.better == model::Better::higher ? "higher" : "lower"},
            {"test_rows", quality.test_rows},
            {"curves", curves},
            {"verdict", verdict_name(comparison.verdict)},
            {"rounds_compared", comparison.rounds},
            {"mean_of_rounds", difference_json(comparison.mean_of_rounds)},
            {"last_round", difference_json(comparison.last_round)},
            {"labels_to_match", number(comparison.labels_to_match)},
            {"random_labels", number(comparison.random_labels)},
            {"gain_per_100_labels", number(quality.gain_per_100_labels)}};
}

Json test_json(const TestView& test) {
    if (test.round < 0) return nullptr;
    Json bins = Json::array();
    for (const CalibrationBin& bin : test.calibration)
        bins.push_back(
            {{"rows", bin.rows}, {"said", number(bin.said)}, {"came", number(bin.came)}});
    Json targets = Json::array();
    for (std::size_t i = 0; i < test.targets.size(); ++i) {
        Json points = Json::array();
        for (const ParityPoint& point : test.parity[i])
            points.push_back({number(point.truth), number(point.predicted)});
        targets.push_back({{"name", test.targets[i]}, {"truth_and_prediction", points}});
    }
    return {{"model_round", test.round},
            {"task", std::string(model::task_name(test.task))},
            {"rows", test.rows},
            {"calibration", bins},
            {"calibration_error", number(test.calibration_error)},
            {"targets", targets}};
}

Json points_json(const std::vector<MapPoint>& points) {
    Json json = Json::array();
    for (const MapPoint& point : points)
        json.push_back({{"row", point.row}, {"x", number(point.x)}, {"y", number(point.y)}});
    return json;
}

Json map_json(const MapView& map) {
    if (map.dim == 0) return nullptr;
    return {{"features", map.dim},
            {"axis_rows", map.axis_rows},
            {"variance_share", {number(map.share[0]), number(map.share[1])}},
            {"x_range", {number(map.x_low), number(map.x_high)}},
            {"y_range", {number(map.y_low), number(map.y_high)}},
            {"columns", map.columns},
            {"rows", map.rows},
            {"counts", map.counts},
            {"x_thirds", {number(map.x_cuts[0]), number(map.x_cuts[1])}},
            {"y_thirds", {number(map.y_cuts[0]), number(map.y_cuts[1])}},
            {"labeled", points_json(map.labeled)},
            {"chosen", points_json(map.chosen)},
            {"failed", points_json(map.failed)}};
}

Json score_json(const ScoreView& score) {
    if (score.round < 0) return nullptr;
    return {{"score", score.score},
            {"batch_round", score.round},
            {"model_round", score.model_round},
            {"logarithmic", score.is_logarithmic},
            {"edges", score.edges},
            {"pool", score.pool},
            {"chosen", score.chosen},
            {"refused", score.refused}};
}

Json shares_json(const std::vector<Share>& shares) {
    Json json = Json::array();
    for (const Share& share : shares) {
        json.push_back({{"name", share.name},
                        {"pool", number(share.pool)},
                        {"batch", number(share.batch)},
                        {"labels", number(share.labels)}});
    }
    return json;
}

Json pool_json(const PoolView& pool) {
    return {{"rows", pool.num_rows},
            {"sample_rows", pool.sample_rows},
            {"sample_rows_not_finite", pool.skipped},
            {"map", map_json(pool.map)},
            {"scores", score_json(pool.score)},
            {"classes", shares_json(pool.classes)},
            {"largest_class_share", number(pool.largest_class_share)},
            {"groups", shares_json(pool.groups)},
            {"num_groups", pool.num_groups},
            {"regions", shares_json(pool.regions)}};
}

Json oracle_json(const OracleView& oracle) {
    Json reasons = Json::array();
    for (const Reason& reason : oracle.reasons) {
        reasons.push_back({{"status", reason.status},
                           {"reason", printable(reason.text)},
                           {"items", reason.items},
                           {"by_region", reason.by_region}});
    }
    return {{"results", oracle.results},
            {"files_left_out", oracle.left_out},
            {"seconds", number(oracle.seconds)},
            {"median_seconds", number(oracle.median_seconds)},
            {"longest_seconds", number(oracle.longest_seconds)},
            {"edges", oracle.edges},
            {"counts", oracle.counts},
            {"failures", reasons},
            {"asked_by_region", oracle.asked_by_region},
            {"failed_by_region", oracle.failed_by_region}};
}

Json queues_json(const std::vector<QueueView>& queues) {
    Json json = Json::array();
    for (const QueueView& queue : queues) {
        Json states = Json::object();
        for (const auto& [state, count] : queue.states)
            states[state] = count;
        json.push_back({{"queue", queue.name}, {"items", queue.items}, {"states", states}});
    }
    return json;
}

Json rules_json(const std::vector<campaign::RuleOutcome>& rules) {
    Json json = Json::array();
    for (const campaign::RuleOutcome& rule : rules)
        json.push_back({{"rule", rule.name}, {"holds", rule.holds}, {"text", rule.text}});
    return json;
}

Json batch_json(const ReportData& data) {
    Json rows = Json::array();
    for (const BatchLine& line : data.batch) {
        Json y = Json::array();
        for (const double value : line.chosen.y)
            y.push_back(number(value));
        rows.push_back({{"rank", line.chosen.rank},
                        {"row", line.chosen.row},
                        {"id", printable(line.chosen.id)},
                        {"score", number(line.chosen.score)},
                        {"distance", number(line.chosen.distance)},
                        {"status", line.chosen.status},
                        {"y", y},
                        {"share_above", number(line.share_above)},
                        {"region", line.region},
                        {"reason", line.reason}});
    }
    return {{"round", data.batch_round}, {"rows", rows}};
}

}  // namespace

std::string report_json(const ReportData& data) {
    Json gaps = Json::array();
    for (const Gap& gap : data.gaps)
        gaps.push_back({{"part", gap.part}, {"reason", gap.reason}});
    const Json json{{"format", "sluice-report"},
                    {"format_version", 1},
                    {"campaign", data.name},
                    {"missing", gaps},
                    {"quality", quality_json(data.quality)},
                    {"test", test_json(data.test)},
                    {"arms", arms_json(data)},
                    {"pool", pool_json(data.pool)},
                    {"batch", batch_json(data)},
                    {"oracle", oracle_json(data.oracle)},
                    {"queues", queues_json(data.queues)},
                    {"advice",
                     {{"decision", data.advice.decision ? Json(*data.advice.decision) : Json()},
                      {"rules", rules_json(data.advice.rules)},
                      {"customary", rules_json(data.advice.customary)}}}};
    return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace sluice::report
