#pragma once

#include "labels/generation.hpp"
#include "labels/ingest.hpp"
#include "labels/item_rows.hpp"
#include "labels/known_labels.hpp"
#include "queue/batch_reader.hpp"
#include "queue/result_file.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sluice::labels {

/// A result file that was read.
struct TakenFile {
    std::string name;
    queue::ResultFile content;
};

/// Judges result files, ticket by ticket, and collects their labels until somebody publishes them.
class TicketIntake {
  public:
    /// Counts into `report`, which must outlive this object. `shape` is that of the labels so far.
    TicketIntake(const IngestRequest& request, LabelShape shape, IngestReport& report);

    /// Whether the ticket's labels may join the collected ones: the items of its batch look alike.
    bool fits(const queue::TicketId& ticket);

    /// Takes all result files of a ticket, in their order, at least one. Lines that are about no
    /// item of it, or whose label breaks a rule, go to quarantine/ at once. Throws
    /// Error(try_again).
    void take(const queue::TicketId& ticket, const std::vector<TakenFile>& files,
              const KnownLabels& known);

    /// What has been taken since the last hand_over().
    const Generation& collected() const { return generation_; }
    std::size_t collected_bytes() const { return bytes_; }
    Generation hand_over();

    /// The items of a ticket; nothing if the queue has no such ticket.
    std::optional<RowRange> items_of(const queue::TicketId& ticket);

  private:
    struct Line;

    bool open(const queue::TicketId& ticket);
    std::string why_rejected(const queue::ItemResult& result, const std::optional<RowRange>& items);
    std::vector<Line> accepted_lines(const std::optional<RowRange>& items,
                                     const std::vector<TakenFile>& files);
    void take_item(const queue::TicketId& ticket, std::span<const Line> lines,
                   const KnownLabels& known);
    void book_failure(std::span<const Line> lines);
    void add_label(const queue::TicketId& ticket, std::span<const HandedIn> labels,
                   const Verdict& verdict);

    const IngestRequest& request_;
    LabelShape shape_;
    IngestReport& report_;
    queue::BatchReader batches_;
    std::set<std::string> batch_ids_;
    std::string open_batch_;
    std::optional<ItemRows> rows_;
    Generation generation_;
    std::size_t bytes_ = 0;
};

}  // namespace sluice::labels
