#include "campaign/stop_rules.hpp"

#include "core/text.hpp"
#include "model/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace sluice::campaign {
namespace {

using History = std::vector<RoundRecord>;

constexpr double seconds_per_hour = 3600.0;

bool is_lower_better(const std::string& metric) {
    const model::MetricDefinition* definition = model::find_metric(metric);
    return definition != nullptr && definition->better == model::Better::lower;
}

std::optional<double> metric_of(const RoundRecord& record, const std::string& name) {
    const auto found = record.metrics.find(name);
    if (found == record.metrics.end() || !std::isfinite(found->second)) return std::nullopt;
    return found->second;
}

// The values that some rounds have, in order.
template <typename Get>
std::vector<double> values_of(const History& history, const Get& get) {
    std::vector<double> values;
    for (const RoundRecord& record : history) {
        if (const std::optional<double> value = get(record)) values.push_back(*value);
    }
    return values;
}

RuleOutcome not_yet(const std::string& name, const std::string& what) {
    return {name, false, name + ": " + what};
}

RuleOutcome judge_budget(const std::string& name, double spent, double budget) {
    return {name, spent >= budget, fmt::format("{}: {:.6g} of {:.6g}", name, spent, budget)};
}

RuleOutcome judge_target(const TargetRule& rule, const RoundRecord& last) {
    const std::optional<double> value = metric_of(last, rule.metric);
    if (!value) return not_yet("target", "no " + rule.metric + " yet");
    const bool lower = is_lower_better(rule.metric);
    const bool holds = lower ? *value <= rule.value : *value >= rule.value;
    return {"target", holds,
            fmt::format("target: {} {:.6g}, {} {:.6g}", rule.metric, *value,
                        lower ? "at most" : "at least", rule.value)};
}

RuleOutcome judge_plateau(const PlateauRule& rule, const History& history) {
    std::vector<double> values = values_of(
        history, [&](const RoundRecord& record) { return metric_of(record, rule.metric); });
    const auto window = static_cast<std::size_t>(rule.window);
    if (values.size() <= window) {
        return not_yet("plateau", fmt::format("{} of {} values of {}", values.size(), window + 1,
                                              rule.metric));
    }
    if (is_lower_better(rule.metric)) {
        for (double& value : values)
            value = -value;
    }
    const auto recent = values.end() - static_cast<std::ptrdiff_t>(window);
    const double before = *std::max_element(values.begin(), recent);
    const double gain = *std::max_element(recent, values.end()) - before;
    const double least = rule.epsilon * std::fabs(before);
    return {"plateau", gain < least,
            fmt::format("plateau: {} gained {:.6g} in {} rounds, {:.6g} would go on", rule.metric,
                        gain, window, least)};
}

RuleOutcome judge_kappa(const WindowRule& rule, const History& history) {
    const std::vector<double> values =
        values_of(history, [](const RoundRecord& record) { return record.kappa; });
    const auto window = static_cast<std::size_t>(rule.window);
    if (values.size() < window) {
        return not_yet("kappa", fmt::format("{} of {} values", values.size(), window));
    }
    double sum = 0.0;
    for (std::size_t i = values.size() - window; i < values.size(); ++i)
        sum += values[i];
    const double mean = sum / static_cast<double>(window);
    return {"kappa", mean >= rule.threshold,
            fmt::format("kappa: mean {:.6g} of the last {}, at least {:.6g}", mean, window,
                        rule.threshold)};
}

RuleOutcome judge_delta_f(const WindowRule& rule, const History& history) {
    const std::vector<double> values =
        values_of(history, [](const RoundRecord& record) { return record.delta_f; });
    const auto window = static_cast<std::size_t>(rule.window);
    if (values.size() < window) {
        return not_yet("delta-f", fmt::format("{} of {} values", values.size(), window));
    }
    const double largest =
        *std::max_element(values.end() - static_cast<std::ptrdiff_t>(window), values.end());
    return {"delta-f", largest < rule.threshold,
            fmt::format("delta-f: at most {:.6g} in the last {}, below {:.6g}", largest, window,
                        rule.threshold)};
}

RuleOutcome judge_change(double threshold, const RoundRecord& last) {
    if (!last.change) return not_yet("change", "no two models yet");
    return {"change", *last.change <= threshold,
            fmt::format("change: {:.6g}, at most {:.6g}", *last.change, threshold)};
}

RuleOutcome judge_uncertainty(double threshold, const RoundRecord& last) {
    if (!last.uncertainty) return not_yet("uncertainty", "no model yet");
    return {"uncertainty", *last.uncertainty < threshold,
            fmt::format("uncertainty: {:.6g}, below {:.6g}", *last.uncertainty, threshold)};
}

// The rules that `any` and `all` are about.
std::vector<RuleOutcome> judge_chosen(const StopRules& rules, const History& history) {
    const RoundRecord& last = history.back();
    std::vector<RuleOutcome> outcomes;
    const auto budget = [&](const char* name, double spent, const auto& limit) {
        if (limit) outcomes.push_back(judge_budget(name, spent, static_cast<double>(*limit)));
    };
    budget("labels", static_cast<double>(last.labels), rules.labels);
    budget("cost", last.cost, rules.cost);
    budget("hours", last.seconds / seconds_per_hour, rules.hours);
    budget("oracle-hours", last.oracle_seconds / seconds_per_hour, rules.oracle_hours);
    if (rules.target) outcomes.push_back(judge_target(*rules.target, last));
    if (rules.plateau) outcomes.push_back(judge_plateau(*rules.plateau, history));
    if (rules.kappa) outcomes.push_back(judge_kappa(*rules.kappa, history));
    if (rules.delta_f) outcomes.push_back(judge_delta_f(*rules.delta_f, history));
    if (rules.change) outcomes.push_back(judge_change(*rules.change, last));
    if (rules.uncertainty) outcomes.push_back(judge_uncertainty(*rules.uncertainty, last));
    return outcomes;
}

// The rules that end a campaign whatever the others say.
std::vector<RuleOutcome> judge_limits(const StopRules& rules, const History& history) {
    const RoundRecord& last = history.back();
    std::vector<RuleOutcome> outcomes;
    if (rules.rounds > 0) {
        outcomes.push_back({"rounds", last.round >= rules.rounds,
                            fmt::format("rounds: {} of {}", last.round, rules.rounds)});
    }
    outcomes.push_back(
        {"pool", last.candidates_left <= 0,
         fmt::format("pool: {} rows left to ask for", count_text(last.candidates_left))});
    return outcomes;
}

std::string joined(const std::vector<RuleOutcome>& outcomes) {
    std::string text;
    for (const RuleOutcome& outcome : outcomes)
        text += (text.empty() ? "" : "; ") + outcome.text;
    return text;
}

bool holds(const RuleOutcome& outcome) {
    return outcome.holds;
}

}  // namespace

