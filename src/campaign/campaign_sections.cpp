#include "campaign/campaign_sections.hpp"

#include "campaign/campaign_keys.hpp"
#include "campaign/trainer_process.hpp"
#include "core/text.hpp"
#include "kernels/activation.hpp"
#include "model/metrics.hpp"
#include "oracle/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace sluice::campaign {
namespace {

constexpr std::int64_t max_count = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t max_rows = std::int64_t{1} << 48;
constexpr std::int64_t max_units = std::int64_t{1} << 20;
constexpr std::int64_t max_folds = 1000;
constexpr double max_number = 1e300;
constexpr std::int64_t start_shortlist_factor = 100;

void read_train_command(const CampaignFile& file, CampaignSpec& spec) {
    const KeyName key{"model", "train-command"};
    spec.train_command = file.text(key);
    if (spec.train_command.empty()) return;
    const bool writes_model = names_placeholder(spec.train_command, "model");
    const bool writes_predictions = names_placeholder(spec.train_command, "predictions");
    if (!writes_model && !writes_predictions) {
        file.fail(key,
                  "says neither {model} nor {predictions}; add one where the command takes the "
                  "file that it has to write");
    }
    if (spec.loss_folds > 0)
        file.fail({"model", "loss-folds"}, "a training command writes its own model; leave it out");
    if (writes_model && writes_predictions) {
        file.fail(key,
                  "says {model} and {predictions}; a campaign goes by one of the two, leave the "
                  "other out");
    }
}

void read_head(const std::string& name, CampaignSpec& spec) {
    for (const model::HeadDefinition& definition : model::head_definitions()) {
        if (definition.name != name) continue;
        spec.train.head = definition.head;
        spec.task = definition.task;
    }
}

std::vector<std::int64_t> hidden_layers(const CampaignFile& file) {
    const KeyName key{"model", "hidden"};
    if (file.text(key) == "none") return {};
    std::vector<std::int64_t> layers;
    const std::string text = file.text(key);
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        const auto units = whole_number(text.substr(begin, end - begin), 1, max_units);
        if (!units) {
            file.fail(key, fmt::format("not units of layers, from 1 to {} each ({}); write them "
                                       "as in 64,64, or none",
                                       max_units, printable(text)));
        }
        layers.push_back(*units);
        begin = end + 1;
    }
    return layers;
}

// A metric that can be measured, or not at all.
std::string known_metric(const CampaignFile& file, const KeyName& key, const std::string& name) {
    if (model::find_metric(name) == nullptr) {
        std::string known;
        for (const model::MetricDefinition& metric : model::metric_definitions())
            known += (known.empty() ? "" : ", ") + metric.name;
        file.fail(key, fmt::format("unknown metric ({}); known are {}", printable(name), known));
    }
    return name;
}

std::optional<TargetRule> target_rule(const CampaignFile& file) {
    const KeyName key{"stop", "target"};
    const std::vector<std::string> words = file.words(key);
    if (words.empty()) return std::nullopt;
    const auto value = words.size() == 2 ? oracle::real_number(words[1]) : std::nullopt;
    if (!value || !std::isfinite(*value)) {
        file.fail(key, fmt::format("not a metric and a number ({}); write it as in rmse 0.1",
                                   printable(file.text(key))));
    }
    return TargetRule{known_metric(file, key, words[0]), *value};
}

std::optional<PlateauRule> plateau_rule(const CampaignFile& file) {
    const KeyName key{"stop", "plateau"};
    if (!file.has(key)) return std::nullopt;
    return PlateauRule{known_metric(file, key, file.text(key)),
                       file.count({"stop", "plateau-window"}, 1, max_count),
                       file.number({"stop", "plateau-epsilon"}, 0.0, max_number).value_or(0.0)};
}

std::optional<WindowRule> window_rule(const CampaignFile& file, const std::string& name,
                                      double low) {
    const std::optional<double> threshold = file.number({"stop", name}, low, 1.0);
    if (!threshold) return std::nullopt;
    return WindowRule{*threshold, file.count({"stop", name + "-window"}, 1, max_count)};
}

}  // namespace

void read_campaign_section(const CampaignFile& file, CampaignSpec& spec) {
    spec.directory = file.file_path({"campaign", "directory"});
    spec.seed = file.seed({"campaign", "seed"});
    spec.stop.rounds = file.count({"campaign", "rounds"}, 1, max_count);
}

void read_pool_section(const CampaignFile& file, CampaignSpec& spec) {
    spec.pool.files = file.file_paths({"pool", "file"});
    if (spec.pool.files.empty()) {
        file.fail({"pool", "file"}, "missing; name the pool's HDF5 file, as in file = pool.h5");
    }
    for (const CampaignKey& key : campaign_keys()) {
        const bool is_role = key.section == "pool" && key.value_name == "PATH";
        const std::string dataset = file.text({"pool", key.name});
        if (is_role && dataset != key.default_text) spec.pool.datasets[key.name] = dataset;
    }
    spec.bad_rows =
        file.text({"pool", "bad-rows"}) == "skip" ? select::BadRows::skip : select::BadRows::refuse;
}

void read_start_section(const CampaignFile& file, CampaignSpec& spec) {
    StartSpec& start = spec.start;
    start.strategy = file.text({"start", "strategy"});
    start.labels = file.file_path({"start", "labels"});
    start.batch = file.count_or_auto({"start", "batch"}, 1, max_count).value_or(spec.select.batch);
    start.rounds = file.count_or_auto({"start", "rounds"}, 0, max_count)
                       .value_or(start.labels.empty() ? 1 : 0);
    if (start.rounds == 0 && start.labels.empty()) {
        file.fail({"start", "rounds"}, "no round and no labels to start from; give one of the two");
    }
    start.shortlist = file.count_or_auto({"start", "shortlist"}, 1, max_rows)
                          .value_or(start_shortlist_factor * start.batch);
    start.shortlist = std::max(start.shortlist, start.batch);
}

