#pragma once

#include "model/committee.hpp"
#include "model/train.hpp"
#include "model/training_set.hpp"

#include <cstdint>

namespace sluice::model {

/// How the nets of the folds are trained: net f has not seen fold f, no dropout members.
TrainOptions fold_options(const TrainOptions& options, std::int64_t num_folds);

/// The labels with the logarithm of their loss as the target: the loss that the net which has not
/// seen the label makes of it, plus a hundredth of the mean loss (so that a loss of 0 has a
/// logarithm and those of sure rows do not rule). The loss is the cross-entropy of softmax heads,
/// the squared hinge loss of hinge heads and the mean square over normalised components of
/// regression heads. `folds` was trained on `set` with `options`, which are fold_options().
/// Pseudo-labels have no loss. Throws Error(bad_data) if a loss is not finite.
TrainingSet loss_labels(const TrainingSet& set, const TrainOptions& options,
                        const Committee& folds);

/// How the loss head is trained on loss_labels(): as the committee is, for squares; without hidden
/// layers of its own it has one.
/// \source Yoo and Kweon, "Learning Loss for Active Learning", CVPR 2019; their module sees the
///         losses of the labels that the net was trained on, ours losses of labels that were left
///         out, and the logarithm in place of pairs of a mini-batch makes the scale harmless.
TrainOptions loss_head_options(const TrainOptions& options);

/// The head as a part of the committee's model.
void add_loss_head(Committee head, std::int64_t num_folds, Committee& committee);

/// All of it on the calling thread: a loss head for the committee that was trained on `set` with
/// `options`.
void train_loss_head(const TrainingSet& set, const TrainOptions& options, std::int64_t num_folds,
                     Committee& committee);

}  // namespace sluice::model
