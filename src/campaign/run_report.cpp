#include "campaign/run_report.hpp"

#include "campaign/campaign_keys.hpp"
#include "campaign/round_labels.hpp"
#include "campaign/round_model.hpp"
#include "campaign/settle_batch.hpp"
#include "core/durable_file.hpp"
#include "core/text.hpp"
#include "model/metrics.hpp"
#include "queue/layout.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <vector>

namespace sluice::campaign {
namespace {

constexpr const char* indent = "          ";

// `0.912 (random 0.871)`
std::string metric_text(const std::string& name, const RoundRecord& record,
                        const std::optional<RoundRecord>& random) {
    const auto found = record.metrics.find(name);
    if (found == record.metrics.end()) return {};
    std::string text = fmt::format("{} {:.4g}", name, found->second);
    if (!random) return text;
    const auto other = random->metrics.find(name);
    if (other != random->metrics.end()) text += fmt::format(" (random {:.4g})", other->second);
    return text;
}

std::string stop_set_text(const RoundRecord& record) {
    std::vector<std::string> parts;
    const auto add = [&](const char* name, const std::optional<double>& value) {
        if (value) parts.push_back(fmt::format("{} {:.4g}", name, *value));
    };
    add("uncertainty", record.uncertainty);
    add("kappa", record.kappa);
    add("delta-f", record.delta_f);
    add("change", record.change);
    return fmt::format("{}", fmt::join(parts, ", "));
}

std::optional<RoundRecord> random_record(const CampaignContext& context, std::int64_t round) {
    if (context.arms.size() < 2) return std::nullopt;
    return read_record(context.owner(context.arms[1], round), round);
}

// `20 rows by bald, then k_center; 1 without a label`
std::string batch_text(const CampaignContext& context, std::int64_t round) {
    const Arm& arm = context.active();
    const auto plan = read_plan(arm, round);
    const auto batch = read_batch(arm, round);
    if (round == 0) return "labels that were there";
    if (!plan || !batch) return "no batch";
    const std::string path = arm.file(round, round_file::labels);
    const LabelCounts counts = count_labels(read_text_file(path), path);
    const std::string diversity =
        plan->strategy.diversity == "none" ? "" : ", then " + plan->strategy.diversity;
    const std::string items =
        batch->items ? fmt::format(" of {} items", count_text(*batch->items)) : "";
    std::string text = fmt::format("{} rows{} by {}{}", count_text(batch->chosen), items,
                                   plan->strategy.score, diversity);
    if (counts.failed > 0) text += fmt::format("; {} without a label", count_text(counts.failed));
    return text;
}

std::string outcomes_text(const std::vector<RuleOutcome>& outcomes) {
    std::string text;
    for (const RuleOutcome& outcome : outcomes)
        text +=
            fmt::format("\n{}{}{}", indent, outcome.holds ? "holds   " : "        ", outcome.text);
    return text;
}

std::string config_text(const CampaignSpec& spec) {
    std::string text;
    std::string section;
    for (const CampaignKey& key : campaign_keys()) {
        const auto value = spec.values.find(key.section + "." + key.name);
        if (value == spec.values.end()) continue;
        if (key.section != section) text += "[" + key.section + "]\n";
        section = key.section;
        std::string lines = value->second;
        for (std::size_t end = lines.find('\n'); end != std::string::npos;
             end = lines.find('\n', end + 1))
            lines.insert(end + 1, key.name + " = ");
        text += key.name + " = " + lines + "\n";
    }
    return text;
}

}  // namespace

std::string round_text(const CampaignContext& context, std::int64_t round) {
    const std::optional<RoundRecord> record = stored_record(context, round);
    if (!record) return {};
    const std::optional<RoundRecord> random = random_record(context, round);
    const double seconds = read_timings(context.active(), round).value_or(RoundTimings{}).total();
    std::string text =
        fmt::format("{:10}{} labels, cost {:.6g}; {}; {:.1f} s\n", fmt::format("round {}", round),
                    count_text(record->labels), record->cost, batch_text(context, round), seconds);
    if (record->pseudo_labels) {
        text +=
            fmt::format("{}{} pseudo-labels, entropy below {:.4g}\n", indent,
                        count_text(*record->pseudo_labels), context.spec.pseudo.delta_of(round));
    }
    std::vector<std::string> metrics;
    for (const model::MetricDefinition& definition : model::metric_definitions()) {
        const std::string metric = metric_text(definition.name, *record, random);
        if (!metric.empty()) metrics.push_back(metric);
    }
    if (!metrics.empty()) text += indent + fmt::format("{}", fmt::join(metrics, ", ")) + "\n";
    const std::string stop_set = stop_set_text(*record);
    if (!stop_set.empty()) text += indent + ("stop set: " + stop_set) + "\n";
    return text;
}

std::string next_step(const CampaignContext& context, std::int64_t round) {
    const Arm& arm = context.active();
    const auto has = [&](const char* name) { return queue::exists(arm.file(round, name)); };
    if (!has(round_file::plan)) return "not begun; next: plan and select";
    if (round > 0 && !has(round_file::batch)) return "next: select";
    if (round > 0 && !has(round_file::labels)) {
        const std::string batch = read_batch(arm, round)->id;
        const std::int64_t waiting = batch.empty()
                                         ? 0
                                         : num_waiting({arm.queue(), arm.labels(), batch,
                                                        arm.file(round, round_file::labels)});
        return fmt::format("next: label ({} items wait in {})", count_text(waiting), arm.queue());
    }
    if (model_file(arm, round).empty() && round >= context.spec.start.rounds) {
        return "next: train";
    }
    return has(round_file::metrics) ? "next: close" : "next: evaluate";
}

std::string unpaid_text(const CampaignSpec& spec) {
    if (spec.select.has_items())
        return "budget: what is left of rows or cost does not pay for another item";
    return fmt::format("cost: what is left of {} does not pay for another row",
                       number_text(spec.stop.cost.value_or(spec.select.batch_cost)));
}

std::string end_text(const CampaignContext& context, std::int64_t round,
                     const std::string& reason) {
    const Arm& arm = context.active();
    std::string text = fmt::format("stopped after round {}: {}\n", round, reason);
    const std::string model = model_file(arm, round);
    if (!model.empty()) text += "model     " + model + "\n";
    text +=
        fmt::format("curve     {}/curve.csv\nrounds    {}/rounds\n", arm.directory, arm.directory);
    if (context.arms.size() < 2) {
        text += "no random arm ran beside it: nothing is claimed against choosing at random\n";
    }
    return text;
}

std::string dry_run_text(const CampaignContext& context) {
    std::string text = config_text(context.spec) + "\n";
    std::vector<RoundRecord> history;
    for (const RoundRecord& record : stored_history(context)) {
        history.push_back(record);
        text += round_text(context, record.round);
        text += indent + std::string("stop rules:") +
                outcomes_text(judge_rules(context.spec.stop, history)) + "\n";
        const std::optional<std::string> reason = decide(context.spec.stop, history);
        if (reason) return text + end_text(context, record.round, *reason);
    }
    const std::int64_t next = context.spec.first_round() + std::ssize(history);
    text += fmt::format("{:10}{}\n", fmt::format("round {}", next), next_step(context, next));
    return text + "dry run: nothing was written\n";
}

}  // namespace sluice::campaign
