#pragma once

#include "queue/item_state.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sluice::queue {

/// What an examination of a queue found.
struct FsckReport {
    std::int64_t batches = 0;
    std::int64_t items = 0;
    std::map<ItemState, std::int64_t> counts;  ///< adds up to `items`
    std::vector<std::string> repairs;   ///< leftovers of crashes that were put right, one line each
    std::vector<std::string> problems;  ///< what was not touched, one line each with the remedy
    std::int64_t untrusted = 0;         ///< problems that are links, foreign owners and the like
    std::vector<std::string> notes;     ///< unknown files and the like, harmless

    bool clean() const { return problems.empty(); }
};

/// Proves that every issued item is in exactly one state, batch files match their manifests, result
/// files their seals, and nothing in the folders is a link or somebody else's. Puts right what a
/// crash leaves and only one reading of allows: batches issued but not completed, tokens of tickets
/// whose items all have results, things in tmp/ of processes that are gone, a token that is nowhere
/// while no lease is alive and items have no result (made again with the next attempt). Never
/// touches what it cannot explain. Workers may be active: what looks wrong is looked at again for
/// `patience` before it counts.
FsckReport check_queue(const std::string& queue_directory,
                       std::chrono::milliseconds patience = std::chrono::seconds(1));

std::string fsck_text(const FsckReport& report);
std::string fsck_json(const FsckReport& report);

}  // namespace sluice::queue
