#pragma once

#include "stream/asked_items.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::stream {

/// All that decisions depend on beside the item and the options, and what is to become of items
/// that are decided.
struct StreamState {
    std::int64_t seen = 0;        ///< items decided
    std::int64_t asked = 0;       ///< of which so many are to be labeled
    double spending = 0.0;        ///< labels of the last items, older ones fading; see Policy
    double threshold = 0.0;       ///< of the threshold policies
    std::int64_t dim = 0;         ///< d of volume sampling, 0 before the first item
    std::vector<double> inverse;  ///< [d,d] inverse of ridge + sum of x x' over the items asked for
    std::vector<double> squares;  ///< [d,d] sum of x x' over all items
    AskedItems asked_items;       ///< for the queue's next batch
    SkippedSample skipped;
};

/// Writes a state whole and durably; `options` says what made it.
void save_state(const std::string& path, const std::string& options, const StreamState& state);

/// Nothing if there is none. Throws Error(bad_config) if other options made it, bad_data if it is
/// damaged.
std::optional<StreamState> load_state(const std::string& path, const std::string& options);

}  // namespace sluice::stream
