#pragma once

#include "campaign/train_command.hpp"

#include <map>
#include <string>
#include <vector>

namespace sluice::campaign {

/// The words of a trainer's command, each placeholder replaced; `values` by placeholder, a word
/// that is one alone becomes as many words as it has values. Throws Error(usage) for an empty
/// command, an open quote or an unknown placeholder.
std::vector<std::string> trainer_words(
    const std::string& command, const std::map<std::string, std::vector<std::string>>& values);

/// Whether a command names a placeholder, as in "model".
bool names_placeholder(const std::string& command, const std::string& placeholder);

/// Runs the words to their end and keeps what they print in the log. Returns the seconds taken.
/// OMP_NUM_THREADS is `num_threads` unless the user has set it. Throws
/// Error(unavailable|bad_data|try_again), naming the log.
double run_trainer(const TrainCommand& command, const std::vector<std::string>& words,
                   int num_threads);

}  // namespace sluice::campaign
