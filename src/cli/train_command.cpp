#include "campaign/train_command.hpp"

#include "campaign/train_model.hpp"
#include "cli/commands.hpp"
#include "cli/launch.hpp"
#include "cli/pool_options.hpp"
#include "cli/queue_options.hpp"
#include "cli/training_options.hpp"
#include "cli/walltime_options.hpp"
#include "core/durable_file.hpp"
#include "core/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

namespace sluice::cli {
namespace {

constexpr Range class_counts{2, std::numeric_limits<std::int32_t>::max()};
constexpr Range fold_counts{2, 1000};

// What is read of a pool to train.
constexpr const char* roles[] = {"features", "inputs", "ids"};

// A trainer of one's own may want no model but predictions.
std::vector<OptionSpec> data_options() {
    std::vector<OptionSpec> options = {
        {.name = "labels",
         .value_name = "PATH",
         .summary = "directories of label generations, or labels files (row, y)",
         .kind = OptionSpec::Kind::list,
         .need = OptionSpec::Need::required},
        {.name = "out", .value_name = "FILE", .summary = "the model file; replaced when there"},
        {.name = "classes",
         .value_name = "C",
         .summary = "labels are classes 0 to C-1; without it, up to the largest one seen"},
    };
    for (OptionSpec option : pool_options()) {
        if (option.name == "pool") {
            option.summary = "the pool's HDF5 files, where the labels have no features";
            option.need = OptionSpec::Need::optional;
        } else if (std::ranges::count(roles, option.name) == 0) {
            continue;
        }
        options.push_back(std::move(option));
    }
    return options;
}

pool::PoolSource labeled_pool(const Options& options) {
    pool::PoolSource source;
    source.files = options.texts("pool");
    for (const std::string role : roles) {
        if (options.text(role) != "/" + role) source.datasets[role] = options.text(role);
    }
    return source;
}

std::vector<OptionSpec> network_options() {
    std::vector<OptionSpec> options = training_options();
    OptionSpec& head = *std::ranges::find(options, "head", &OptionSpec::name);
    head.default_text = "auto";
    head.choices.insert(head.choices.begin(),
                        {"auto", {}, "softmax where y holds integers, squares where it does not"});
    options.push_back({.name = "loss-folds",
                       .value_name = "K",
                       .summary = "also train a loss head, which 'sluice select --score "
                                  "learning_loss' reads: nets that predict the loss of a label, "
                                  "from the losses of K folds that nets have not seen",
                       .unit = "folds"});
    return options;
}

std::vector<OptionSpec> command_options() {
    return {
        {.name = "seed",
         .value_name = "S",
         .summary = "seed of random choices, 0 to 2^64-1",
         .default_text = "0"},
        {.name = "round",
         .value_name = "R",
         .summary = "number of the round, part of every random choice",
         .default_text = "0"},
        {.name = "train-command",
         .value_name = "WORDS",
         .summary = "run this instead, as in \"python3 train.py {labels} {model}\"; also "
                    "{predictions}, {pool}, {seed}, {round}"},
        {.name = "train-limit",
         .value_name = "S",
         .summary = "time after which the command is ended; without it, none",
         .unit = "s"},
        {.name = "train-log",
         .value_name = "FILE",
         .summary = "what the command prints; without it, OUT.log"},
        {.name = "predictions",
         .value_name = "FILE",
         .summary = "what the command says of every row of the pool: probabilities, committee or "
                    "predictions"},
        {.name = "curve",
         .value_name = "FILE",
         .summary = "also write the losses of each epoch as CSV"},
        json_option(),
        config_option(),
    };
}

CommandSpec make_spec() {
    CommandSpec spec;
    spec.name = "train";
    spec.summary = "train a committee on labels";
    spec.usage = "--labels PATH... --out FILE [OPTIONS]";
    spec.details =
        "Trains the nets of a committee on labeled rows, each on one rank, and writes them to a "
        "model file that 'sluice select --model' scores a pool with. The file is the same, bit for "
        "bit, for any number of ranks and on any machine. With --train-command a program of yours "
        "trains instead; what it leaves is checked before it takes the place of what was there.";
    for (const auto& group :
         {data_options(), network_options(), walltime_options(), command_options()})
        spec.options.insert(spec.options.end(), group.begin(), group.end());
    return spec;
}

std::vector<labels::LabelSource> label_sources(const Options& options) {
    std::vector<labels::LabelSource> sources;
    for (const std::string& path : options.texts("labels"))
        sources.push_back({path});
    return sources;
}

std::uint32_t round_of(const Options& options) {
    return static_cast<std::uint32_t>(
        options.count("round", {0, std::numeric_limits<std::uint32_t>::max()}));
}

campaign::TrainRequest train_request(const Options& options) {
    using HeadChoice = campaign::TrainRequest::HeadChoice;
    campaign::TrainRequest request;
    request.labels = label_sources(options);
    request.pool = labeled_pool(options);
    if (options.has("classes")) request.num_classes = options.count("classes", class_counts);
    request.head = options.text("head") == "auto" ? HeadChoice::by_labels : HeadChoice::given;
    request.options = read_training(options);
    request.options.seed = options.seed("seed");
    request.options.round = round_of(options);
    if (options.has("loss-folds")) request.loss_folds = options.count("loss-folds", fold_counts);
    request.model_path = options.text("out");
    request.json_path = options.text("json");
    request.curve_path = options.text("curve");
    return request;
}

campaign::TrainCommandRequest command_request(const Options& options) {
    campaign::TrainCommandRequest request;
    request.labels = label_sources(options);
    if (options.has("classes")) request.num_classes = options.count("classes", class_counts);
    request.model_path = options.text("out");
    request.predictions_path = options.text("predictions");
    campaign::TrainCommand& command = request.command;
    command.command = options.text("train-command");
    if (options.has("train-limit"))
        command.time_limit_seconds = options.positive_number("train-limit");
    command.log_path = options.text("train-log");
    if (command.log_path.empty()) {
        const std::string& made =
            request.model_path.empty() ? request.predictions_path : request.model_path;
        if (!made.empty()) command.log_path = made + ".log";
    }
    command.seed = options.seed("seed");
    command.round = round_of(options);
    return request;
}

void run_training(const campaign::TrainRequest& request, comm::Communicator& world) {
    const campaign::TrainReport report = campaign::train_model(request, world);
    if (world.is_root()) print_result(campaign::train_text(report));
}

void run_command(campaign::TrainCommandRequest request, const pool::PoolSource& source,
                 const std::string& json_path, comm::Communicator& world) {
    std::optional<pool::Pool> pool;
    if (!source.files.empty()) pool = pool::open_pool(source, world);
    if (pool) request.pool = &*pool;
    const campaign::TrainCommandReport report = campaign::run_train_command(request, world);
    world.agree([&] {
        if (!world.is_root()) return;
        print_result(campaign::train_command_text(request, report));
        if (!json_path.empty())
            publish_text_file(json_path, campaign::train_command_json(request, report));
    });
}

void check_options(const Options& options) {
    const bool has_command = options.has("train-command");
    for (const char* name : {"train-limit", "train-log", "predictions"}) {
        if (options.has(name) && !has_command) {
            options.fail(name, "is for --train-command only; give that, or leave this out");
        }
    }
    if (has_command && options.has("curve"))
        options.fail("curve", "a training command keeps its own; leave this out");
    if (has_command && options.has("loss-folds"))
        options.fail("loss-folds", "a training command writes its own model; leave this out");
    if (!has_command && !options.has("out"))
        options.fail("out", "missing; give the model file that is to be written");
}

}  // namespace

Command train_command() {
    return {make_spec(), [](const Options& options) -> std::function<void(comm::Communicator&)> {
                check_options(options);
                heed_walltime(options);
                if (!options.has("train-command")) {
                    const campaign::TrainRequest request = train_request(options);
                    return [request](comm::Communicator& world) { run_training(request, world); };
                }
                const campaign::TrainCommandRequest request = command_request(options);
                const pool::PoolSource pool = labeled_pool(options);
                const std::string json_path = options.text("json");
                return [=](comm::Communicator& world) {
                    run_command(request, pool, json_path, world);
                };
            }};
}

}  // namespace sluice::cli
