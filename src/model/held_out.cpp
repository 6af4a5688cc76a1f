#include "model/held_out.hpp"

#include "model/calibration.hpp"
#include "model/training_parts.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace sluice::model {
namespace {

// [labels, nets] 1 = this net has not seen this label.
std::vector<std::uint8_t> unseen_labels(const TrainingSet& set, const TrainOptions& options,
                                        std::size_t nets) {
    std::vector<std::uint8_t> unseen(static_cast<std::size_t>(set.size()) * nets, 0);
    for (std::size_t n = 0; n < nets; ++n) {
        const TrainingParts parts = training_parts(set, options, static_cast<std::int64_t>(n));
        for (const std::int64_t entry : parts.held_out)
            unseen[static_cast<std::size_t>(entry) * nets + n] = 1;
    }
    return unseen;
}

double accuracy_of(const TrainingSet& set, const HeldOutOutputs& held_out) {
    const std::vector<float> probabilities = mean_probabilities(logits_of(set, held_out), 1.0F);
    double right = 0.0;
    for (std::int64_t i = 0; i < held_out.rows(); ++i) {
        const auto row = probabilities.begin() + i * held_out.outputs;
        const auto best = std::max_element(row, row + held_out.outputs) - row;
        const std::int64_t entry = held_out.entries[static_cast<std::size_t>(i)];
        if (best == set.classes[static_cast<std::size_t>(entry)]) right += 1.0;
    }
    return right / static_cast<double>(held_out.rows());
}

// The mean of the members that have not seen row i, of target t.
double mean_prediction(const HeldOutOutputs& held_out, std::int64_t i, std::int64_t t) {
    double sum = 0.0;
    double count = 0.0;
    for (std::int64_t m = 0; m < held_out.members; ++m) {
        const std::int64_t place = i * held_out.members + m;
        if (held_out.counted[static_cast<std::size_t>(place)] == 0) continue;
        sum += static_cast<double>(
            held_out.said[static_cast<std::size_t>(place * held_out.outputs + t)]);
        count += 1.0;
    }
    return sum / count;
}

double mean_error_of(const TrainingSet& set, const HeldOutOutputs& held_out, std::int64_t t) {
    double squares = 0.0;
    for (std::int64_t i = 0; i < held_out.rows(); ++i) {
        const std::int64_t entry = held_out.entries[static_cast<std::size_t>(i)];
        const float target = set.targets[static_cast<std::size_t>(entry * set.outputs + t)];
        const double off = mean_prediction(held_out, i, t) - static_cast<double>(target);
        squares += off * off;
    }
    return std::sqrt(squares / static_cast<double>(held_out.rows()));
}

}  // namespace

HeldOutOutputs held_out_outputs(const TrainingSet& set, const TrainOptions& options,
                                const Committee& committee) {
    const std::size_t nets = committee.networks.size();
    const std::vector<std::uint8_t> unseen = unseen_labels(set, options, nets);
    HeldOutOutputs result;
    result.members = committee.num_members();
    result.outputs = committee.predicts_variance ? 2 * committee.outputs : committee.outputs;
    const std::size_t masks = static_cast<std::size_t>(result.members) / nets;
    std::vector<float> features;
    for (std::int64_t entry = 0; entry < set.size(); ++entry) {
        const auto of_row = unseen.begin() + entry * static_cast<std::ptrdiff_t>(nets);
        if (std::count(of_row, of_row + static_cast<std::ptrdiff_t>(nets), 1) == 0) continue;
        result.entries.push_back(entry);
        const auto begin = set.features.begin() + entry * set.dim;
        features.insert(features.end(), begin, begin + set.dim);
        for (std::size_t n = 0; n < nets; ++n) {
            result.counted.insert(result.counted.end(), masks,
                                  of_row[static_cast<std::ptrdiff_t>(n)]);
        }
    }
    if (result.rows() == 0) return result;
    result.said.resize(static_cast<std::size_t>(result.rows() * result.members * result.outputs));
    run_network(committee, kernels::Backend::cpu, set.source)
        ->run(features.data(), result.rows(), result.said.data());
    return result;
}

HeldOutQuality held_out_quality(const TrainingSet& set, const TrainOptions& options,
                                const Committee& committee) {
    const HeldOutOutputs held_out = held_out_outputs(set, options, committee);
    HeldOutQuality quality;
    quality.rows = held_out.rows();
    if (quality.rows == 0) return quality;
    if (set.task == Task::classification) {
        quality.accuracy = accuracy_of(set, held_out);
        return quality;
    }
    for (std::int64_t t = 0; t < set.outputs; ++t)
        quality.mean_errors.push_back(mean_error_of(set, held_out, t));
    return quality;
}

}  // namespace sluice::model
