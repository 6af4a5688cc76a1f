#include "model/train.hpp"

#include "core/error.hpp"
#include "core/version.hpp"
#include "model/calibration.hpp"
#include "model/held_out.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace sluice::model {
namespace {

// Mean and standard deviation of each column, sums in float64 over rows in their order.
Normalization normalization_of(const std::vector<float>& values, std::int64_t width) {
    const auto columns = static_cast<std::size_t>(width);
    const double rows = static_cast<double>(values.size()) / static_cast<double>(width);
    std::vector<double> mean(columns, 0.0);
    std::vector<double> square(columns, 0.0);
    for (std::size_t i = 0; i < values.size(); ++i)
        mean[i % columns] += static_cast<double>(values[i]);
    for (double& sum : mean)
        sum /= rows;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double off = static_cast<double>(values[i]) - mean[i % columns];
        square[i % columns] += off * off;
    }
    Normalization result;
    for (std::size_t k = 0; k < columns; ++k) {
        const auto scale = static_cast<float>(std::sqrt(square[k] / rows));
        // Rounding leaves a little of a constant column's mean; and 1 / scale must be finite.
        const double noise = 1e-7 * std::fabs(mean[k]);
        const bool varies = scale > std::numeric_limits<float>::min() && double{scale} > noise;
        result.mean.push_back(static_cast<float>(mean[k]));
        result.scale.push_back(varies ? scale : 1.0F);
    }
    return result;
}

std::string resample_name(Resample resample) {
    switch (resample) {
        case Resample::bootstrap:
            return "bootstrap";
        case Resample::k_fold:
            return "k_fold";
        case Resample::none:
            break;
    }
    return "none";
}

std::string provenance_text(const TrainingSet& set, const TrainOptions& options) {
    nlohmann::ordered_json json;
    json["sluice"] = version_text();
    json["labels"] = set.source;
    json["num_labels"] = set.size();
    json["head"] = head_definition(options.head).name;
    json["hidden"] = options.hidden;
    json["activation"] = kernels::activation_name(options.activation);
    json["random_features"] = options.random_features;
    json["gamma"] = options.gamma;
    json["members"] = options.members;
    json["resample"] = resample_name(options.resample);
    json["dropout_rate"] = options.dropout_rate;
    json["dropout_masks"] = options.dropout_masks;
    json["learning_rate"] = options.learning_rate;
    json["weight_decay"] = options.weight_decay;
    json["batch_rows"] = options.batch_rows;
    json["max_epochs"] = options.max_epochs;
    json["patience"] = options.patience;
    json["held_out"] = options.held_out;
    json["seed"] = options.seed;
    json["round"] = options.round;
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void calibrate(const TrainingSet& set, const TrainOptions& options, Committee& committee) {
    const HeldOutLogits held_out = logits_of(set, held_out_outputs(set, options, committee));
    if (held_out.rows() < fewest_for_temperature) return;
    const auto error_at = [&](float temperature) {
        return expected_calibration_error(mean_probabilities(held_out, temperature), held_out.truth,
                                          held_out.classes);
    };
    committee.temperature = fit_temperature(held_out);
    committee.calibration = {error_at(1.0F), error_at(committee.temperature), held_out.rows()};
}

}  // namespace

Normalization feature_normalization(const TrainingSet& set) {
    return normalization_of(set.features, set.dim);
}

Normalization target_normalization(const TrainingSet& set) {
    return normalization_of(set.targets, set.outputs);
}

Committee assemble(const TrainingSet& set, const TrainOptions& options,
                   std::vector<TrainedNetwork> networks) {
    Committee committee;
    committee.task = set.task;
    committee.dim = set.dim;
    committee.outputs = set.outputs;
    committee.predicts_variance = options.head == Head::gaussian;
    committee.input = feature_normalization(set);
    if (set.task == Task::regression) committee.target = target_normalization(set);
    committee.target_names = set.target_names;
    committee.target_units = set.target_units;
    for (TrainedNetwork& trained : networks) {
        committee.networks.push_back(std::move(trained.network));
        committee.history.push_back(std::move(trained.history));
    }
    if (options.dropout_masks > 0) {
        committee.dropout =
            Dropout{options.dropout_masks, static_cast<float>(options.dropout_rate), options.seed};
    }
    committee.provenance = provenance_text(set, options);
    if (options.head == Head::softmax) calibrate(set, options, committee);
    return committee;
}

Committee train_committee(const TrainingSet& set, const TrainOptions& options) {
    check_trainable(set, options);
    std::vector<TrainedNetwork> networks;
    for (std::int64_t member = 0; member < options.members; ++member)
        networks.push_back(train_network(set, options, member, {}));
    return assemble(set, options, std::move(networks));
}

}  // namespace sluice::model
