#include "model/loss_head.hpp"

#include "core/error.hpp"
#include "kernels/canonical_math.hpp"
#include "model/held_out.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace sluice::model {
namespace {

constexpr std::int64_t usual_units = 64;
constexpr double floor_share = 0.01;
constexpr float least_floor = 1e-30F;
constexpr std::uint64_t seed_salt = 0x6C6F73735F686561;  // other weights than the committee's

float cross_entropy(std::span<const float> logits, std::int32_t truth) {
    const float highest = *std::max_element(logits.begin(), logits.end());
    float sum = 0.0F;
    for (const float logit : logits)
        sum += kernels::canonical_exp(logit - highest);
    return kernels::canonical_log(sum) + (highest - logits[static_cast<std::size_t>(truth)]);
}

// Two classes have one decision value, of which each output is one half.
float squared_hinge(std::span<const float> decisions, std::int32_t truth) {
    float sum = 0.0F;
    for (std::size_t c = decisions.size() == 2 ? 1 : 0; c < decisions.size(); ++c) {
        const float value = decisions.size() == 2 ? decisions[1] - decisions[0] : decisions[c];
        const float sign = static_cast<std::int32_t>(c) == truth ? 1.0F : -1.0F;
        const float missing = std::max(0.0F, 1.0F - sign * value);
        sum += missing * missing;
    }
    return sum;
}

float mean_square(std::span<const float> said, const float* targets, const Normalization& by) {
    float sum = 0.0F;
    for (std::size_t t = 0; t < by.scale.size(); ++t) {
        const float miss = (said[t] - targets[t]) / by.scale[t];
        sum += miss * miss;
    }
    return sum / static_cast<float>(by.scale.size());
}

// What one net makes of one label.
float loss_of(const TrainingSet& set, const TrainOptions& options, std::int64_t entry,
              std::span<const float> said, const Normalization& by) {
    const auto index = static_cast<std::size_t>(entry);
    if (set.task == Task::regression)
        return mean_square(said, set.targets.data() + entry * set.outputs, by);
    return options.head == Head::hinge ? squared_hinge(said, set.classes[index])
                                       : cross_entropy(said, set.classes[index]);
}

// [entries] the loss by the net of the entry's fold.
std::vector<float> losses_of(const TrainingSet& set, const TrainOptions& options,
                             const HeldOutOutputs& held_out, const Normalization& by) {
    std::vector<float> losses;
    for (std::int64_t i = 0; i < held_out.rows(); ++i) {
        const auto first = held_out.counted.begin() + i * held_out.members;
        const auto own = std::find(first, first + held_out.members, 1) - first;
        const float* said = held_out.said.data() + (i * held_out.members + own) * held_out.outputs;
        const std::int64_t entry = held_out.entries[static_cast<std::size_t>(i)];
        const float loss =
            loss_of(set, options, entry, {said, static_cast<std::size_t>(held_out.outputs)}, by);
        require(std::isfinite(loss), ExitCode::bad_data,
                set.source + ": the loss of the label of row " +
                    std::to_string(set.rows[static_cast<std::size_t>(entry)]) +
                    " is not finite; give a lower --learning-rate");
        losses.push_back(loss);
    }
    return losses;
}

void take_logarithms(std::vector<float>& losses) {
    double sum = 0.0;
    for (const float loss : losses)
        sum += static_cast<double>(loss);
    const auto floor = std::max(
        least_floor, static_cast<float>(floor_share * sum / static_cast<double>(losses.size())));
    for (float& loss : losses)
        loss = kernels::canonical_log(loss + floor);
}

}  // namespace

TrainOptions fold_options(const TrainOptions& options, std::int64_t num_folds) {
    TrainOptions of_folds = options;
    of_folds.members = num_folds;
    of_folds.resample = Resample::k_fold;
    of_folds.dropout_masks = 0;
    return of_folds;
}

TrainingSet loss_labels(const TrainingSet& set, const TrainOptions& options,
                        const Committee& folds) {
    const HeldOutOutputs held_out = held_out_outputs(set, options, folds);
    TrainingSet labels;
    labels.task = Task::regression;
    labels.dim = set.dim;
    labels.outputs = 1;
    labels.target_names = {"log_loss"};
    labels.source = set.source;
    for (const std::int64_t entry : held_out.entries) {
        const auto begin = set.features.begin() + entry * set.dim;
        labels.rows.push_back(set.rows[static_cast<std::size_t>(entry)]);
        labels.features.insert(labels.features.end(), begin, begin + set.dim);
    }
    labels.targets = losses_of(set, options, held_out, folds.target);
    take_logarithms(labels.targets);
    return labels;
}

TrainOptions loss_head_options(const TrainOptions& options) {
    TrainOptions of_head = options;
    of_head.head = Head::squares;
    if (of_head.hidden.empty() && of_head.random_features == 0) of_head.hidden = {usual_units};
    of_head.resample = Resample::none;
    of_head.dropout_masks = 0;
    of_head.seed ^= seed_salt;
    return of_head;
}

void add_loss_head(Committee head, std::int64_t num_folds, Committee& committee) {
    committee.loss_folds = num_folds;
    committee.loss_head = std::make_shared<const Committee>(std::move(head));
}

void train_loss_head(const TrainingSet& set, const TrainOptions& options, std::int64_t num_folds,
                     Committee& committee) {
    const TrainOptions of_folds = fold_options(options, num_folds);
    const TrainingSet labels = loss_labels(set, of_folds, train_committee(set, of_folds));
    add_loss_head(train_committee(labels, loss_head_options(options)), num_folds, committee);
}

}  // namespace sluice::model
