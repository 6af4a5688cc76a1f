#pragma once

#include "pool/pool.hpp"
#include "stream/observation.hpp"
#include "stream/policy.hpp"
#include "stream/stream_queue.hpp"

#include <cstdint>
#include <string>

namespace sluice::stream {

/// What `sluice stream` was asked for.
struct StreamRequest {
    PolicyOptions policy;
    Embedding embedding = Embedding::automatic;
    std::string model_path;  ///< may be empty
    pool::PoolSource pool;   ///< files that grow; none: lines of JSON on stdin
    std::string state_path;  ///< may be empty: nothing is kept
    std::int64_t save_every = 1000;
    double poll_seconds = 1.0;
    double idle_seconds = 0.0;  ///< end after so long without a new row
    QueueOptions queue;
    std::string skipped_path;          ///< sample of the skipped items, as lines; empty: none
    std::int64_t skipped_items = 100;  ///< in it
    enum class Lines { go_on, from_start } lines = Lines::go_on;  ///< of stdin, with a state
};

/// Decides on item after item, one line of JSON each on stdout: id, item (its number, from 0), ask,
/// certainty (null where nothing is known), bound. What a state has decided is not decided again;
/// lines that were printed after the last state was saved are printed once more, the same. Items
/// that are asked for go into the queue, batch by batch, those left at the end too.
/// Throws Error: bad_data for an item that cannot be, with the items before it decided and the
/// state saved; try_again after a stop signal.
void run_stream(const StreamRequest& request);

}  // namespace sluice::stream
