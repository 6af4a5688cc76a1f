#pragma once

#include "cli/options.hpp"
#include "model/train.hpp"

#include <vector>

namespace sluice::cli {

/// The options that say what is trained and how.
std::vector<OptionSpec> training_options();

/// What they come to; seed and round are left alone.
model::TrainOptions read_training(const Options& options);

}  // namespace sluice::cli
