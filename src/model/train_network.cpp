#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/activation.hpp"
#include "model/losses.hpp"
#include "model/random_numbers.hpp"
#include "model/train.hpp"
#include "model/trainable_network.hpp"
#include "model/training_parts.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>

namespace sluice::model {
namespace {

using kernels::Activation;
using kernels::DenseRows;

constexpr double beta1 = 0.9;
constexpr double beta2 = 0.999;
constexpr float two_pi = 6.28318531F;
constexpr std::uint32_t random_layer = max_layers;  // beside those of the trained layers

// (x - mean) / scale, or the set's own numbers where there is nothing to normalise with.
std::vector<float> normalized(const std::vector<float>& values, const Normalization& by) {
    const std::size_t width = by.mean.size();
    std::vector<float> result(values.size());
    std::vector<float> factor(width);
    for (std::size_t k = 0; k < width; ++k)
        factor[k] = 1.0F / by.scale[k];
    for (std::size_t i = 0; i < values.size(); i += width) {
        for (std::size_t k = 0; k < width; ++k)
            result[i + k] = (values[i + k] - by.mean[k]) * factor[k];
    }
    return result;
}

// sqrt(2 / R) cos(Wx + b) without its factor, which the next layer takes over.
// \source Rahimi and Recht, "Random Features for Large-Scale Kernel Machines", NIPS 2007.
Layer random_feature_layer(const TrainingSet& set, const TrainOptions& options,
                           std::uint64_t seed) {
    const std::int64_t count = options.random_features;
    Layer layer{set.dim, count, Activation::cosine, {}, {}};
    layer.weight.resize(static_cast<std::size_t>(set.dim * count));
    layer.bias.resize(static_cast<std::size_t>(count));
    fill_normal({seed, RandomPurpose::initial_weights, random_layer}, layer.weight);
    fill_uniform({seed, RandomPurpose::initial_weights, random_layer + 1}, 0.0F, two_pi,
                 layer.bias);
    const double gamma = options.gamma > 0.0 ? options.gamma : 1.0 / static_cast<double>(set.dim);
    const auto width = static_cast<float>(std::sqrt(2.0 * gamma));
    for (float& weight : layer.weight)
        weight *= width;
    return layer;
}

float random_feature_factor(const TrainOptions& options) {
    return std::sqrt(2.0F / static_cast<float>(options.random_features));
}

std::vector<TrainableNetwork::Shape> shapes_of(const TrainOptions& options, std::int64_t inputs,
                                               std::int64_t outputs) {
    std::vector<TrainableNetwork::Shape> shapes;
    for (const std::int64_t units : options.hidden) {
        shapes.push_back({inputs, units, options.activation});
        inputs = units;
    }
    shapes.push_back({inputs, outputs, Activation::identity});
    return shapes;
}

// The step counter of Adam and what it makes of the options.
class Schedule {
  public:
    explicit Schedule(const TrainOptions& options) : options_(options) {}

    kernels::AdamRates next() {
        power1_ *= beta1;
        power2_ *= beta2;
        kernels::AdamRates rates;
        rates.mean_rate = static_cast<float>(1.0 - beta1);
        rates.square_rate = static_cast<float>(1.0 - beta2);
        rates.step = static_cast<float>(options_.learning_rate / (1.0 - power1_));
        rates.square_scale = static_cast<float>(1.0 / std::sqrt(1.0 - power2_));
        if (options_.hidden.empty()) {
            rates.penalty = static_cast<float>(options_.weight_decay);
        } else {
            rates.keep = static_cast<float>(1.0 - options_.learning_rate * options_.weight_decay);
        }
        return rates;
    }

  private:
    const TrainOptions& options_;
    double power1_ = 1.0;
    double power2_ = 1.0;
};

// The training of one net.
class MemberTraining {
  public:
    MemberTraining(const TrainingSet& set, const TrainOptions& options, std::int64_t member)
        : set_(set),
          options_(options),
          member_(member),
          seed_(member_seed(options.seed, options.round, member)),
          parts_(training_parts(set, options, member)),
          schedule_(options) {
        prepare_targets();
        prepare_inputs();
        loss_ = make_loss(options.head, set, targets_);
        max_rows_ = std::min(options.batch_rows, set.size());
        batch_.reserve(max_rows_ * width_);
        net_.emplace(shapes_of(options, width_, loss_->outputs()), max_rows_, seed_);
    }

    TrainedNetwork run(const EpochHook& after_epoch) {
        float best_loss = 0.0F;
        std::vector<float> best_weights;
        std::int64_t epoch = 0;
        for (; epoch < options_.max_epochs; ++epoch) {
            history_.training_loss.push_back(train_epoch(epoch));
            if (!parts_.held_out.empty()) {
                const float held_out_loss = judge();
                history_.validation_loss.push_back(held_out_loss);
                if (best_weights.empty() || held_out_loss < best_loss) {
                    best_loss = held_out_loss;
                    history_.best_epoch = epoch;
                    net_->keep_weights(best_weights);
                }
            }
            if (after_epoch) after_epoch(epoch);
            if (is_enough(epoch)) break;
        }
        if (best_weights.empty()) {
            history_.best_epoch = std::ssize(history_.training_loss) - 1;
        } else {
            net_->set_weights(best_weights);
        }
        return {finished_network(), std::move(history_)};
    }

  private:
    void prepare_targets() {
        if (set_.task == Task::regression)
            targets_ = normalized(set_.targets, target_normalization(set_));
    }

