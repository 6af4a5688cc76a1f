#include "campaign/round_files.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "queue/layout.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

namespace sluice::campaign {
namespace {

using Json = nlohmann::ordered_json;

Json number_or_null(const std::optional<double>& value) {
    return value && std::isfinite(*value) ? Json(*value) : Json();
}

std::optional<double> number_of(const Json& json, const char* key) {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_number()) return std::nullopt;
    return found->get<double>();
}

void write_text(const Arm& arm, std::int64_t round, const char* name, const std::string& text) {
    make_directories(arm.round_directory(round));
    publish_text_file(arm.file(round, name), text);
}

void write_json(const Arm& arm, std::int64_t round, const char* name, const Json& json) {
    write_text(arm, round, name, json.dump(2) + "\n");
}

// What `read` makes of the file, if it is there.
template <typename Read>
auto read_json(const Arm& arm, std::int64_t round, const char* name, const Read& read)
    -> std::optional<decltype(read(Json()))> {
    const std::string path = arm.file(round, name);
    if (!queue::exists(path)) return std::nullopt;
    try {
        return read(Json::parse(read_text_file(path)));
    } catch (const Json::exception&) {
        throw Error(ExitCode::bad_data,
                    path + ": is damaged; move " + arm.round_directory(round) +
                        " and all later rounds away and run the same command again");
    }
}

RoundPlan plan_of(const Json& json) {
    RoundPlan plan;
    plan.round = json.at("round");
    plan.strategy = {json.at("score"), json.at("diversify")};
    plan.batch = json.at("batch");
    plan.batch_cost = json.at("batch_cost");
    plan.batch_instances = json.value("batch_instances", std::int64_t{0});
    plan.shortlist = json.at("shortlist");
    plan.model_round = json.at("model_round");
    plan.science = json.at("science").get<std::map<std::string, std::string>>();
    return plan;
}

RoundBatch batch_of(const Json& json) {
    RoundBatch batch;
    batch.id = json.at("batch");
    batch.chosen = json.at("chosen");
    if (json.contains("items")) batch.items = json.at("items").get<std::int64_t>();
    batch.candidates = json.at("candidates");
    batch.cost = json.at("cost");
    batch.covering_radius = number_of(json, "covering_radius");
    batch.redundancy = number_of(json, "redundancy");
    return batch;
}

RoundRecord record_of(const Json& json) {
    RoundRecord record;
    record.round = json.at("round");
    record.labels = json.at("labels");
    record.cost = json.at("cost");
    record.candidates_left = json.at("candidates_left");
    for (const auto& [name, value] : json.at("metrics").items())
        record.metrics[name] = value.is_number() ? value.get<double>() : std::nan("");
    if (json.contains("pseudo_labels")) record.pseudo_labels = json.at("pseudo_labels");
    const Json& stop_set = json.at("stop_set");
    record.kappa = number_of(stop_set, "kappa");
    record.delta_f = number_of(stop_set, "delta_f");
    record.change = number_of(stop_set, "change");
    record.uncertainty = number_of(stop_set, "uncertainty");
    return record;
}

Json ranks_json(const RoundTimings& timings) {
    Json steps = Json::object();
    for (const auto& [step, ranks] : timings.ranks) {
        Json all = Json::array();
        for (const RankUse& use : ranks) {
            all.push_back({{"cpu_seconds", use.cpu_seconds},
                           {"bytes_read", use.bytes_read},
                           {"bytes_received", use.bytes_received}});
        }
        steps[step] = all;
    }
    return steps;
}

RoundTimings timings_of(const Json& json) {
    RoundTimings timings{
        json.at("seconds").get<std::map<std::string, double>>(), json.at("oracle_seconds"), {}};
    const auto steps = json.find("ranks");
    if (steps == json.end()) return timings;
    for (const auto& [step, ranks] : steps->items()) {
        for (const Json& use : ranks) {
            timings.ranks[step].push_back(
                {use.at("cpu_seconds"), use.at("bytes_read"), use.at("bytes_received")});
        }
    }
    return timings;
}

RoundVersions versions_of(const Json& json) {
    return {json.at("sluice"), json.at("pool"),   json.at("oracle"),
            json.at("batch"),  json.at("labels"), json.at("model")};
}

}  // namespace

