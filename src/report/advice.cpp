#include "report/advice.hpp"

#include <algorithm>
#include <string>

namespace sluice::report {
namespace {

using campaign::RoundRecord;
using campaign::StopRules;

// Records of the complete rounds, with the seconds of all rounds up to each.
std::vector<RoundRecord> history_of(const ReportData& data) {
    std::vector<RoundRecord> history;
    double seconds = 0.0;
    for (const RoundView& round : data.active().rounds) {
        if (round.timings) seconds += round.timings->total();
        if (!round.is_complete || !round.record) break;
        RoundRecord record = *round.record;
        record.seconds = seconds;
        if (round.timings) record.oracle_seconds = round.timings->oracle_seconds;
        history.push_back(record);
    }
    return history;
}

// Thresholds of the papers named in StopRules, where a campaign has not set its own.
StopRules customary_rules(const ReportData& data) {
    StopRules rules;
    const StopRules set = data.spec ? data.spec->stop : StopRules{};
    if (!set.plateau && !data.quality.metric.empty())
        rules.plateau = {data.quality.metric, 3, 0.01};
    const bool is_regression = data.test.round >= 0 && data.test.task == model::Task::regression;
    if (!set.kappa && !is_regression) rules.kappa = {0.99, 3};
    if (!set.delta_f && !is_regression) rules.delta_f = {0.05, 3};
    if (!set.change) rules.change = 0.01;
    return rules;
}

}  // namespace

void advise(ReportData& data) {
    const std::vector<RoundRecord> history = history_of(data);
    if (history.empty()) return;
    if (data.spec) {
        data.advice.rules = campaign::judge_rules(data.spec->stop, history);
        data.advice.decision = campaign::decide(data.spec->stop, history);
    }
    for (campaign::RuleOutcome& outcome : campaign::judge_rules(customary_rules(data), history)) {
        const bool is_limit = outcome.name == "rounds" || outcome.name == "pool";
        if (!is_limit) data.advice.customary.push_back(std::move(outcome));
    }
}

}  // namespace sluice::report
