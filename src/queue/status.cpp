#include "queue/status.hpp"

#include "core/error.hpp"
#include "core/path_status.hpp"
#include "queue/layout.hpp"
#include "queue/server_clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

namespace sluice::queue {
namespace {

constexpr double rate_window_seconds = 600.0;
constexpr int max_looks = 10;
constexpr auto look_pause = std::chrono::milliseconds(20);

constexpr std::array failure_states = {ItemState::nonconverged, ItemState::invalid,
                                       ItemState::timeout,      ItemState::oracle_error,
                                       ItemState::cancelled,    ItemState::rejected};

// When a file was last changed, by the clock of the machine that keeps it.
std::optional<double> modified(const std::string& path) {
    const auto status = path_status(path, Links::keep);
    if (!status) return std::nullopt;
    return static_cast<double>(status->st_mtim.tv_sec) +
           1e-9 * static_cast<double>(status->st_mtim.tv_nsec);
}

// The time on the machine that keeps the files; nothing where this user may not write.
std::optional<double> file_server_time(const std::string& queue_directory) {
    try {
        return 1e-9 * static_cast<double>(file_server_time_ns(queue_directory));
    } catch (const Error&) {
        return std::nullopt;
    }
}

std::string lease_text(const Token& token) {
    const std::string ticket =
        fmt::format("{}-{}", token.ticket.batch_id, number_name(token.ticket.number));
    if (!token.holder) return ticket;
    if (token.holder->process == 0) return fmt::format("{} by {}", ticket, token.holder->name);
    return fmt::format("{} by {}-{}", ticket, token.holder->name, token.holder->process);
}

// What one result file adds to the totals.
struct Delivery {
    double modified = 0.0;
    std::int64_t items = 0;
};

// Items for each second of the last ten minutes in which there were any. The first delivery of that
// time began before it, so its items do not count.
double recent_rate(std::vector<Delivery> deliveries) {
    if (deliveries.empty()) return 0.0;
    const auto by_time = [](const Delivery& a, const Delivery& b) {
        return a.modified < b.modified;
    };
    const double newest = std::max_element(deliveries.begin(), deliveries.end(), by_time)->modified;
    std::erase_if(deliveries, [&](const Delivery& delivery) {
        return delivery.modified < newest - rate_window_seconds;
    });
    const Delivery first = *std::min_element(deliveries.begin(), deliveries.end(), by_time);
    std::int64_t items = -first.items;
    for (const Delivery& delivery : deliveries)
        items += delivery.items;
    const double span = newest - first.modified;
    return span > 0.0 ? static_cast<double>(items) / span : 0.0;
}

class Counter {
  public:
    Counter(const std::string& queue_directory, LeaseClock clock)
        : queue_directory_(queue_directory), clock_(clock), batches_(queue_directory) {}

    QueueStatus count();

  private:
    void count_tickets(const std::string& batch_id, const Snapshot& snapshot);
    void count_uncertain();
    bool count_ticket(const TicketId& ticket, const TicketFiles& files);
    bool count_by_seal(const TicketId& ticket, const TicketFiles& files);
    void add(const ItemRecord& record);
    void add_deliveries(const TicketFiles& files);
    void add_delivery(const std::string& name);
    void count_leases(const Snapshot& snapshot);
    void find_oldest(const std::map<std::string, Token>& leases);
    void estimate();
    std::int64_t count_of(ItemState state) const;