double RoundTimings::total() const {
    double sum = 0.0;
    for (const auto& [step, value] : seconds)
        sum += value;
    return sum;
}

std::string plan_text(const RoundPlan& plan) {
    Json json = {{"round", plan.round},
                 {"score", plan.strategy.score},
                 {"diversify", plan.strategy.diversity},
                 {"batch", plan.batch},
                 {"batch_cost", plan.batch_cost},
                 {"shortlist", plan.shortlist},
                 {"model_round", plan.model_round},
                 {"science", plan.science}};
    if (plan.batch_instances > 0) json["batch_instances"] = plan.batch_instances;
    return json.dump(2) + "\n";
}

RoundPlan parse_plan(const std::string& text) {
    return plan_of(Json::parse(text));
}

void write_plan(const Arm& arm, const RoundPlan& plan) {
    write_text(arm, plan.round, round_file::plan, plan_text(plan));
}

void write_batch(const Arm& arm, std::int64_t round, const RoundBatch& batch) {
    Json json = {{"batch", batch.id},
                 {"chosen", batch.chosen},
                 {"candidates", batch.candidates},
                 {"cost", batch.cost},
                 {"covering_radius", number_or_null(batch.covering_radius)},
                 {"redundancy", number_or_null(batch.redundancy)}};
    if (batch.items) json["items"] = *batch.items;
    write_json(arm, round, round_file::batch, json);
}

void write_record(const Arm& arm, const RoundRecord& record) {
    Json metrics = Json::object();
    for (const auto& [name, value] : record.metrics)
        metrics[name] = number_or_null(value);
    Json json = {{"round", record.round},
                 {"arm", arm.name},
                 {"labels", record.labels},
                 {"cost", record.cost},
                 {"candidates_left", record.candidates_left},
                 {"metrics", metrics},
                 {"stop_set",
                  {{"uncertainty", number_or_null(record.uncertainty)},
                   {"kappa", number_or_null(record.kappa)},
                   {"delta_f", number_or_null(record.delta_f)},
                   {"change", number_or_null(record.change)}}}};
    if (record.pseudo_labels) json["pseudo_labels"] = *record.pseudo_labels;
    write_json(arm, record.round, round_file::metrics, json);
}

void write_timings(const Arm& arm, std::int64_t round, const RoundTimings& timings) {
    write_json(arm, round, round_file::timings,
               {{"seconds", timings.seconds},
                {"total", timings.total()},
                {"oracle_seconds", timings.oracle_seconds},
                {"ranks", ranks_json(timings)}});
}

void write_versions(const Arm& arm, std::int64_t round, const RoundVersions& versions) {
    write_json(arm, round, round_file::versions,
               {{"sluice", versions.sluice},
                {"pool", versions.pool},
                {"oracle", versions.oracle},
                {"batch", versions.batch},
                {"labels", versions.labels},
                {"model", versions.model}});
}

std::optional<RoundPlan> read_plan(const Arm& arm, std::int64_t round) {
    return read_json(arm, round, round_file::plan, plan_of);
}

std::optional<RoundBatch> read_batch(const Arm& arm, std::int64_t round) {
    return read_json(arm, round, round_file::batch, batch_of);
}

std::optional<RoundTimings> read_timings(const Arm& arm, std::int64_t round) {
    return read_json(arm, round, round_file::timings, timings_of);
}

std::optional<RoundVersions> read_versions(const Arm& arm, std::int64_t round) {
    return read_json(arm, round, round_file::versions, versions_of);
}

std::optional<RoundRecord> read_record(const Arm& arm, std::int64_t round) {
    return read_json(arm, round, round_file::metrics, record_of);
}

bool is_complete(const Arm& arm, std::int64_t round) {
    return queue::exists(arm.file(round, round_file::versions));
}

}  // namespace sluice::campaign
