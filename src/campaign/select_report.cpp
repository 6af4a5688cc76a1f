#include "campaign/select_report.hpp"

#include "core/phase.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "select/embedding.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <chrono>
#include <cmath>
#include <utility>
#include <vector>

namespace sluice::campaign {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t rows_shown = 10;

// JSON has no NaN and no infinity.
Json number_or_null(double value) {
    return std::isfinite(value) ? Json(value) : Json();
}

// The shortest decimal of a float, not of the double it widens to.
Json float_or_null(float value) {
    return std::isfinite(value) ? Json::parse(number_text(value)) : Json();
}

std::string metric_name(select::Metric metric) {
    return metric == select::Metric::cosine ? "cosine" : "euclidean";
}

// The datasets that the score reads.
std::string roles_text(const select::Plan& plan) {
    std::string text;
    for (const select::ScoreRead& read : plan.reads())
        text += (text.empty() ? "" : ",") + read.role;
    return text;
}

// What makes the batch one of several parts, or keeps its rows apart.
void describe_parts(const SelectOutcome& outcome, Json& json) {
    const select::PlanRequest& plan = outcome.request.plan;
    if (!outcome.similar_hash.empty()) json["similar_to"] = outcome.similar_hash;
    if (!std::isnan(plan.distinct_within)) json["distinct_within"] = plan.distinct_within;
    if (plan.min_distance > 0.0) json["min_distance"] = plan.min_distance;
    if (plan.random_share > 0.0) {
        json["random_share"] = plan.random_share;
        json["random_rows"] = outcome.plan.random_rows;
    }
    if (!outcome.plan.class_rule) return;
    for (const select::Balance& balance : plan.balances)
        json["balances"].push_back(balance.text());
    if (!plan.balances.empty()) return;
    json["class_by"] = outcome.plan.class_rule->text;
    json[plan.class_mix.is_quota() ? "quota" : "balance"] = plan.class_mix.text();
}

Json manifest_json(const SelectOutcome& outcome) {
    const select::Plan& plan = outcome.plan;
    const select::Selection& selection = outcome.selection;
    Json json;
    json["score"] = plan.score.text;
    json["input"] = roles_text(plan);
    if (plan.randomization.kind != select::Randomization::Kind::none)
        json["randomize"] = plan.randomization.text();
    if (plan.price == select::Price::divides_score) json["per_cost"] = true;
    json["diversify"] = plan.diversity;
    json["metric"] = metric_name(plan.metric);
    if (plan.embedding->rule.on != select::DiversifyOn::features) {
        json["diversify_on"] = select::diversify_on_name(plan.embedding->rule.on);
        json["embedding_dim"] = plan.embedding->dim();
    }
    json["batch_size"] = outcome.request.plan.batch_size;
    json["shortlist_size"] = selection.shortlist_size;
    json["seed"] = plan.seed;
    json["round"] = plan.round;
    json["bad_rows"] = plan.bad_rows == select::BadRows::skip ? "skip" : "refuse";
    json["pool_rows"] = outcome.num_pool_rows;
    json["pool_fingerprint"] = outcome.pool_fingerprint;
    json["candidates"] = selection.num_candidates;
    json["labeled"] = outcome.num_labeled;
    json["issued_before"] = outcome.num_issued_before;
    json["skipped"] = selection.num_skipped;
    if (outcome.num_held_out > 0) json["held_out"] = outcome.num_held_out;
    if (outcome.request.plan.copies == select::Copies::drop) json["distinct"] = true;
    if (outcome.request.plan.trust != select::TrustLevels()) {
        json["min_score"] = float_or_null(outcome.request.plan.trust.low);
        json["max_score"] = float_or_null(outcome.request.plan.trust.high);
        json["beyond_trust"] = selection.num_beyond_trust;
    }
    if (!plan.conditions.empty()) {
        json["where"] = select::conditions_text(plan.conditions);
        json["fail_where"] = selection.num_unwanted;
    }
    describe_parts(outcome, json);
    if (plan.items.has_items()) {
        json["groups"] = plan.items.text();
        json["chosen_items"] = std::ssize(selection.rows);
        json["chosen_instances"] = std::ssize(selection.instances);
    }
    if (plan.batch_instances > 0) json["batch_instances"] = plan.batch_instances;
    if (outcome.request.plan.batch_cost > 0.0) json["batch_cost"] = outcome.request.plan.batch_cost;
    if (!outcome.model_hash.empty()) json["model"] = outcome.model_hash;
    if (!outcome.request.origin.empty()) json["origin"] = outcome.request.origin;
    if (!outcome.predictions_fingerprint.empty())
        json["predictions_fingerprint"] = outcome.predictions_fingerprint;
    json["covering_radius"] = float_or_null(selection.covering_radius);
    json["redundancy"] = number_or_null(selection.redundancy);
    if (!selection.note.empty()) json["note"] = selection.note;
    const select::DiversityParameters& numbers = plan.diversity_parameters;
    if (!std::isnan(numbers.strength)) json["strength"] = numbers.strength;
    if (!std::isnan(numbers.sigma)) json["sigma"] = numbers.sigma;
    if (!std::isnan(numbers.radius)) json["radius"] = numbers.radius;
    return json;
}

Json use_json(const std::vector<RankTotals>& use) {
    Json ranks = Json::array();
    for (const RankTotals& rank : use) {
        ranks.push_back({{"collectives", rank.collectives},
                         {"bytes_sent", rank.bytes_sent},
                         {"bytes_received", rank.bytes_received},
                         {"peak_memory_bytes", rank.peak_memory_bytes},
                         {"cpu_seconds", rank.cpu_seconds},
                         {"collective_cpu_seconds", rank.collective_cpu_seconds}});
    }
    return ranks;
}

Json provenance_json(const SelectOutcome& outcome) {
    Json json;
    char host[256] = {};
    ::gethostname(host, sizeof host - 1);
    json["sluice"] = version_text();
    json["compiler"] = __VERSION__;
    json["host"] = host;
    json["ranks"] = outcome.num_ranks;
    json["threads"] = outcome.plan.num_threads;
    json["backend"] = outcome.plan.backend == kernels::Backend::cuda ? "cuda" : "cpu";
    json["instruction_set"] = kernels::cpu_instruction_set();
    json["finished_utc"] = fmt::format(
        "{:%Y-%m-%dT%H:%M:%SZ}",
        fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
    json["pool_files"] = outcome.request.pool.files;
    json["labels"] = Json::array();
    for (const labels::LabelSource& source : outcome.request.labels)
        json["labels"].push_back(source.path);
    if (!outcome.request.plan.model_path.empty()) json["model"] = outcome.request.plan.model_path;
    if (!outcome.request.predictions_path.empty())
        json["predictions_file"] = outcome.request.predictions_path;
    json["rounds"] = outcome.selection.rounds;
    json["rows_refreshed"] = outcome.selection.rows_refreshed;
    json["bytes_read"] = outcome.selection.bytes_read;
    json["seconds"] = outcome.seconds;
    json["use"] = use_json(outcome.use);
    for (const auto& [phase, seconds] : phase_seconds())
        json["phase_seconds"][phase] = seconds;
    return json;
}

std::string rows_table(const queue::Batch& batch) {
    std::string text = fmt::format("{:>6}  {:>12}  {:<16}  {:>12}  {:>12}\n", "rank", "row", "id",
                                   "score", "distance");
    for (std::size_t i = 0; i < std::min(rows_shown, batch.items.size()); ++i) {
        const queue::BatchItem& item = batch.items[i];
        const std::string distance =
            std::isnan(item.distance) ? "-" : fmt::format("{:.6g}", item.distance);
        text += fmt::format("{:>6}  {:>12}  {:<16}  {:>12.6g}  {:>12}\n", i + 1, item.row,
                            printable(item.id), item.score, distance);
    }
    if (batch.items.size() > rows_shown) {
        text += fmt::format("{:>6}  and {} more\n", "...",
                            count_text(static_cast<std::int64_t>(batch.items.size() - rows_shown)));
    }
    return text;
}

// How many rows each part of the batch gave, in their order.
std::string parts_line(const SelectOutcome& outcome) {
    if (!outcome.plan.has_parts()) return {};
    std::vector<std::pair<std::string, std::int64_t>> parts;
    for (const select::Selected& selected : outcome.selection.rows) {
        const bool is_new = parts.empty() || parts.back().first != selected.reason;
        if (is_new) parts.emplace_back(selected.reason, 0);
        ++parts.back().second;
    }
    std::string text;
    for (const auto& [reason, rows] : parts)
        text += fmt::format("{}{} {}", text.empty() ? "parts: " : ", ", count_text(rows),
                            printable(reason));
    return text.empty() ? text : text + "\n";
}

std::string diversity_line(const SelectOutcome& outcome) {
    const select::Selection& selection = outcome.selection;
    if (outcome.plan.diversity == "none" || std::isnan(selection.covering_radius)) return {};
    std::string text = fmt::format("covering radius {:.6g}", selection.covering_radius);
    if (!std::isnan(selection.redundancy)) {
        text +=
            fmt::format(", mean nearest distance inside the batch {:.6g}", selection.redundancy);
    }
    return text +
           fmt::format(" ({}; rounds: {})\n", metric_name(outcome.plan.metric), selection.rounds);
}

}  // namespace

std::string manifest_text(const SelectOutcome& outcome) {
    return manifest_json(outcome).dump();
}

std::string provenance_text(const SelectOutcome& outcome) {
    return provenance_json(outcome).dump();
}

std::string report_text(const SelectOutcome& outcome) {
    const select::Selection& selection = outcome.selection;
    const auto chosen = static_cast<std::int64_t>(selection.rows.size());
    std::string text = fmt::format(
        "batch {}: {} of {} candidates ({} labeled or issued, {} skipped), {} then {} among the "
        "best {}\n",
        outcome.batch.id, count_text(chosen), count_text(selection.num_candidates),
        count_text(outcome.num_labeled), count_text(selection.num_skipped), outcome.plan.ranking(),
        outcome.plan.diversity, count_text(selection.shortlist_size));
    if (outcome.request.plan.trust != select::TrustLevels()) {
        text += fmt::format(
            "trust levels {:.6g} to {:.6g}: {} rows are above, passed over as "
            "unphysical\n",
            outcome.request.plan.trust.low, outcome.request.plan.trust.high,
            count_text(selection.num_beyond_trust));
    }
    if (!outcome.plan.conditions.empty()) {
        text += fmt::format("where {}: {} rows fail it, passed over\n",
                            select::conditions_text(outcome.plan.conditions),
                            count_text(selection.num_unwanted));
    }
    if (outcome.plan.items.has_items()) {
        text += fmt::format("items scored by the {} of their rows: {} chosen, with {} rows\n",
                            outcome.plan.items.text(), count_text(chosen),
                            count_text(std::ssize(selection.instances)));
    }
    text += parts_line(outcome);
    text += diversity_line(outcome);
    if (!selection.note.empty()) text += selection.note + "\n";
    text += rows_table(outcome.batch);
    text += fmt::format("{} read in {:.2f} s on {} rank(s)\n",
                        bytes_text(static_cast<double>(selection.bytes_read)), outcome.seconds,
                        outcome.num_ranks);
    if (!outcome.request.queue_directory.empty()) {
        text += fmt::format("published in {}/batches/{} (selected.csv, items.h5, tickets)\n",
                            outcome.request.queue_directory, outcome.batch.id);
    }
    return text;
}

std::string report_json(const std::string& batch_id, const std::string& selected_path,
                        const std::string& manifest, const std::string& provenance) {
    Json json;
    json["batch"] = batch_id;
    json["selected"] = selected_path;
    json["manifest"] = Json::parse(manifest);
    json["provenance"] = Json::parse(provenance);
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace sluice::campaign
