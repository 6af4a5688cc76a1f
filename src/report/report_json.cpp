#include "report/report_json.hpp"

#include "core/text.hpp"
#include "model/committee.hpp"
#include "report/json_parts.hpp"

namespace sluice::report {
namespace {

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
        json["covering_radius"] = number_json(round.batch->covering_radius);
        json["redundancy"] = number_json(round.batch->redundancy);
    }
    if (round.record) {
        json["labels"] = round.record->labels;
        json["cost"] = number_json(round.record->cost);
        json["candidates_left"] = round.record->candidates_left;
        for (const auto& [name, value] : round.record->metrics)
            json["metrics"][name] = number_json(value);
        json["stop_set"] = {{"uncertainty", number_json(round.record->uncertainty)},
                            {"kappa", number_json(round.record->kappa)},
                            {"delta_f", number_json(round.record->delta_f)},
                            {"change", number_json(round.record->change)}};
    }
    if (round.timings) {
        for (const auto& [step, seconds] : round.timings->seconds)
            json["seconds"][step] = number_json(seconds);
        json["oracle_seconds"] = number_json(round.timings->oracle_seconds);
        for (const auto& [step, ranks] : round.timings->ranks) {
            for (const campaign::RankUse& use : ranks) {
                json["ranks"][step].push_back({{"cpu_seconds", number_json(use.cpu_seconds)},
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
    return {{"mean", number_json(difference.mean)},
            {"half_width", number_json(difference.half_width)},
            {"p", number_json(difference.p)}};
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
                              {"labels", number_json(point.labels)},
                              {"cost", number_json(point.cost)},
                              {"value", number_json(point.value)},
                              {"half_width", number_json(point.half_width)},
                              {"gain_per_100_labels", number_json(point.gain_per_100_labels)},
                              {"full_data_share", number_json(point.full_data_share)}});
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
            {"labels_to_match", number_json(comparison.labels_to_match)},
            {"random_labels", number_json(comparison.random_labels)},
            {"gain_per_100_labels", number_json(quality.gain_per_100_labels)},
            {"full_data", number_json(quality.full_data_value)}};
}

Json test_json(const TestView& test) {
    if (test.round < 0) return nullptr;
    Json bins = Json::array();
    for (const CalibrationBin& bin : test.calibration)
        bins.push_back(
            {{"rows", bin.rows}, {"said", number_json(bin.said)}, {"came", number_json(bin.came)}});
    Json targets = Json::array();
    for (std::size_t i = 0; i < test.targets.size(); ++i) {
        Json points = Json::array();
        for (const ParityPoint& point : test.parity[i])
            points.push_back({number_json(point.truth), number_json(point.predicted)});
        targets.push_back({{"name", test.targets[i]}, {"truth_and_prediction", points}});
    }
    return {{"model_round", test.round},
            {"task", std::string(model::task_name(test.task))},
            {"rows", test.rows},
            {"calibration", bins},
            {"calibration_error", number_json(test.calibration_error)},
            {"targets", targets}};
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
            {"seconds", number_json(oracle.seconds)},
            {"median_seconds", number_json(oracle.median_seconds)},
            {"longest_seconds", number_json(oracle.longest_seconds)},
            {"edges", oracle.edges},
            {"counts", oracle.counts},
            {"failures", reasons},
            {"asked_by_region", oracle.asked_by_region},
            {"failed_by_region", oracle.failed_by_region}};
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
            y.push_back(number_json(value));
        rows.push_back({{"rank", line.chosen.rank},
                        {"row", line.chosen.row},
                        {"id", printable(line.chosen.id)},
                        {"score", number_json(line.chosen.score)},
                        {"distance", number_json(line.chosen.distance)},
                        {"status", line.chosen.status},
                        {"y", y},
                        {"share_above", number_json(line.share_above)},
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
