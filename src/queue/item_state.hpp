#pragma once

#include "queue/batch_reader.hpp"
#include "queue/snapshot.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::queue {

/// The state of an issued item; exactly one holds at any time.
enum class ItemState {
    queued,        ///< its ticket lies in pending/
    leased,        ///< its ticket is being worked on
    ok,            ///< a label waits in results/
    nonconverged,  ///< failed for this reason; the result waits in results/
    invalid,
    timeout,
    oracle_error,
    cancelled,  ///< refused max_refusals times
    lost,       ///< its ticket is in quarantine: its holders were lost max_attempts times
    ingested,   ///< its label is in a generation; the result lies in settled/
    rejected,   ///< failed, and that has been taken note of: the result lies in settled/
    missing,    ///< no token and no result: the queue is damaged
};
std::string_view state_name(ItemState state);

/// Whether an item in this state has no result that counts yet.
bool is_open(ItemState state);

/// The file in quarantine/ that says which lines of a result file ingest did not take: one object a
/// line, {"line":1,"reason":"...","result":{...}}.
std::string rejected_lines_name(const std::string& result_name);

/// What all results of one item come to.
struct ItemRecord {
    std::int64_t item = 0;
    ItemState state = ItemState::missing;
    std::string reason;           ///< of a failure; of a rejected one with its status in front
    std::int64_t ok_results = 0;  ///< labels handed in, repeats included
    int refusals = 0;
};

/// The items of a ticket that have a final result (or were refused max_refusals times), by index in
/// the batch. `results` in the order of Snapshot.
bool is_finished(std::int64_t item, std::span<const ItemResult> results);

/// Every item of a ticket, judged by its files. A label that ingest did not take is rejected, not
/// ingested. Result files that are damaged count as absent and are named in `damaged`.
std::vector<ItemRecord> judge_ticket(const std::string& queue_directory, BatchReader& batches,
                                     const TicketId& ticket, const TicketFiles& files,
                                     std::vector<std::string>& damaged);

}  // namespace sluice::queue