    std::string queue_directory_;
    LeaseClock clock_;
    BatchReader batches_;
    QueueStatus status_;
    std::vector<Delivery> deliveries_;
    std::map<std::string, ResultSeal> seals_;
    std::vector<TicketId> uncertain_;
};

// Batches first: one that is complete now has all its tokens in the snapshot that follows.
QueueStatus Counter::count() {
    const std::vector<std::string> ids = batches_.ids();
    const Snapshot snapshot = take_snapshot(queue_directory_);
    status_.batches = static_cast<std::int64_t>(ids.size());
    for (const std::string& id : ids)
        count_tickets(id, snapshot);
    count_uncertain();
    count_leases(snapshot);
    estimate();
    std::sort(status_.damaged.begin(), status_.damaged.end());
    const auto repeated = std::unique(status_.damaged.begin(), status_.damaged.end());
    status_.damaged.erase(repeated, status_.damaged.end());
    return std::move(status_);
}

void Counter::count_tickets(const std::string& batch_id, const Snapshot& snapshot) {
    const BatchFacts& facts = batches_.facts(batch_id);
    status_.items += facts.num_items;
    for (std::int64_t number = 1; number <= facts.num_tickets; ++number) {
        const TicketId ticket{batch_id, number};
        const auto found = snapshot.tickets.find(ticket);
        const TicketFiles files = found == snapshot.tickets.end() ? TicketFiles{} : found->second;
        if (!count_ticket(ticket, files)) uncertain_.push_back(ticket);
    }
}

// A token that was given back while the folders were listed is in none of the lists.
void Counter::count_uncertain() {
    Snapshot snapshot;
    for (int look = 1; look <= max_looks && !uncertain_.empty(); ++look) {
        std::this_thread::sleep_for(look_pause);
        snapshot = take_snapshot(queue_directory_);
        std::erase_if(uncertain_, [&](const TicketId& ticket) {
            return count_ticket(ticket, snapshot.tickets[ticket]);
        });
    }
    for (const TicketId& ticket : uncertain_) {
        const TicketFiles& files = snapshot.tickets[ticket];
        add_deliveries(files);
        for (const ItemRecord& record :
             judge_ticket(queue_directory_, batches_, ticket, files, status_.damaged)) {
            add(record);
        }
    }
}

// False, with nothing counted, if items of the ticket seem to be nowhere, or a result damaged: a
// file that is moved meanwhile may look so.
bool Counter::count_ticket(const TicketId& ticket, const TicketFiles& files) {
    if (count_by_seal(ticket, files)) return true;
    std::vector<std::string> damaged;
    const std::vector<ItemRecord> records =
        judge_ticket(queue_directory_, batches_, ticket, files, damaged);
    const bool certain =
        damaged.empty() && std::ranges::none_of(records, [](const ItemRecord& record) {
            return record.state == ItemState::missing;
        });
    if (!certain) return false;
    for (const ItemRecord& record : records)
        add(record);
    add_deliveries(files);
    return true;
}

// The common case, without reading a line of results: all items labeled by one file.
bool Counter::count_by_seal(const TicketId& ticket, const TicketFiles& files) {
    const bool has_token =
        !files.pending.empty() || !files.leased.empty() || !files.quarantined.empty();
    if (has_token || files.results.size() + files.settled.size() != 1) return false;
    const bool settled = files.results.empty();
    const std::string& name = settled ? files.settled.front() : files.results.front();
    add_delivery(name);
    const auto seal = seals_.find(name);
    const std::int64_t num_items = batches_.num_items(ticket);
    if (seal == seals_.end()) return false;
    const auto labels = seal->second.counts.find(std::string(status_name(ItemStatus::ok)));
    const bool all_labeled = seal->second.lines == num_items &&
                             labels != seal->second.counts.end() && labels->second == num_items;
    if (!all_labeled) return false;
    status_.counts[settled ? ItemState::ingested : ItemState::ok] += num_items;
    return true;
}

void Counter::add(const ItemRecord& record) {
    ++status_.counts[record.state];
    status_.repeats += std::max<std::int64_t>(0, record.ok_results - 1);
    if (std::ranges::count(failure_states, record.state) > 0) {
        ++status_.reasons[{record.state, record.reason}];
    }
}

void Counter::add_deliveries(const TicketFiles& files) {
    for (const std::string& name : files.results)
        add_delivery(name);
    for (const std::string& name : files.settled)
        add_delivery(name);
}

// A file that cannot be read is told about by judge_ticket, which reads it whole.
void Counter::add_delivery(const std::string& name) {
    if (seals_.contains(name)) return;
    for (const std::string_view place : {folder::results, folder::settled}) {
        const std::string path = join(join(queue_directory_, place), name);
        const std::optional<double> time = modified(path);
        if (!time) continue;
        try {
            const ResultSeal seal = read_seal(path);
            deliveries_.push_back({*time, seal.num_ended()});
            status_.oracle_seconds += seal.wall_seconds;
            seals_.emplace(name, seal);
            return;
        } catch (const Error& error) {
            if (error.code() != ExitCode::no_input) return;
        }
    }
}

void Counter::count_leases(const Snapshot& snapshot) {
    std::map<std::string, Token> leases;
    for (const auto& [ticket, files] : snapshot.tickets) {
        for (const Token& token : files.leased) {
            leases.emplace(token_name(token), token);
            if (token.holder) ++status_.leases_by_holder[token.holder->name];
        }
    }
    status_.leases = static_cast<std::int64_t>(leases.size());
    find_oldest(leases);
}

void Counter::find_oldest(const std::map<std::string, Token>& leases) {
    std::optional<double> oldest;
    double newest = 0.0;
    for (const auto& [name, token] : leases) {
        const auto time = modified(join(join(queue_directory_, folder::leased), name));
        if (!time) continue;
        newest = std::max(newest, *time);
        if (oldest && *oldest <= *time) continue;
        oldest = time;
        status_.oldest_lease = lease_text(token);
    }
    if (!oldest) return;
    for (const Delivery& delivery : deliveries_)
        newest = std::max(newest, delivery.modified);
    const double now = clock_ == LeaseClock::newest_file
                           ? newest
                           : file_server_time(queue_directory_).value_or(newest);
    status_.oldest_lease_seconds = std::max(0.0, now - *oldest);
}

void Counter::estimate() {
    status_.items_per_second = recent_rate(std::move(deliveries_));
    const std::int64_t open = count_of(ItemState::queued) + count_of(ItemState::leased);
    if (open == 0) {
        status_.seconds_left = 0.0;
    } else if (status_.items_per_second > 0.0) {
        status_.seconds_left = static_cast<double>(open) / status_.items_per_second;
    }
}

std::int64_t Counter::count_of(ItemState state) const {
    const auto found = status_.counts.find(state);
    return found == status_.counts.end() ? 0 : found->second;
}

}  // namespace

QueueStatus queue_status(const std::string& queue_directory, LeaseClock clock) {
    return Counter(queue_directory, clock).count();
}

}  // namespace sluice::queue