    // Of all labels at once: a fixed first layer is computed once and for all.
    void prepare_inputs() {
        inputs_ = normalized(set_.features, feature_normalization(set_));
        width_ = set_.dim;
        if (options_.random_features == 0) return;
        random_layer_ = random_feature_layer(set_, options_, seed_);
        width_ = options_.random_features;
        kernels::DensePanels panels;
        panels.pack_transposed(random_layer_->weight.data(), width_, set_.dim);
        std::vector<float> features(static_cast<std::size_t>(set_.size() * width_));
        kernels::multiply({inputs_.data(), set_.size(), set_.dim}, panels,
                          random_layer_->bias.data(), Activation::cosine, features.data(), width_);
        const float factor = random_feature_factor(options_);
        for (float& feature : features)
            feature *= factor;
        inputs_ = std::move(features);
    }

    DenseRows rows_of(std::span<const std::int64_t> entries) {
        float* to = batch_.reserve(0);
        for (const std::int64_t entry : entries) {
            std::copy_n(inputs_.data() + entry * width_, width_, to);
            to += width_;
        }
        return {batch_.reserve(0), static_cast<std::int64_t>(entries.size()), width_};
    }

    // Mean loss over the epoch's steps, each taken before its update.
    float train_epoch(std::int64_t epoch) {
        const std::span<const std::int64_t> all(parts_.training);
        const auto step_rows = static_cast<std::size_t>(max_rows_);
        if (all.size() > step_rows) shuffle_for_epoch(set_, seed_, epoch, parts_.training);
        double total = 0.0;
        for (std::size_t begin = 0; begin < all.size(); begin += step_rows)
            total += train_step(all.subspan(begin, std::min(step_rows, all.size() - begin)));
        return static_cast<float>(total / static_cast<double>(all.size()));
    }

    double train_step(std::span<const std::int64_t> entries) {
        const DenseRows rows = rows_of(entries);
        std::optional<TrainingDropout> dropout;
        if (options_.dropout_rate > 0.0) {
            dropout = {static_cast<float>(options_.dropout_rate), seed_, num_steps_++};
            if (random_layer_) drop_inputs(*dropout, rows);
        }
        const double total = loss_->measure(entries, net_->forward(rows, dropout));
        net_->backward(rows);
        net_->update(schedule_.next());
        return total;
    }

    // The random features are a hidden layer too.
    void drop_inputs(const TrainingDropout& dropout, const DenseRows& rows) {
        std::vector<float>& factors = input_factors_;
        factors.resize(static_cast<std::size_t>(rows.rows * width_));
        draw_dropout(
            {seed_, RandomPurpose::training_dropout, dropout.step * max_layers + max_layers - 1},
            dropout.rate, factors);
        float* values = batch_.reserve(0);
        for (std::size_t i = 0; i < factors.size(); ++i)
            values[i] *= factors[i];
    }

    float judge() {
        const std::span<const std::int64_t> all(parts_.held_out);
        const auto step_rows = static_cast<std::size_t>(max_rows_);
        double total = 0.0;
        for (std::size_t begin = 0; begin < all.size(); begin += step_rows) {
            const auto entries = all.subspan(begin, std::min(step_rows, all.size() - begin));
            total += loss_->measure(entries, net_->run(rows_of(entries)));
        }
        return static_cast<float>(total / static_cast<double>(all.size()));
    }

    bool is_enough(std::int64_t epoch) const {
        return options_.patience > 0 && !parts_.held_out.empty() &&
               epoch - history_.best_epoch >= options_.patience;
    }

    Network finished_network() {
        Network network{net_->layers()};
        require_finite(network);
        if (loss_->outputs() == 1 && options_.head == Head::hinge) {
            split_decision(network.layers.back());
        }
        if (!random_layer_) return network;
        const float factor = random_feature_factor(options_);
        for (float& weight : network.layers.front().weight)
            weight *= factor;
        network.layers.insert(network.layers.begin(), std::move(*random_layer_));
        return network;
    }

    void require_finite(const Network& network) const {
        const auto is_finite = [](float value) { return std::isfinite(value); };
        for (const Layer& layer : network.layers) {
            require(std::ranges::all_of(layer.weight, is_finite) &&
                        std::ranges::all_of(layer.bias, is_finite),
                    ExitCode::bad_data,
                    set_.source + ": the training of member " + std::to_string(member_) +
                        " diverged (learning rate " + number_text(options_.learning_rate) +
                        "); give a lower --learning-rate");
        }
    }

    // One decision value f for two classes as two outputs, -f/2 and f/2.
    static void split_decision(Layer& layer) {
        const std::size_t inputs = layer.weight.size();
        layer.outputs = 2;
        layer.weight.resize(2 * inputs);
        for (std::size_t k = 0; k < inputs; ++k) {
            layer.weight[inputs + k] = 0.5F * layer.weight[k];
            layer.weight[k] = -layer.weight[inputs + k];
        }
        const float half = 0.5F * layer.bias[0];
        layer.bias = {-half, half};
    }

    const TrainingSet& set_;
    const TrainOptions& options_;
    std::int64_t member_;
    std::uint64_t seed_;
    TrainingParts parts_;
    Schedule schedule_;
    std::vector<float> targets_;  // normalised
    std::vector<float> inputs_;   // [L, width] of the first trained layer
    std::int64_t width_ = 0;
    std::optional<Layer> random_layer_;
    std::unique_ptr<Loss> loss_;
    std::int64_t max_rows_ = 0;
    kernels::AlignedFloats batch_;
    std::vector<float> input_factors_;
    std::optional<TrainableNetwork> net_;
    std::uint32_t num_steps_ = 0;
    MemberHistory history_;
};

}  // namespace

TrainedNetwork train_network(const TrainingSet& set, const TrainOptions& options,
                             std::int64_t member, const EpochHook& after_epoch) {
    return MemberTraining(set, options, member).run(after_epoch);
}

}  // namespace sluice::model