std::vector<RuleOutcome> judge_rules(const StopRules& rules, const History& history) {
    if (history.empty()) return {};
    std::vector<RuleOutcome> outcomes = judge_limits(rules, history);
    const std::vector<RuleOutcome> chosen = judge_chosen(rules, history);
    outcomes.insert(outcomes.end(), chosen.begin(), chosen.end());
    return outcomes;
}

std::optional<std::string> decide(const StopRules& rules, const History& history) {
    if (history.empty()) return std::nullopt;
    std::vector<RuleOutcome> ends = judge_limits(rules, history);
    std::erase_if(ends, [](const RuleOutcome& outcome) { return !outcome.holds; });
    const std::vector<RuleOutcome> chosen = judge_chosen(rules, history);
    const bool is_end = rules.combine == StopRules::Combine::any
                            ? std::ranges::any_of(chosen, holds)
                            : !chosen.empty() && std::ranges::all_of(chosen, holds);
    if (is_end) std::ranges::copy_if(chosen, std::back_inserter(ends), holds);
    if (ends.empty()) return std::nullopt;
    return joined(ends);
}

std::optional<std::int64_t> first_stop(const StopRules& rules, const History& history) {
    History so_far;
    for (const RoundRecord& record : history) {
        so_far.push_back(record);
        if (decide(rules, so_far)) return record.round;
    }
    return std::nullopt;
}

}  // namespace sluice::campaign
