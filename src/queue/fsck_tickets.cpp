#include "core/error.hpp"
#include "core/process_place.hpp"
#include "core/text.hpp"
#include "queue/fsck_parts.hpp"
#include "queue/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>
#include <utility>

namespace sluice::queue {
namespace {

using Clock = std::chrono::steady_clock;

// Workers move tokens while they are looked for, so whatever looks wrong is looked at again this
// often at least; one look that finds it right is enough.
constexpr int min_looks = 3;
constexpr auto look_pause = std::chrono::milliseconds(50);

enum class Finding { whole, damaged_result, finished_with_token, many_tokens, no_token };

// What the files of one ticket come to.
struct Verdict {
    Finding finding = Finding::whole;
    TicketFiles files;
    std::vector<ItemRecord> items;
    std::vector<std::string> damaged;
};

using PlacedToken = std::pair<std::string_view, Token>;

std::vector<PlacedToken> tokens_of(const TicketFiles& files) {
    std::vector<PlacedToken> tokens;
    for (const Token& token : files.pending)
        tokens.emplace_back(folder::pending, token);
    for (const Token& token : files.leased)
        tokens.emplace_back(folder::leased, token);
    for (const Token& token : files.quarantined)
        tokens.emplace_back(folder::quarantine, token);
    return tokens;
}

std::string place_of(const PlacedToken& token) {
    return fmt::format("{}/{}", token.first, token_name(token.second));
}

bool has_open_items(const Verdict& verdict) {
    return std::ranges::any_of(verdict.items,
                               [](const ItemRecord& record) { return is_open(record.state); });
}

Finding finding_of(const Verdict& verdict) {
    const std::size_t num_tokens = tokens_of(verdict.files).size();
    const bool open = has_open_items(verdict);
    if (num_tokens > 1) return Finding::many_tokens;
    if (num_tokens == 0 && open) return Finding::no_token;
    if (num_tokens == 1 && !open) return Finding::finished_with_token;
    return verdict.damaged.empty() ? Finding::whole : Finding::damaged_result;
}

// A person's lease moves nothing by itself; a process that is gone neither.
bool is_alive(const Token& token) {
    if (!token.holder || token.holder->process == 0) return false;
    const std::string mark = token.holder->nonce.substr(0, process_mark_digits);
    return !process_is_gone(mark, token.holder->process);
}

bool any_lease_is_alive(const Snapshot& snapshot) {
    return std::ranges::any_of(snapshot.tickets, [](const auto& ticket) {
        return std::ranges::any_of(ticket.second.leased, is_alive);
    });
}

class TicketExaminer {
  public:
    TicketExaminer(const std::string& queue_directory, const std::vector<std::string>& batch_ids,
                   FsckReport& report)
        : queue_directory_(queue_directory),
          batches_(queue_directory),
          batch_ids_(batch_ids),
          report_(report) {}

    void examine(std::chrono::milliseconds patience);

  private:
    Verdict judge(const TicketId& ticket, const Snapshot& snapshot);
    void look_at_all();
    void look_again(std::chrono::milliseconds patience);
    void settle(const TicketId& ticket, Verdict& verdict);
    void remove_token(const Verdict& verdict);
    void find_token(const TicketId& ticket, Verdict& verdict);
    void make_token(const TicketId& ticket, Verdict& verdict);
    void tell_of_damage(const Verdict& verdict);
    void count(const Verdict& verdict);
    void note_foreign(const Snapshot& snapshot);
    void add_problem_of(const TicketId& ticket, const std::string& what);

