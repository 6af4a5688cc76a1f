#pragma once

#include "core/error.hpp"
#include "queue/fsck.hpp"
#include "queue/order.hpp"
#include "queue/snapshot.hpp"

#include <string>
#include <string_view>
#include <vector>

// The parts of an examination. Each adds what it finds to the report.

namespace sluice::queue {

/// Links, pipes, hard links, foreign owners, what everybody may write, unknown names.
void examine_entries(const std::string& queue_directory, FsckReport& report);

/// Order entries, batch directories, manifests and the files they vouch for; completes batches that
/// were issued. Returns the ids of batches whose tickets can be judged, in the order of issue.
std::vector<std::string> examine_batches(const std::string& queue_directory, FsckReport& report);

/// The items and tokens of every ticket of `batch_ids`, and the result files; see check_queue for
/// `patience`.
void examine_tickets(const std::string& queue_directory, const std::vector<std::string>& batch_ids,
                     std::chrono::milliseconds patience, FsckReport& report);

/// `MESSAGE` of an error as a problem of the report.
void add_problem(FsckReport& report, const Error& error);

/// Completes an issued batch whose publication was cut short. False if that had been done already.
bool complete_issued(const std::string& queue_directory, const OrderEntry& entry);

/// Removes the token, in `folder_name`, of a ticket whose items all have results. False if
/// somebody else was first.
bool remove_finished_token(const std::string& queue_directory, std::string_view folder_name,
                           const Token& token);

/// Makes the token of a ticket that has none: pending, with an attempt more than any seen.
Token remake_token(const std::string& queue_directory, const TicketId& ticket,
                   const TicketFiles& files);

}  // namespace sluice::queue
