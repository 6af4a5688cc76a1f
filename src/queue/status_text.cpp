#include "core/text.hpp"
#include "queue/status.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace sluice::queue {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t max_reasons = 4;
constexpr std::size_t max_reason_length = 60;
constexpr std::size_t max_damaged = 5;

constexpr std::array all_states = {
    ItemState::queued,  ItemState::leased,   ItemState::ok,           ItemState::nonconverged,
    ItemState::invalid, ItemState::timeout,  ItemState::oracle_error, ItemState::cancelled,
    ItemState::lost,    ItemState::ingested, ItemState::rejected,     ItemState::missing};

std::int64_t count_of(const QueueStatus& status, ItemState state) {
    const auto found = status.counts.find(state);
    return found == status.counts.end() ? 0 : found->second;
}

std::string duration_text(double seconds) {
    if (seconds < 120.0) return fmt::format("{:.0f} s", seconds);
    if (seconds < 7'200.0) return fmt::format("{:.0f} min", seconds / 60.0);
    if (seconds < 172'800.0) return fmt::format("{:.1f} h", seconds / 3600.0);
    return fmt::format("{:.1f} days", seconds / 86'400.0);
}

std::string counted(std::int64_t count, const std::string& one, const std::string& many) {
    return fmt::format("{} {}", count_text(count), count == 1 ? one : many);
}

// The most frequent reasons of a state: `40 normal end; 7 time limit; 3 others`.
std::string reasons_text(const QueueStatus& status, ItemState state) {
    std::vector<std::pair<std::int64_t, std::string>> reasons;
    for (const auto& [key, count] : status.reasons) {
        if (key.first == state && !key.second.empty()) reasons.emplace_back(count, key.second);
    }
    std::ranges::stable_sort(reasons, std::ranges::greater(),
                             [](const auto& r) { return r.first; });
    std::vector<std::string> parts;
    std::int64_t others = 0;
    for (const auto& [count, reason] : reasons) {
        if (parts.size() >= max_reasons) {
            others += count;
        } else {
            parts.push_back(count_text(count) + " " +
                            printable(reason).substr(0, max_reason_length));
        }
    }
    if (others > 0) parts.push_back(count_text(others) + " for other reasons");
    return fmt::format("{}", fmt::join(parts, "; "));
}

std::string lease_remark(const QueueStatus& status) {
    if (status.leases == 0) return {};
    std::string text = "in " + counted(status.leases, "lease", "leases");
    if (status.oldest_lease.empty()) return text;
    return text + "; oldest " + printable(status.oldest_lease) + ", " +
           duration_text(status.oldest_lease_seconds) + " since its last sign of life";
}

std::string remark(const QueueStatus& status, ItemState state) {
    switch (state) {
        case ItemState::leased:
            return lease_remark(status);
        case ItemState::ok:
            return count_of(status, state) > 0 ? "waiting for 'sluice ingest'" : "";
        case ItemState::lost:
            return "in quarantine/: their holders were lost " + std::to_string(max_attempts) +
                   " times";
        case ItemState::missing:
            return "neither a token nor a result: run 'sluice queue fsck'";
        default:
            return reasons_text(status, state);
    }
}

// The states of a queue that is well are always shown, the others when there are such items.
bool is_shown(const QueueStatus& status, ItemState state) {
    const bool usual = state == ItemState::queued || state == ItemState::leased ||
                       state == ItemState::ok || state == ItemState::ingested;
    return usual || count_of(status, state) > 0;
}

std::string line_of(const QueueStatus& status, ItemState state) {
    std::string line = fmt::format("  {:<13}{:>11}   {}", state_name(state),
                                   count_text(count_of(status, state)), remark(status, state));
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n";
}

std::string damaged_text(const QueueStatus& status) {
    std::string text;
    for (std::size_t i = 0; i < std::min(max_damaged, status.damaged.size()); ++i)
        text += "damaged: " + printable(status.damaged[i]) + "\n";
    if (status.damaged.size() > max_damaged) {
        text += fmt::format("damaged: {} more\n", status.damaged.size() - max_damaged);
    }
    return status.damaged.empty() ? text
                                  : text + "run 'sluice queue fsck' to see what that means\n";
}

std::string pace_text(const QueueStatus& status) {
    std::string text = "rate unknown";
    if (status.items_per_second > 0.0) {
        text = fmt::format("rate {:.3g} items/s", status.items_per_second);
    }
    const bool open = count_of(status, ItemState::queued) + count_of(status, ItemState::leased) > 0;
    if (!open) {
        text += ", nothing left to label";
    } else if (status.seconds_left) {
        text += ", about " + duration_text(*status.seconds_left) + " left";
    }
    return text + "; oracle time " + duration_text(status.oracle_seconds) + "\n";
}

Json counts_json(const QueueStatus& status) {
    Json counts = Json::object();
    for (const ItemState state : all_states)
        counts[std::string(state_name(state))] = count_of(status, state);
    return counts;
}

Json reasons_json(const QueueStatus& status) {
    Json reasons = Json::array();
    for (const auto& [key, count] : status.reasons) {
        reasons.push_back({{"state", state_name(key.first)},
                           {"reason", printable(key.second)},
                           {"items", count}});
    }
    return reasons;
}

}  // namespace

std::string status_text(const QueueStatus& status) {
    std::string text = counted(status.batches, "batch", "batches") + ", " +
                       counted(status.items, "item", "items") + "\n";
    for (const ItemState state : all_states) {
        if (is_shown(status, state)) text += line_of(status, state);
    }
    if (status.repeats > 0) {
        text += counted(status.repeats, "label", "labels") + " handed in more than once\n";
    }
    return text + damaged_text(status) + pace_text(status);
}

std::string status_json(const QueueStatus& status) {
    Json json = {{"batches", status.batches},
                 {"items", status.items},
                 {"counts", counts_json(status)},
                 {"reasons", reasons_json(status)},
                 {"repeats", status.repeats},
                 {"leases", status.leases},
                 {"oldest_lease", printable(status.oldest_lease)},
                 {"oldest_lease_seconds", status.oldest_lease_seconds},
                 {"leases_by_holder", status.leases_by_holder},
                 {"items_per_second", status.items_per_second},
                 {"seconds_left", status.seconds_left ? Json(*status.seconds_left) : Json()},
                 {"oracle_seconds", status.oracle_seconds},
                 {"damaged", Json::array()}};
    for (const std::string& name : status.damaged)
        json["damaged"].push_back(printable(name));
    return json.dump(2) + "\n";
}

}  // namespace sluice::queue
