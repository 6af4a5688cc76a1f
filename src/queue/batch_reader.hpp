#pragma once

#include "core/types.hpp"
#include "queue/token.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sluice::queue {

/// One item as a worker sees it.
struct TicketItem {
    std::int64_t item = 0;  ///< index within the batch, from 0
    RowId row = 0;
    std::string id;
    std::vector<std::string> input_names;  ///< [P], or empty where the pool names none
    std::vector<double> inputs;            ///< [P]
};

/// What a published batch says about itself.
struct BatchFacts {
    std::string id;
    std::int64_t num_items = 0;
    std::int64_t num_tickets = 0;
    std::int64_t ticket_items = 0;
    std::int64_t round = 0;        ///< 0 if the manifest names none
    std::string tag;               ///< only workers with this tag take it; empty = all do
    std::string pool_fingerprint;  ///< from the manifest or the order entry
    std::string path;              ///< batches/ID
    std::map<std::string, std::string> ticket_sha256;  ///< `tickets/NNNNNN.jsonl` -> digest
};

/// Reads published batches; manifests are read once and kept.
class BatchReader {
  public:
    explicit BatchReader(std::string queue_directory);

    /// Ids of all published batches (with a manifest), in the order of issue.
    std::vector<std::string> ids();

    /// Throws Error(bad_data) naming the manifest if the batch is unknown or damaged.
    const BatchFacts& facts(const std::string& batch_id);

    /// The items of one ticket, in order. Throws Error(bad_data) if the file does not match the
    /// manifest.
    std::vector<TicketItem> ticket(const TicketId& ticket);

    /// Indices of the items of a ticket: [first, first + count). Needs no file but the manifest.
    std::int64_t first_item(const TicketId& ticket);
    std::int64_t num_items(const TicketId& ticket);

  private:
    std::string queue_directory_;
    std::map<std::string, BatchFacts> known_;
};

}  // namespace sluice::queue
