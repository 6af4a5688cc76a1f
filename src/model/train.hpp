#pragma once

#include "model/committee.hpp"
#include "model/training_set.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::model {

/// What the last layer is trained for; the registry behind `--head`.
enum class Head {
    softmax,   ///< class probabilities, cross-entropy (with no hidden layer: logistic regression)
    hinge,     ///< decision values, one class against the rest, squared-hinge loss (linear SVM)
    squares,   ///< predictions, mean squared error
    gaussian,  ///< predictions and variances, negative log-likelihood of a normal distribution
};
struct HeadDefinition {
    Head head;
    std::string name;
    Task task;
    std::string summary;
};
const std::vector<HeadDefinition>& head_definitions();
const HeadDefinition& head_definition(Head head);

/// How the members of a committee come to differ beside their seeds.
enum class Resample {
    none,       ///< every member sees every label
    bootstrap,  ///< as many labels, drawn with repeats
    k_fold,     ///< member m leaves out fold m of M
};

struct TrainOptions {
    Head head = Head::softmax;
    std::vector<std::int64_t> hidden = {64, 64};  ///< units of each hidden layer; empty: linear
    kernels::Activation activation = kernels::Activation::silu;
    std::int64_t random_features = 0;  ///< R > 0: a fixed layer sqrt(2/R) cos(Wx + b) comes first
    double gamma = 0.0;  ///< RBF kernel exp(-gamma |x-y|^2) on normalised features; 0 = 1 / D
    std::int64_t members = 5;
    Resample resample = Resample::none;
    double dropout_rate = 0.0;       ///< of hidden units, in [0, 1)
    std::int64_t dropout_masks = 0;  ///< > 0: each net stands for that many members
    double learning_rate = 0.001;    ///< of Adam
    /// Of weights, not biases. Decoupled from the gradient (AdamW); with no hidden layer an L2
    /// penalty instead, so that what is minimised is mean loss + weight_decay / 2 |W|^2 exactly
    /// (scikit-learn's C is then 1 / (L weight_decay)).
    double weight_decay = 0.0;
    std::int64_t batch_rows = 64;  ///< labels of one step
    std::int64_t max_epochs = 500;
    std::int64_t patience = 30;  ///< epochs without a better held-out loss; 0 = never stop early
    /// Share of the labels kept out of training, the same for all members, and none if that makes
    /// fewer than 5: too few to judge by. With folds, a member's fold is kept out instead.
    double held_out = 0.1;
    std::uint64_t seed = 0;
    std::uint32_t round = 0;  ///< keys the random numbers together with the seed
};

/// One trained net.
struct TrainedNetwork {
    Network network;
    MemberHistory history;
};

/// Called after each epoch with the epoch's number, on the training thread; for progress and to
/// stop (it may throw).
using EpochHook = std::function<void(std::int64_t epoch)>;

/// Features' (and, for regression, targets') mean and scale over the whole training set, in a fixed
/// order; constant columns get scale 1.
Normalization feature_normalization(const TrainingSet& set);
Normalization target_normalization(const TrainingSet& set);

/// Trains net number `member`: initial weights, held-out part, resampling, order of steps are
/// functions of (options.seed, options.round, member, row) alone, and all arithmetic that reaches
/// the result is canonical: the same bits on every machine. Local, on the calling thread.
TrainedNetwork train_network(const TrainingSet& set, const TrainOptions& options,
                             std::int64_t member, const EpochHook& after_epoch);

/// Puts trained nets together into a committee: normalisations, dropout, and, for softmax heads
/// with at least 20 labels that some member has not seen, the temperature and the calibration error
/// before and after. \source Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
Committee assemble(const TrainingSet& set, const TrainOptions& options,
                   std::vector<TrainedNetwork> networks);

/// Throws Error(usage) for options that cannot be, Error(bad_data) for labels that cannot be
/// trained on: one class only, fewer labels than members, fewer than the folds need.
void check_trainable(const TrainingSet& set, const TrainOptions& options);

/// All nets on the calling thread: train_network for each member, then assemble.
Committee train_committee(const TrainingSet& set, const TrainOptions& options);

}  // namespace sluice::model
