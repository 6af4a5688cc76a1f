#include "cli/training_options.hpp"

#include "cli/numbers.hpp"
#include "core/text.hpp"

#include <limits>
#include <string>
#include <string_view>

namespace sluice::cli {
namespace {

constexpr std::uint64_t max_count = std::numeric_limits<std::int32_t>::max();

std::vector<Choice> activation_choices() {
    std::vector<Choice> choices;
    for (const std::string_view name : kernels::activation_names())
        choices.push_back({std::string(name)});
    return choices;
}

double number_from_zero(const Options& options, const std::string& name) {
    const auto parsed = parse_number(options.text(name));
    if (!parsed || *parsed < 0.0)
        options.fail(name, "not a number from 0 up (" + printable(options.text(name)) + ")");
    return *parsed;
}

std::vector<std::int64_t> read_hidden(const Options& options) {
    std::vector<std::int64_t> layers;
    std::string text = options.text("hidden");
    if (text == "none") return layers;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        const auto units = parse_count(text.substr(begin, end - begin));
        if (!units || *units == 0 || *units > max_count)
            options.fail("hidden", "not units of layers (" + printable(text) +
                                       "); write as in 64,64, or none");
        layers.push_back(static_cast<std::int64_t>(*units));
        begin = end + 1;
    }
    return layers;
}

}  // namespace

std::vector<OptionSpec> training_options() {
    return {
        {.name = "head",
         .value_name = "NAME",
         .summary = "what the last layer is trained for (listed below)",
         .default_text = "softmax",
         .choices = choices_of(model::head_definitions())},
        {.name = "hidden",
         .value_name = "UNITS",
         .summary = "units of each hidden layer, as in 64,64; none = a linear model",
         .default_text = "64,64"},
        {.name = "activation",
         .value_name = "NAME",
         .summary = "of hidden units",
         .default_text = "silu",
         .choices = activation_choices()},
        {.name = "random-features",
         .value_name = "R",
         .summary = "fixed random Fourier features of an RBF kernel before the layers; 0 = none",
         .default_text = "0"},
        {.name = "gamma",
         .value_name = "X",
         .summary = "the RBF kernel is exp(-X distance^2) on normalised features; 0 = 1 / D",
         .default_text = "0"},
        {.name = "members",
         .value_name = "M",
         .summary = "nets of the committee",
         .default_text = "5"},
        {.name = "resample",
         .value_name = "NAME",
         .summary = "how the members' labels differ",
         .default_text = "none",
         .choices = {{"none"}, {"bootstrap"}, {"k_fold"}}},
        {.name = "dropout",
         .value_name = "RATE",
         .summary = "share of hidden units dropped in training",
         .default_text = "0"},
        {.name = "masks",
         .value_name = "M",
         .summary = "members by dropout from each net; 0 = none",
         .default_text = "0"},
        {.name = "learning-rate", .value_name = "X", .summary = "of Adam", .default_text = "0.001"},
        {.name = "weight-decay", .value_name = "X", .summary = "of AdamW", .default_text = "0"},
        {.name = "batch-rows",
         .value_name = "N",
         .summary = "labels of one step",
         .default_text = "64"},
        {.name = "epochs", .value_name = "E", .summary = "at most", .default_text = "500"},
        {.name = "patience",
         .value_name = "E",
         .summary = "epochs without a better held-out loss; 0 = never stop early",
         .default_text = "30"},
        {.name = "held-out",
         .value_name = "SHARE",
         .summary = "share of the labels kept out of training",
         .default_text = "0.1"},
    };
}

model::TrainOptions read_training(const Options& options) {
    model::TrainOptions training;
    for (const model::HeadDefinition& head : model::head_definitions()) {
        if (head.name == options.text("head")) training.head = head.head;
    }
    training.hidden = read_hidden(options);
    training.activation = kernels::find_activation(options.text("activation"));
    training.random_features = options.count("random-features", {0, max_count});
    training.gamma = number_from_zero(options, "gamma");
    training.members = options.count("members", {1, max_count});
    if (options.text("resample") == "bootstrap") training.resample = model::Resample::bootstrap;
    if (options.text("resample") == "k_fold") training.resample = model::Resample::k_fold;
    training.dropout_rate = number_from_zero(options, "dropout");
    training.dropout_masks = options.count("masks", {0, max_count});
    training.learning_rate = options.positive_number("learning-rate");
    training.weight_decay = number_from_zero(options, "weight-decay");
    training.batch_rows = options.count("batch-rows", {1, max_count});
    training.max_epochs = options.count("epochs", {1, max_count});
    training.patience = options.count("patience", {0, max_count});
    training.held_out = number_from_zero(options, "held-out");
    return training;
}

}  // namespace sluice::cli
