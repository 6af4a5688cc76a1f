#pragma once

#include "cli/options.hpp"
#include "study/study.hpp"

#include <string>
#include <vector>

namespace sluice::cli {

/// A strategy from `[NAME=]SCORE[/DIVERSIFY[/FACTOR[/WORD...]]]`: FACTOR is a number of batches or
/// `all`, words are `distinct` and `per_cost`. Without a name the words are it. Fails naming the
/// option for what is not understood.
study::Strategy parse_strategy(const std::string& text, const Options& options);

/// A data set from `NAME=[POOL:]LABELS`.
study::StudySource parse_data(const std::string& text, const Options& options);

}  // namespace sluice::cli
