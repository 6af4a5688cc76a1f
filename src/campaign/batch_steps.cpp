#include "campaign/round_labels.hpp"
#include "campaign/round_steps.hpp"
#include "campaign/rule_parameters.hpp"
#include "campaign/select_round.hpp"
#include "campaign/settle_batch.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "pool/row_reader.hpp"
#include "queue/layout.hpp"
#include "queue/selected_csv.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>

// The steps of a round from its plan to its labels.

namespace sluice::campaign {
namespace {

// What the budgets leave for one more batch; nothing is cut where all rules must hold together.
void cut_to_budget(const CampaignSpec& spec, const RoundRecord& before, const pool::Pool& pool,
                   RoundPlan& plan) {
    const StopRules& rules = spec.stop;
    const auto cut_to = [&](std::int64_t rows) {
        plan.batch = std::min(plan.batch, rows);
        if (!spec.select.has_items() || rows <= 0) return;
        plan.batch_instances =
            plan.batch_instances > 0 ? std::min(plan.batch_instances, rows) : rows;
    };
    if (rules.combine == StopRules::Combine::all) return;
    if (rules.labels) cut_to(*rules.labels - before.labels);
    if (!rules.cost) return;
    const double left = *rules.cost - before.cost;
    if (pool.find("cost") == nullptr) {
        cut_to(static_cast<std::int64_t>(std::floor(left)));
    } else {
        plan.batch_cost = plan.batch_cost > 0.0 ? std::min(plan.batch_cost, left) : left;
    }
}

// In the order of the selection, so that the sum has the same bits everywhere.
double cost_of(const pool::Pool& pool, const std::vector<RowId>& rows) {
    const pool::Dataset* cost = pool.find("cost");
    if (cost == nullptr) return static_cast<double>(rows.size());
    std::vector<RowId> ascending = rows;
    std::sort(ascending.begin(), ascending.end());
    std::vector<double> values(rows.size());
    pool::RowReader::Scratch scratch;
    pool::RowReader(*cost).gather_doubles(ascending, values, scratch);
    double sum = 0.0;
    for (const RowId row : rows) {
        const auto found = std::lower_bound(ascending.begin(), ascending.end(), row);
        sum += values[static_cast<std::size_t>(found - ascending.begin())];
    }
    return sum;
}

std::optional<double> number_of(const nlohmann::json& json, const char* key) {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_number()) return std::nullopt;
    return found->get<double>();
}

// What select_round says if the budget is less than the first row costs, or the first item holds.
bool is_unaffordable(const Error& error, const RoundPlan& plan) {
    const std::string what = error.what();
    return error.code() == ExitCode::usage &&
           ((plan.batch_cost > 0.0 && what.starts_with("--batch-cost")) ||
            (plan.batch_instances > 0 && what.starts_with("--batch-instances")));
}

}  // namespace

bool RoundSteps::root_has(const char* name) const {
    std::int64_t there = 0;
    world_.agree([&] {
        if (world_.is_root()) there = queue::exists(arm_.file(round_, name)) ? 1 : 0;
    });
    return world_.max(there) != 0;
}

RoundRecord RoundSteps::record_before() const {
    if (round_ == context_.spec.first_round()) return {};
    const Arm& owner = context_.owner(arm_, round_ - 1);
    const std::optional<RoundRecord> record = read_record(owner, round_ - 1);
    require(record.has_value(), ExitCode::bad_data,
            owner.file(round_ - 1, round_file::metrics) + ": is gone; restore it");
    return *record;
}

RoundPlan RoundSteps::make_plan() const {
    const CampaignSpec& spec = context_.spec;
    const bool is_start = spec.is_start(round_);
    RoundPlan plan;
    plan.round = round_;
    plan.science = context_.science(round_);
    if (round_ == 0) return plan;
    const RoundRecord before = record_before();
    const bool is_random = &arm_ != &context_.active();
    plan.strategy = is_random ? BatchStrategy{"random", "none"} : spec.strategy(round_);
    plan.batch = is_start ? spec.start.batch : spec.select.batch;
    plan.batch_cost = spec.select.batch_cost;
    plan.batch_instances = spec.select.batch_instances;
    cut_to_budget(spec, before, context_.pool, plan);
    const bool is_exhausted = round_ > spec.first_round() && before.candidates_left <= 0;
    if (is_exhausted) plan.batch = 0;
    plan.batch = std::max<std::int64_t>(plan.batch, 0);
    if (!is_random) plan.shortlist = is_start ? spec.start.shortlist : spec.select.shortlist;
    const bool reads_model = !is_start && plan.strategy.score != "random";
    if (reads_model && spec.select.input == "model") plan.model_round = round_ - 1;
    return plan;
}

void RoundSteps::plan() {
    world_.agree([&] {
        if (!world_.is_root() || queue::exists(arm_.file(round_, round_file::plan))) return;
        write_plan(arm_, make_plan());
    });
}

std::vector<RowId> RoundSteps::held_out() const {
    std::vector<RowId> rows = context_.test_rows;
    // Shared rows with a label are in the labels; those without one are not asked for again.
    for (std::int64_t shared = 1; shared < arm_.first_round; ++shared) {
        const std::string path = context_.active().file(shared, round_file::labels);
        const std::vector<RowId> failed = failed_rows(read_text_file(path), path);
        rows.insert(rows.end(), failed.begin(), failed.end());
    }
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    return rows;
}

