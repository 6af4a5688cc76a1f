#include "campaign/pseudo_labels.hpp"
#include "campaign/round_labels.hpp"
#include "campaign/round_steps.hpp"
#include "campaign/stop_set.hpp"
#include "campaign/train_command.hpp"
#include "campaign/train_over_ranks.hpp"
#include "campaign/trainer_process.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/sha256.hpp"
#include "core/version.hpp"
#include "labels/training_labels.hpp"
#include "model/metrics.hpp"
#include "model/model_file.hpp"
#include "model/model_outputs.hpp"
#include "queue/layout.hpp"

#include <fmt/format.h>

#include <algorithm>

// The steps of a round from its labels to its end.

namespace sluice::campaign {
namespace {

// Test rows that a model has seen would make it look better than it is.
void require_apart(const model::TrainingSet& training, const model::TrainingSet& test) {
    std::vector<RowId> both;
    std::ranges::set_intersection(training.rows, test.rows, std::back_inserter(both));
    require(both.empty(), ExitCode::bad_data,
            both.empty() ? ""
                         : fmt::format("{}: row {} is among the labels to train on too ({} such "
                                       "rows); leave them out of one of the two",
                                       test.source, both.front(), both.size()));
}

std::vector<std::string> target_names(const model::TrainingSet& test) {
    if (std::ssize(test.target_names) == test.outputs) return test.target_names;
    std::vector<std::string> names;
    for (std::int64_t t = 0; t < test.outputs; ++t)
        names.push_back(std::to_string(t));
    return names;
}

model::Metrics metrics_of(const model::ModelOutputs& outputs, const model::TrainingSet& test,
                          const std::string& model) {
    require(outputs.task == test.task, ExitCode::bad_data,
            fmt::format("{}: is for {}, but the labels of {} are for {}", model,
                        model::task_name(outputs.task), test.source, model::task_name(test.task)));
    if (test.task == model::Task::classification) {
        return model::classification_metrics(outputs.mean, test.classes, outputs.width);
    }
    require(outputs.width == test.outputs, ExitCode::bad_data,
            fmt::format("{}: predicts {} numbers, but the labels of {} have {}", model,
                        outputs.width, test.source, test.outputs));
    return model::regression_metrics(outputs.mean, test.targets, target_names(test));
}

// Mean over the members of the loss that training kept, on the labels it did not train on.
void add_validation_loss(const model::Committee& committee, model::Metrics& metrics) {
    double sum = 0.0;
    std::int64_t members = 0;
    for (const model::MemberHistory& history : committee.history) {
        const auto best = static_cast<std::size_t>(history.best_epoch);
        if (best >= history.validation_loss.size()) continue;
        sum += history.validation_loss[best];
        ++members;
    }
    if (members > 0) metrics["validation_loss"] = sum / static_cast<double>(members);
}

std::string hash_of(const std::string& path) {
    return queue::exists(path) ? sha256_hex(read_text_file(path)) : std::string();
}

}  // namespace

void RoundSteps::train() {
    std::int64_t is_done = 0;
    world_.agree([&] {
        if (world_.is_root()) is_done = model_file(arm_, round_).empty() ? 0 : 1;
    });
    if (world_.max(is_done) != 0 || !has_model()) return;
    try {
        label_by_model();
        train_here();
    } catch (const Error& error) {
        if (error.code() != ExitCode::bad_data) throw;
        throw comm::AgreedError(
            ExitCode::bad_data,
            fmt::format("{}; if there are too few labels to train on, write [start] rounds = {} "
                        "into {} and run the same command again: it labels another start batch",
                        error.what(), round_ + 1, context_.spec.path));
    }
}

void RoundSteps::train_here() {
    const CampaignSpec& spec = context_.spec;
    world_.agree([&] {
        require(!world_.is_root() || !context_.labels(arm_, round_).empty(), ExitCode::bad_data,
                fmt::format("{}: no item has a label", arm_.file(round_, round_file::labels)));
    });
    const std::vector<labels::LabelSource> sources = training_sources();
    model::TrainingSet set =
        labels::read_training_set(sources, &context_.pool, spec.label.classes, world_);
    world_.agree([&] {
        require(!spec.pseudo.is_used() || set.task == model::Task::classification,
                ExitCode::bad_config,
                spec.path +
                    ": [pseudo] delta: is for classes, but the labels are numbers; remove "
                    "it");
        if (context_.test) require_apart(set, *context_.test);
    });
    if (!spec.train_command.empty()) return train_by_command(sources);
    set.source = fmt::format("labels of rounds up to {} ({})", round_, arm_.name);
    model::TrainOptions options = spec.train;
    options.round = static_cast<std::uint32_t>(round_);
    if (!spec.task) {
        options.head =
            set.task == model::Task::classification ? model::Head::softmax : model::Head::squares;
    }
    model::Committee committee = train_over_ranks(set, options, world_);
    if (spec.loss_folds > 0) train_loss_head(set, options, spec.loss_folds, committee, world_);
    world_.agree([&] {
        if (world_.is_root()) model::publish_model(arm_.model(round_), committee);
    });
}

void RoundSteps::train_by_command(const std::vector<labels::LabelSource>& sources) {
    const CampaignSpec& spec = context_.spec;
    TrainCommandRequest request;
    request.command.command = spec.train_command;
    request.command.time_limit_seconds = spec.train_limit_seconds;
    request.command.log_path = arm_.file(round_, round_file::train_log);
    request.command.seed = spec.seed;
    request.command.round = static_cast<std::uint32_t>(round_);
    request.labels = sources;
    request.pool = &context_.pool;
    request.num_classes = spec.label.classes;
    if (names_placeholder(spec.train_command, "predictions")) {
        request.predictions_path = arm_.predictions(round_);
    } else {
        request.model_path = arm_.model(round_);
    }
    request.bad_rows = spec.bad_rows;
    run_train_command(request, world_);
}

void RoundSteps::count_labels_and_cost(RoundRecord& record) const {
    const RoundRecord before = record_before();
    record.labels = before.labels;
    record.cost = before.cost;
    if (round_ == 0) {
        record.labels = context_.num_given;
        record.candidates_left = context_.pool.num_rows;
        return;
    }
    const std::string path = arm_.file(round_, round_file::labels);
    record.labels += count_labels(read_text_file(path), path).ok;
    const RoundBatch batch = *read_batch(arm_, round_);
    record.cost += batch.cost;
    record.candidates_left = batch.id.empty()
                                 ? before.candidates_left
                                 : batch.candidates - batch.items.value_or(batch.chosen);
}

void RoundSteps::measure_test(const RoundModel& model, RoundRecord& record) const {
    if (!context_.test) return;
    const model::TrainingSet& test = *context_.test;
    record.metrics =
        metrics_of(model.outputs(test.rows, test.features, test.dim), test, model.path());
}

void RoundSteps::measure_stop_set(const RoundModel& model, RoundRecord& record) const {
    const RowsWithFeatures& set = context_.stop_set;
    if (set.rows.empty()) return;
    const model::ModelOutputs outputs = model.outputs(set.rows, set.features, set.dim);
    const Arm& owner = context_.owner(arm_, round_ - 1);
    const std::optional<model::ModelOutputs> before =
        read_stop_set(owner.file(round_ - 1, round_file::stop_set), set.rows, outputs.task);
    describe_stop_set(outputs, before, record);
    publish_stop_set(arm_.file(round_, round_file::stop_set), set.rows, outputs);
}

std::optional<RoundModel> RoundSteps::read_round_model() const {
    if (!has_model()) return std::nullopt;
    return RoundModel(arm_, round_, context_.pool.num_rows, world_);
}

void RoundSteps::evaluate() {
    if (root_has(round_file::metrics)) return;
    const std::optional<RoundModel> model = read_round_model();
    world_.agree([&] {
        if (!world_.is_root()) return;
        RoundRecord record;
        record.round = round_;
        count_labels_and_cost(record);
        record.pseudo_labels = count_pseudo_labels(arm_.pseudo_labels(round_));
        if (model) {
            measure_test(*model, record);
            measure_stop_set(*model, record);
            if (model->committee()) add_validation_loss(*model->committee(), record.metrics);
        }
        write_record(arm_, record);
    });
}

void RoundSteps::close() {
    const std::optional<RoundModel> model = read_round_model();
    world_.agree([&] {
        if (!world_.is_root()) return;
        RoundVersions versions;
        versions.sluice = version_text();
        versions.pool = context_.fingerprint;
        if (context_.oracle) versions.oracle = context_.oracle->hash;
        if (round_ > 0) versions.batch = read_batch(arm_, round_)->id;
        versions.labels = hash_of(arm_.file(round_, round_file::labels));
        if (model) versions.model = model->hash();
        write_versions(arm_, round_, versions);
    });
}

}  // namespace sluice::campaign
