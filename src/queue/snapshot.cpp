#include "queue/snapshot.hpp"

#include "queue/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <tuple>

namespace sluice::queue {
namespace {

enum class Place { pending, leased, quarantine };

bool belongs_in(const Token& token, Place place) {
    return token.holder.has_value() == (place == Place::leased);
}

// Ingest keeps the lines that it did not take beside the tickets that were lost.
bool is_rejected_lines(std::string_view name, Place place) {
    return place == Place::quarantine && is_plain_name(name) && name.ends_with(".jsonl");
}

std::vector<Token>& tokens_in(TicketFiles& files, Place place) {
    if (place == Place::pending) return files.pending;
    return place == Place::leased ? files.leased : files.quarantined;
}

std::string path_of(const std::string& queue_directory, std::string_view folder_name,
                    const std::string& name) {
    return join(join(queue_directory, folder_name), name);
}

// Without the lease's end that result names never have.
auto sort_key(const ResultName& name) {
    const Holder& holder = *name.token.holder;
    return std::tuple(name.token.attempt, name.token.releases, holder.name, holder.process,
                      holder.nonce, name.part);
}

void sort_results(std::vector<std::string>& names) {
    std::vector<std::pair<decltype(sort_key({})), std::string>> keyed;
    for (const std::string& name : names)
        keyed.emplace_back(sort_key(*parse_result_name(name)), name);
    std::sort(keyed.begin(), keyed.end());
    for (std::size_t i = 0; i < names.size(); ++i)
        names[i] = keyed[i].second;
}

// Drops the names of results that were moved to settled/ between the two listings.
void drop_moved_results(const std::string& queue_directory, TicketFiles& files) {
    std::erase_if(files.results, [&](const std::string& name) {
        return std::count(files.settled.begin(), files.settled.end(), name) > 0 &&
               !exists(path_of(queue_directory, folder::results, name));
    });
    sort_results(files.results);
    sort_results(files.settled);
}

// The one token of a ticket is seen twice when it moved between two listings; where it has gone
// from is then empty. What is really there twice stays.
void drop_moved_tokens(const std::string& queue_directory, TicketFiles& files) {
    const auto num_tokens = [&] {
        return files.pending.size() + files.leased.size() + files.quarantined.size();
    };
    const auto drop = [&](std::vector<Token>& tokens, std::string_view folder_name) {
        for (std::size_t i = tokens.size(); i-- > 0 && num_tokens() > 1;) {
            if (exists(path_of(queue_directory, folder_name, token_name(tokens[i])))) continue;
            tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(i));
        }
    };
    drop(files.pending, folder::pending);
    drop(files.leased, folder::leased);
}

void list_tokens(const std::string& queue_directory, std::string_view folder_name, Place place,
                 Snapshot& snapshot) {
    for (const std::string& name : list_directory(join(queue_directory, folder_name))) {
        const std::optional<Token> token = parse_token(name);
        if (token && belongs_in(*token, place)) {
            tokens_in(snapshot.tickets[token->ticket], place).push_back(*token);
        } else if (!is_rejected_lines(name, place)) {
            snapshot.foreign.push_back(fmt::format("{}/{}", folder_name, name));
        }
    }
}

void list_results(const std::string& queue_directory, std::string_view folder_name,
                  std::vector<std::string> TicketFiles::*names, Snapshot& snapshot) {
    for (const std::string& name : list_directory(join(queue_directory, folder_name))) {
        if (const std::optional<ResultName> result = parse_result_name(name)) {
            (snapshot.tickets[result->token.ticket].*names).push_back(name);
        } else {
            snapshot.foreign.push_back(fmt::format("{}/{}", folder_name, name));
        }
    }
}

}  // namespace

Snapshot take_snapshot(const std::string& queue_directory) {
    Snapshot snapshot;
    list_tokens(queue_directory, folder::pending, Place::pending, snapshot);
    list_tokens(queue_directory, folder::leased, Place::leased, snapshot);
    list_tokens(queue_directory, folder::quarantine, Place::quarantine, snapshot);
    list_results(queue_directory, folder::results, &TicketFiles::results, snapshot);
    list_results(queue_directory, folder::settled, &TicketFiles::settled, snapshot);
    for (auto& [ticket, files] : snapshot.tickets) {
        drop_moved_tokens(queue_directory, files);
        drop_moved_results(queue_directory, files);
    }
    return snapshot;
}

TicketFiles results_of_ticket(const std::string& queue_directory, const TicketId& ticket) {
    const auto names_in = [&](std::string_view folder_name) {
        std::vector<std::string> names = list_directory(join(queue_directory, folder_name));
        const std::string prefix =
            fmt::format("{}-{}.a", ticket.batch_id, number_name(ticket.number));
        std::erase_if(names, [&](const std::string& name) {
            return !name.starts_with(prefix) || !parse_result_name(name);
        });
        return names;
    };
    TicketFiles files;
    files.results = names_in(folder::results);
    files.settled = names_in(folder::settled);
    drop_moved_results(queue_directory, files);
    return files;
}

}  // namespace sluice::queue