// Copies what was chosen from the queue.
RoundBatch RoundSteps::take_batch(const std::string& batch_id) const {
    const std::string directory = arm_.queue() + "/batches/" + batch_id;
    const std::string csv = read_text_file(directory + "/selected.csv");
    const std::vector<RowId> rows = queue::rows_of_selected_csv(csv, directory + "/selected.csv");
    const auto manifest = nlohmann::json::parse(read_text_file(directory + "/manifest.json"));
    publish_text_file(arm_.file(round_, round_file::selected), csv);
    RoundBatch batch;
    batch.id = batch_id;
    batch.chosen = std::ssize(rows);
    if (manifest.contains("chosen_items"))
        batch.items = manifest.at("chosen_items").get<std::int64_t>();
    batch.candidates = manifest.at("candidates");
    batch.cost = cost_of(context_.pool, rows);
    batch.covering_radius = number_of(manifest, "covering_radius");
    batch.redundancy = number_of(manifest, "redundancy");
    return batch;
}

SelectRequest RoundSteps::select_request(const RoundPlan& plan) const {
    const CampaignSpec& spec = context_.spec;
    SelectRequest request;
    request.pool = spec.pool;
    request.queue_directory = arm_.queue();
    request.labels = context_.labels(arm_, round_ - 1);
    if (!spec.test.labels.empty()) request.held_out_labels = {{spec.test.labels}};
    request.plan.score = plan.strategy.score;
    request.plan.diversity = plan.strategy.diversity;
    request.plan.metric = spec.select.metric;
    request.plan.input = spec.select.input == "model" ? "auto" : spec.select.input;
    request.plan.batch_size = plan.batch;
    request.plan.batch_cost = plan.batch_cost;
    request.plan.batch_instances = plan.batch_instances;
    request.plan.conditions = spec.select.where;
    request.plan.items = spec.select.items;
    if (!spec.is_start(round_)) {
        request.plan.diversity_parameters =
            parameters_of(plan.strategy.diversity, spec.select.parameters);
    }
    request.plan.shortlist_size = plan.shortlist;
    request.plan.seed = spec.seed;
    request.plan.round = static_cast<std::uint32_t>(round_);
    request.plan.bad_rows = spec.bad_rows;
    request.plan.copies = spec.select.copies;
    if (plan.strategy.score != "random") {
        request.plan.trust = spec.select.trust;
        request.plan.randomize = spec.select.randomize;
        request.plan.price = spec.select.price;
        if (plan.strategy.diversity != "none") {
            request.plan.diversify_on = spec.select.diversify_on;
            request.plan.sketch_dim = spec.select.sketch_dim;
        }
    }
    request.ticket_items = spec.select.ticket_items;
    request.tag = spec.select.tag;
    request.plan.num_threads = spec.machine.num_threads;
    request.plan.device = spec.machine.device;
    request.plan.memory_gib = spec.machine.memory_gib;
    request.output = SelectRequest::Output::quiet;
    return request;
}

// Scores read the model of that round, or what a trainer has written in its place.
void RoundSteps::name_model(const RoundPlan& plan, SelectRequest& request) const {
    if (plan.model_round < 0) return;
    const Arm& owner = context_.owner(arm_, plan.model_round);
    std::int64_t is_predicted = 0;
    world_.agree([&] {
        const std::string predictions = owner.predictions(plan.model_round);
        if (world_.is_root())
            is_predicted = model_file(owner, plan.model_round) == predictions ? 1 : 0;
    });
    if (world_.max(is_predicted) != 0) {
        request.predictions_path = owner.predictions(plan.model_round);
    } else {
        request.plan.model_path = owner.model(plan.model_round);
    }
}

bool RoundSteps::select() {
    if (root_has(round_file::batch)) return true;
    std::string text;
    std::vector<RowId> held;
    world_.agree([&] {
        if (!world_.is_root()) return;
        text = plan_text(*read_plan(arm_, round_));
        held = held_out();
    });
    world_.broadcast(text);
    const RoundPlan plan = parse_plan(text);
    SelectRequest request = select_request(plan);
    name_model(plan, request);
    request.held_out = world_.all_gather(std::span<const RowId>(held));
    std::string batch_id;
    try {
        if (plan.batch > 0) batch_id = select_round(request, world_).batch_id;
    } catch (const Error& error) {
        if (!is_unaffordable(error, plan)) throw;
    }
    const bool is_active = &arm_ == &context_.active();
    if (batch_id.empty() && is_active) return false;
    world_.agree([&] {
        if (!world_.is_root()) return;
        write_batch(arm_, round_, batch_id.empty() ? RoundBatch{} : take_batch(batch_id));
    });
    return true;
}

std::int64_t RoundSteps::ingest() {
    std::int64_t open = 0;
    world_.agree([&] {
        if (!world_.is_root()) return;
        const std::string path = arm_.file(round_, round_file::labels);
        const std::string batch = read_batch(arm_, round_)->id;
        if (!batch.empty()) {
            open = settle_batch({arm_.queue(), arm_.labels(), batch, path}, context_.spec.label);
        } else if (!queue::exists(path)) {
            publish_text_file(path, empty_labels_csv());
        }
    });
    return world_.max(open);
}

}  // namespace sluice::campaign
