#pragma once

#include "queue/batch_reader.hpp"
#include "queue/token.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace sluice::queue {

/// Who claims, and for how long at a time.
struct ClaimOptions {
    std::int64_t lease_seconds = 300;    ///< heartbeats come four times in it
    std::vector<std::string> tags = {};  ///< tagged batches are taken only with their tag
    std::string person = {};  ///< name of the person the lease is for; empty = this process
};

/// Takes tickets for one worker. A claim is a rename of the token to a name nobody else can make,
/// and holds if that name is there afterwards, whatever the call returned (over NFS a rename that
/// happened may be reported as failed: rename(2), "Bugs"). The token's time is set before the
/// rename, so that a fresh lease does not look overdue. Not thread-safe.
class Claimer {
  public:
    Claimer(std::string queue_directory, ClaimOptions options);

    /// One pending ticket, now leased; nothing if there is none this worker may take. A token that
    /// everybody could have planted (a link, a foreign owner, no such ticket) is left alone and
    /// warned of once.
    std::optional<Token> claim();

    /// Whether pending/ holds a ticket that this worker could take, soon if not now (see
    /// give_back).
    bool any_left();

    /// The items of a claimed ticket that still need a result.
    std::vector<TicketItem> open_items(const Token& token);

    /// Shows that the holder is alive. False: the lease is lost, somebody reaped it.
    bool renew(const Token& token);

    /// Ends a lease whose items all have results: removes the token. Nothing to do if the lease is
    /// lost.
    void finish(const Token& token);

    /// Ends a lease with items left: back to pending, not counted as an attempt. This worker does
    /// not take it again before `pause` is over.
    void give_back(const Token& token, std::chrono::seconds pause = std::chrono::seconds(0));

    BatchReader& batches() { return batches_; }

  private:
    void list_candidates();
    std::optional<Token> acceptable(const std::string& name);
    bool may_take(const Token& token);
    std::string flaw_of(const Token& token);
    bool is_paused(const TicketId& ticket);
    std::optional<Token> try_claim(const Token& token);
    void warn_once(const std::string& subject, const std::string& message);

    std::string queue_directory_;
    ClaimOptions options_;
    BatchReader batches_;
    std::vector<std::string> candidates_;  ///< names seen in pending/, next one last
    std::map<TicketId, std::chrono::steady_clock::time_point> not_before_;
    std::set<std::string> warned_;
    std::minstd_rand random_;
};

}  // namespace sluice::queue