    std::string queue_directory_;
    BatchReader batches_;
    std::vector<std::string> batch_ids_;
    FsckReport& report_;
    Snapshot snapshot_;
    std::map<TicketId, Verdict> suspects_;
};

void TicketExaminer::examine(std::chrono::milliseconds patience) {
    look_at_all();
    look_again(patience);
    for (auto& [ticket, verdict] : suspects_) {
        try {
            settle(ticket, verdict);
        } catch (const Error& error) {  // a repair that the file system refuses
            add_problem(report_, error);
        }
        tell_of_damage(verdict);
        count(verdict);
    }
}

Verdict TicketExaminer::judge(const TicketId& ticket, const Snapshot& snapshot) {
    Verdict verdict;
    const auto found = snapshot.tickets.find(ticket);
    if (found != snapshot.tickets.end()) verdict.files = found->second;
    verdict.items =
        judge_ticket(queue_directory_, batches_, ticket, verdict.files, verdict.damaged);
    verdict.finding = finding_of(verdict);
    return verdict;
}

void TicketExaminer::look_at_all() {
    snapshot_ = take_snapshot(queue_directory_);
    note_foreign(snapshot_);
    for (const std::string& id : batch_ids_) {
        report_.items += batches_.facts(id).num_items;
        for (std::int64_t number = 1; number <= batches_.facts(id).num_tickets; ++number) {
            Verdict verdict = judge({id, number}, snapshot_);
            if (verdict.finding == Finding::whole) {
                count(verdict);
            } else {
                suspects_.emplace(TicketId{id, number}, std::move(verdict));
            }
        }
    }
}

void TicketExaminer::look_again(std::chrono::milliseconds patience) {
    const auto start = Clock::now();
    for (int look = 1; !suspects_.empty(); ++look) {
        if (look > min_looks && Clock::now() - start > patience) return;
        std::this_thread::sleep_for(std::min(look_pause, patience));
        snapshot_ = take_snapshot(queue_directory_);
        for (auto suspect = suspects_.begin(); suspect != suspects_.end();) {
            suspect->second = judge(suspect->first, snapshot_);
            if (suspect->second.finding != Finding::whole) {
                ++suspect;
                continue;
            }
            count(suspect->second);
            suspect = suspects_.erase(suspect);
        }
    }
}

void TicketExaminer::settle(const TicketId& ticket, Verdict& verdict) {
    switch (verdict.finding) {
        case Finding::finished_with_token:
            return remove_token(verdict);
        case Finding::no_token:
            return find_token(ticket, verdict);
        case Finding::many_tokens: {
            std::vector<std::string> places;
            for (const PlacedToken& token : tokens_of(verdict.files))
                places.push_back(place_of(token));
            return add_problem_of(ticket,
                                  fmt::format("has {} tokens ({}); keep one of them, in leased/ "
                                              "if a worker has it, and remove the others",
                                              places.size(), fmt::join(places, ", ")));
        }
        case Finding::damaged_result:
        case Finding::whole:
            return;
    }
}

void TicketExaminer::remove_token(const Verdict& verdict) {
    const PlacedToken token = tokens_of(verdict.files).front();
    if (!remove_finished_token(queue_directory_, token.first, token.second)) return;
    report_.repairs.push_back("removed " + place_of(token) +
                              ": every item of the ticket has a result");
}

void TicketExaminer::find_token(const TicketId& ticket, Verdict& verdict) {
    if (!verdict.damaged.empty()) {
        add_problem_of(ticket,
                       "has no token and a result file that is damaged; restore that file from a "
                       "backup, or remove it and run 'sluice queue fsck' again, so that its items "
                       "are labeled again");
    } else if (any_lease_is_alive(snapshot_)) {
        add_problem_of(ticket,
                       "has no token and items without a result; run 'sluice queue fsck' again "
                       "when no worker is active, which makes the token again");
    } else {
        make_token(ticket, verdict);
    }
}

void TicketExaminer::make_token(const TicketId& ticket, Verdict& verdict) {
    const Token token = remake_token(queue_directory_, ticket, verdict.files);
    report_.repairs.push_back(
        fmt::format("made {}/{} again: the ticket had no token, and items without a result",
                    folder::pending, token_name(token)));
    verdict.files.pending = {token};
    verdict.items =
        judge_ticket(queue_directory_, batches_, ticket, verdict.files, verdict.damaged);
}

// Items that are open and have a token will be labeled again; else a label may be in the file.
void TicketExaminer::tell_of_damage(const Verdict& verdict) {
    const bool harmless = tokens_of(verdict.files).size() == 1 && has_open_items(verdict);
    for (const std::string& path : std::set(verdict.damaged.begin(), verdict.damaged.end())) {
        try {
            static_cast<void>(read_result_file(path));
        } catch (const Error& error) {
            pass_over(error);
            // Links and the like have been told of; what is gone has been settled meanwhile.
            if (error.code() != ExitCode::bad_data) continue;
            const std::string message = printable(error.what());
            if (harmless) {
                report_.notes.push_back(message +
                                        "; items without another result are labeled again");
            } else {
                report_.problems.push_back(message +
                                           "; restore it from a backup, or remove it if its items "
                                           "have other results");
            }
        }
    }
}

void TicketExaminer::count(const Verdict& verdict) {
    for (const ItemRecord& record : verdict.items)
        ++report_.counts[record.state];
}

void TicketExaminer::note_foreign(const Snapshot& snapshot) {
    for (const std::string& name : snapshot.foreign)
        report_.notes.push_back(printable(name) + ": nothing that sluice puts there");
    const std::vector<std::string> ids = batches_.ids();
    const std::set<std::string> issued(ids.begin(), ids.end());
    const std::set<std::string> judged(batch_ids_.begin(), batch_ids_.end());
    for (const auto& [ticket, files] : snapshot.tickets) {
        const std::string& id = ticket.batch_id;
        const bool known = judged.contains(id) ? ticket.number <= batches_.facts(id).num_tickets
                                               : issued.contains(id);
        if (known) continue;
        report_.notes.push_back(fmt::format("{}-{}: files of a ticket that was never issued",
                                            ticket.batch_id, number_name(ticket.number)));
    }
}

void TicketExaminer::add_problem_of(const TicketId& ticket, const std::string& what) {
    report_.problems.push_back(fmt::format("{}: ticket {}-{} {}", queue_directory_, ticket.batch_id,
                                           number_name(ticket.number), what));
}

}  // namespace

void examine_tickets(const std::string& queue_directory, const std::vector<std::string>& batch_ids,
                     std::chrono::milliseconds patience, FsckReport& report) {
    TicketExaminer(queue_directory, batch_ids, report).examine(patience);
}

}  // namespace sluice::queue
