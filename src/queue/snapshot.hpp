#pragma once

#include "queue/result_file.hpp"
#include "queue/token.hpp"

#include <map>
#include <string>
#include <vector>

namespace sluice::queue {

/// Every file of one ticket outside its batch. Whole, a ticket has one token or all its results.
struct TicketFiles {
    std::vector<Token> pending;
    std::vector<Token> leased;
    std::vector<Token> quarantined;
    std::vector<std::string> results;  ///< names in results/, in the order that decides which label
                                       ///< is first: attempt, releases, holder, part
    std::vector<std::string> settled;  ///< names in settled/, in the same order
};

/// The names in the queue's folders at about one moment. Folders are listed in the order in which
/// files move (pending, leased, quarantine, results, settled), so that a moving one is seen at
/// least once, unless it moves backwards (released, reaped) meanwhile; a name seen in two folders
/// because it moved is kept where it went.
struct Snapshot {
    std::map<TicketId, TicketFiles> tickets;
    std::vector<std::string>
        foreign;  ///< `FOLDER/NAME` of what no part of sluice would have put there
};

Snapshot take_snapshot(const std::string& queue_directory);

/// The files of one ticket. Lists results/ and settled/ only, so tokens are empty.
TicketFiles results_of_ticket(const std::string& queue_directory, const TicketId& ticket);

}  // namespace sluice::queue
