#include "campaign/campaign_history.hpp"

#include "core/text.hpp"

#include <fmt/format.h>

#include <cmath>
#include <set>

namespace sluice::campaign {
namespace {

std::string cell(const std::optional<double>& value) {
    return value && std::isfinite(*value) ? "," + number_text(*value) : ",";
}

std::optional<double> metric_of(const RoundRecord& record, const std::string& name) {
    const auto found = record.metrics.find(name);
    return found == record.metrics.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

std::optional<RoundRecord> stored_record(const CampaignContext& context, std::int64_t round) {
    const Arm& arm = context.active();
    if (!is_complete(arm, round)) return std::nullopt;
    std::optional<RoundRecord> record = read_record(arm, round);
    if (!record) return std::nullopt;
    for (std::int64_t before = context.spec.first_round(); before <= round; ++before) {
        const RoundTimings timings = read_timings(arm, before).value_or(RoundTimings{});
        record->seconds += timings.total();
        record->oracle_seconds = timings.oracle_seconds;
    }
    return record;
}

std::vector<RoundRecord> stored_history(const CampaignContext& context) {
    std::vector<RoundRecord> history;
    for (std::int64_t round = context.spec.first_round();; ++round) {
        const std::optional<RoundRecord> record = stored_record(context, round);
        if (!record) return history;
        history.push_back(*record);
    }
}

std::vector<CurvePoint> stored_curve(const CampaignContext& context) {
    std::vector<CurvePoint> points;
    for (std::int64_t round = context.spec.first_round(); is_complete(context.active(), round);
         ++round) {
        for (const Arm& arm : context.arms) {
            const auto record = read_record(context.owner(arm, round), round);
            if (record) points.push_back({arm.name, *record});
        }
    }
    return points;
}

std::string curve_csv(const std::vector<CurvePoint>& points) {
    std::set<std::string> names;
    for (const CurvePoint& point : points) {
        for (const auto& [name, value] : point.record.metrics)
            names.insert(name);
    }
    std::string text = "round,arm,labels,cost";
    for (const std::string& name : names)
        text += "," + name;
    text += ",uncertainty,kappa,delta_f,change\n";
    for (const CurvePoint& point : points) {
        const RoundRecord& record = point.record;
        text += fmt::format("{},{},{},{}", record.round, point.arm, record.labels,
                            number_text(record.cost));
        for (const std::string& name : names)
            text += cell(metric_of(record, name));
        text += cell(record.uncertainty) + cell(record.kappa) + cell(record.delta_f) +
                cell(record.change) + "\n";
    }
    return text;
}

}  // namespace sluice::campaign
