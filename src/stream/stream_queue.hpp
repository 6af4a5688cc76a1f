#pragma once

#include "pool/pool.hpp"
#include "queue/publish.hpp"
#include "stream/asked_items.hpp"

#include <cstdint>
#include <string>

namespace sluice::stream {

/// Where items that are asked for go.
struct QueueOptions {
    std::string directory;           ///< empty: nowhere, decisions are all there is
    std::int64_t batch_items = 100;  ///< a batch goes out with so many, the last with what is left
    std::int64_t ticket_items = 1;   ///< items that a worker takes together
    std::string tag;                 ///< may be empty
};

/// The queue of a stream: each item that is asked for gets into one batch, whatever is killed when.
class StreamQueue {
  public:
    /// `origin` says what decides: a part of the batches' ids. Makes the queue when absent.
    StreamQueue(const QueueOptions& options, std::string origin);

    /// Publishes the items as one batch and forgets them. Rows that other batches have issued are
    /// left out; a batch that is there already is completed. `pool` is where the items' inputs and
    /// features are, or null: they came with the items. Throws Error(try_again) if others publish
    /// all the time; the items are kept.
    void publish(const pool::Pool* pool, AskedItems& items);

  private:
    std::string id_of(const AskedItems& items) const;
    queue::Batch batch_of(const pool::Pool* pool, const AskedItems& items) const;
    bool is_published(const pool::Pool* pool, const AskedItems& items, const std::string& id);

    const QueueOptions& options_;
    std::string origin_;
    queue::Queue queue_;
};

}  // namespace sluice::stream
