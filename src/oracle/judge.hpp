#pragma once

#include "oracle/process.hpp"
#include "oracle/spec.hpp"
#include "queue/result_line.hpp"

#include <map>
#include <string>
#include <vector>

namespace sluice::oracle {

/// What one run says about one item: status, reason, y, units, is_class, quality, log tail, times
/// and exit code filled in. A label is ok only if the process exited with 0, every check holds, the
/// result is complete, says nothing against convergence, and is finite, of the right shape and
/// within bounds. Exit codes: 0 done, 10 the item failed (oracle_error with result.json's reason),
/// 20 and 75 try later (refused), 30 stop this worker (see asks_to_stop). `scratch` is the
/// directory it ran in; files that are links or larger than 64 MiB are not read.
queue::ItemResult judge_item(const Spec& spec, const queue::TicketItem& item,
                             const ProcessOutcome& outcome, const std::string& scratch);

/// The same for jsonl mode: each line of stdout is matched to its item by "item". Lines before a
/// crash count; an item without a line gets the process's own failure. Lines that are no JSON or
/// name an unknown or a repeated item: oracle_error for the items without a good line.
std::vector<queue::ItemResult> judge_lines(const Spec& spec,
                                           const std::vector<queue::TicketItem>& items,
                                           const ProcessOutcome& outcome);

/// Whether the oracle asked its worker to stop (exit code 30).
bool asks_to_stop(const ProcessOutcome& outcome);

/// input.json of one item, also the line of jsonl mode:
/// {"item":0,"row":7,"id":"a","inputs":{"R":2.6}}.
std::string input_text(const queue::TicketItem& item);

}  // namespace sluice::oracle
