#pragma once

#include "core/types.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::queue {

/// One chosen sample.
struct BatchItem {
    RowId row = 0;
    std::string id;  ///< what users call the row
    float score = 0.0F;
    float distance = 0.0F;       ///< to the nearest centre when picked; NaN = no diversity stage
    std::vector<double> inputs;  ///< [P] what the oracle sees; may be empty
    std::optional<std::int64_t> group = {};  ///< item that the row is an instance of: all rows of
                                             ///< a batch have one, or none has
    float instance_score = 0.0F;             ///< the row's own, where `score` is its item's
    std::string reason = {};                 ///< why it was chosen; may be empty
    RowId nearest = -1;  ///< the row nearest to it when it was chosen; -1 = not known
    float nearest_distance = 0.0F;
};

/// A batch to publish.
struct Batch {
    std::string id;                ///< 16 hex digits: hash of the science inputs
    std::vector<BatchItem> items;  ///< in selection order
    std::vector<float> features;   ///< [items, dim]; may be empty
    std::int64_t dim = 0;
    std::vector<std::string> input_names;  ///< [P]
    std::vector<std::string> input_units;  ///< [P], may be empty
    std::int64_t ticket_items = 1;         ///< items claimed together
    std::string tag;                       ///< only workers with this tag take it; empty = all
    std::string manifest;                  ///< JSON object text: the science inputs, the same for
                                           ///< every run of this batch; fields of its own are added
    std::string provenance;                ///< text of provenance.json: what differs from run to
                                           ///< run (host, ranks, timings); may be empty
    std::string pool_fingerprint;          ///< of the pool the rows were chosen from
};

enum class PublishOutcome { published, already_there };

/// The queue directory (layout: README, "Files").
class Queue {
  public:
    /// Opens `directory`, creating it and its folders when absent. Throws Error(permission) for a
    /// world-writable or foreign directory, Error(bad_data) for another format version.
    explicit Queue(std::string directory);

    /// Rows of every batch issued so far, ascending, without repeats; `-1` never occurs.
    std::vector<RowId> issued_rows() const;

    /// How many batches have been issued: publish() only succeeds if this is still so.
    std::int64_t num_issued() const;

    /// The manifest text of a published batch; nothing if `id` is not published. A batch whose
    /// publication was cut short after its commit point is completed first.
    std::optional<std::string> find_batch(const std::string& id);

    /// The pool fingerprint that the last issued batch was made from; empty if none.
    std::string last_pool_fingerprint() const;

    /// Publishes atomically: everything under a temporary name, synced, renamed; then the order
    /// entry (link: exclusive), tokens, manifest last. `expected_issued` is num_issued() at the
    /// time the exclusions were read: if another batch came in between, Error(try_again).
    /// Killed at any instant and run again it publishes the same batch exactly once.
    PublishOutcome publish(const Batch& batch, std::int64_t expected_issued);

    const std::string& directory() const { return directory_; }

  private:
    std::string directory_;
};

/// A field of a CSV file, quoted as RFC 4180 where needed.
std::string csv_field(const std::string& field);

/// selected.csv: `rank,row,id,score,distance,reason,nearest,nearest_distance`, in selection order;
/// numbers read back to the same bits; distance empty without a diversity stage, the last two where
/// no row is known; fields quoted as RFC 4180 where needed. Instances of items have two more
/// columns before `reason`: `group,instance_score`.
std::string selected_csv(const std::vector<BatchItem>& items);

}  // namespace sluice::queue
