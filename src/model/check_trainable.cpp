#include "core/error.hpp"
#include "core/text.hpp"
#include "model/train.hpp"
#include "model/trainable_network.hpp"

#include <algorithm>

namespace sluice::model {
namespace {

constexpr std::int64_t most_units = std::int64_t{1} << 20;
constexpr std::int64_t most_members = std::int64_t{1} << 20;
constexpr std::int64_t most_epochs = (std::int64_t{1} << 20) - 1;  // what the order of steps counts

void require_option(bool is_right, const std::string& what) {
    require(is_right, ExitCode::usage, what);
}

void require_within(const char* option, std::int64_t value, std::int64_t min, std::int64_t max) {
    require_option(value >= min && value <= max,
                   std::string(option) + ": not from " + std::to_string(min) + " to " +
                       std::to_string(max) + " (" + std::to_string(value) +
                       "); give one in that range");
}

void check_layers(const TrainOptions& options) {
    for (const std::int64_t units : options.hidden)
        require_within("--hidden", units, 1, most_units);
    require_within("--hidden", std::ssize(options.hidden), 0, max_layers - 3);
    require_within("--random-features", options.random_features, 0, most_units);
    require_option(options.gamma >= 0.0,
                   "--gamma: below 0 (" + number_text(options.gamma) + "); give a number above 0");
    require_option(options.activation != kernels::Activation::cosine,
                   "--activation: cosine is for random features only; choose relu, silu or tanh, "
                   "or give --random-features");
    require_option(options.dropout_rate >= 0.0 && options.dropout_rate < 1.0,
                   "--dropout: not from 0 to below 1 (" + number_text(options.dropout_rate) +
                       "); give a share of the hidden units");
    require_within("--masks", options.dropout_masks, 0, most_members);
    require_option((options.dropout_masks == 0 && options.dropout_rate == 0.0) ||
                       !options.hidden.empty() || options.random_features > 0,
                   "--dropout: there are no hidden units to drop; give --hidden");
}

void check_steps(const TrainOptions& options) {
    require_within("--members", options.members, 1, most_members);
    require_within("--batch-rows", options.batch_rows, 1, std::int64_t{1} << 24);
    require_within("--epochs", options.max_epochs, 1, most_epochs);
    require_within("--patience", options.patience, 0, most_epochs);
    require_option(options.learning_rate > 0.0 && options.learning_rate <= 10.0,
                   "--learning-rate: not above 0 and up to 10 (" +
                       number_text(options.learning_rate) + "); try 0.001");
    require_option(
        options.weight_decay >= 0.0 && options.weight_decay * options.learning_rate < 1.0,
        "--weight-decay: below 0, or 1 and more with the learning rate (" +
            number_text(options.weight_decay) + "); try 0.0001");
    require_option(options.held_out >= 0.0 && options.held_out < 1.0,
                   "--held-out: not from 0 to below 1 (" + number_text(options.held_out) +
                       "); give a share of the labels");
    require_option(options.resample != Resample::k_fold || options.members >= 2,
                   "--resample k_fold: needs 2 folds (" + std::to_string(options.members) +
                       " member); give --members");
}

// Without those that a committee has given itself.
std::int64_t num_labels(const TrainingSet& set) {
    return set.size() -
           std::ranges::count_if(set.pseudo, [](float weight) { return weight > 0.0F; });
}

void check_classes(const TrainingSet& set) {
    const auto [lowest, highest] = std::minmax_element(set.classes.begin(), set.classes.end());
    require(*lowest != *highest, ExitCode::bad_data,
            set.source + ": y: all " + count_text(set.size()) + " labels are of one class (" +
                std::to_string(*lowest) + "); label rows of another class first");
}

}  // namespace

void check_trainable(const TrainingSet& set, const TrainOptions& options) {
    check_layers(options);
    check_steps(options);
    const HeadDefinition& head = head_definition(options.head);
    require_option(
        head.task == set.task,
        "--head " + head.name + ": is for " + std::string(task_name(head.task)) +
            ", but the labels of " + set.source +
            (set.task == Task::classification ? " are classes; choose softmax or hinge"
                                              : " are numbers; choose squares or gaussian"));
    require(set.size() > 0, ExitCode::bad_data,
            set.source + ": has no labels (0); label some rows first");
    if (set.task == Task::classification) check_classes(set);
    const bool folds = options.resample == Resample::k_fold;
    const std::int64_t needed = folds ? 2 * options.members : options.members;
    const std::int64_t labels = num_labels(set);
    require(labels >= needed, ExitCode::bad_data,
            set.source + ": fewer labels than " + (folds ? "the folds" : "the members") +
                " need (" + std::to_string(labels) + " of " + std::to_string(needed) +
                "); label more rows or give fewer --members");
}

}  // namespace sluice::model