void read_model_section(const CampaignFile& file, CampaignSpec& spec) {
    model::TrainOptions& train = spec.train;
    const auto count = [&](const char* key, std::int64_t low) {
        return file.count({"model", key}, low, max_count);
    };
    const auto number = [&](const char* key, double low, double high) {
        return file.number({"model", key}, low, high).value_or(0.0);
    };
    read_head(file.text({"model", "head"}), spec);
    train.hidden = hidden_layers(file);
    train.activation = kernels::find_activation(file.text({"model", "activation"}));
    train.random_features = count("random-features", 0);
    train.gamma = number("gamma", 0.0, max_number);
    train.members = count("members", 1);
    train.dropout_rate = number("dropout", 0.0, 0.999);
    train.dropout_masks = count("masks", 0);
    train.learning_rate = number("learning-rate", 1e-12, 1e6);
    train.weight_decay = number("weight-decay", 0.0, 1e6);
    train.batch_rows = count("batch-rows", 1);
    train.max_epochs = count("epochs", 1);
    train.patience = count("patience", 0);
    train.held_out = number("held-out", 0.0, 0.9);
    train.seed = spec.seed;
    const std::string resample = file.text({"model", "resample"});
    if (resample == "bootstrap") train.resample = model::Resample::bootstrap;
    if (resample == "k_fold") train.resample = model::Resample::k_fold;
    if (file.has({"model", "loss-folds"}))
        spec.loss_folds = file.count({"model", "loss-folds"}, 2, max_folds);
    read_train_command(file, spec);
    spec.train_limit_seconds = number("train-limit", 1.0, 1e9);
}

// Without defaults in the list of keys: campaigns begun before there were any go on.
void read_pseudo_section(const CampaignFile& file, CampaignSpec& spec) {
    model::PseudoRules& pseudo = spec.pseudo;
    pseudo.delta = file.number({"pseudo", "delta"}, 0.0, max_number).value_or(0.0);
    pseudo.decay = file.number({"pseudo", "decay"}, 0.0, max_number).value_or(0.0);
    pseudo.most = file.count_or_auto({"pseudo", "most"}, 1, max_count).value_or(0);
    pseudo.weight = static_cast<float>(file.number({"pseudo", "weight"}, 1e-6, 1e6).value_or(1.0));
    if (!pseudo.is_used()) return;
    if (spec.task == model::Task::regression) {
        file.fail({"pseudo", "delta"}, "is for classes, but the model's head is for numbers");
    }
    if (spec.train_command.empty() && spec.train.head == model::Head::hinge && spec.task) {
        file.fail({"pseudo", "delta"},
                  "goes by probabilities, which the head hinge does not give; choose softmax");
    }
}

void read_label_section(const CampaignFile& file, CampaignSpec& spec) {
    LabelSpec& label = spec.label;
    const bool is_inside = file.text({"label", "where"}) == "inside";
    label.where = is_inside ? LabelSpec::Where::inside : LabelSpec::Where::outside;
    label.oracle_path = file.file_path({"label", "oracle"});
    if (is_inside && label.oracle_path.empty()) {
        file.fail({"label", "oracle"},
                  "missing; name the oracle's INI file, or write where = outside");
    }
    label.workers = file.count_or_auto({"label", "workers"}, 1, 100'000).value_or(0);
    label.classes = file.count_or_auto({"label", "classes"}, 2, max_count).value_or(0);
    label.tolerance = file.number({"label", "tolerance"}, 0.0, 1.0).value_or(0.0);
    label.lease_seconds = file.count({"label", "lease"}, 1, 86'400);
    label.grace_seconds = file.number({"label", "grace"}, 0.0, 86'400.0).value_or(0.0);
    label.scratch = file.file_path({"label", "scratch"});
    label.keep_failed = static_cast<int>(file.count({"label", "keep-failed"}, 0, 1'000'000));
}

void read_test_section(const CampaignFile& file, CampaignSpec& spec) {
    spec.test.rows = file.count({"test", "rows"}, 0, max_count);
    spec.test.labels = file.file_path({"test", "labels"});
    if (spec.test.rows > 0 && !spec.test.labels.empty()) {
        file.fail({"test", "rows"}, "there are labels too; give one of the two");
    }
    const std::string arm = file.text({"campaign", "random-arm"});
    spec.has_random_arm = arm == "yes" || (arm == "auto" && spec.test.is_there());
}

void read_stop_section(const CampaignFile& file, CampaignSpec& spec) {
    StopRules& rules = spec.stop;
    const auto number = [&](const char* key, double low, double high) {
        return file.number({"stop", key}, low, high);
    };
    rules.combine =
        file.text({"stop", "when"}) == "all" ? StopRules::Combine::all : StopRules::Combine::any;
    rules.labels = file.count_or_auto({"stop", "labels"}, 1, max_rows);
    rules.cost = number("cost", 0.0, max_number);
    rules.hours = number("hours", 0.0, max_number);
    rules.oracle_hours = number("oracle-hours", 0.0, max_number);
    rules.target = target_rule(file);
    rules.plateau = plateau_rule(file);
    rules.kappa = window_rule(file, "kappa", -1.0);
    rules.delta_f = window_rule(file, "delta-f", 0.0);
    rules.change = number("change", 0.0, max_number);
    rules.uncertainty = number("uncertainty", 0.0, max_number);
    spec.stop_set_rows = file.count({"stop", "set"}, 0, max_count);
}

}  // namespace sluice::campaign
