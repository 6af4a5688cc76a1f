#include "queue/item_state.hpp"

#include "core/error.hpp"
#include "queue/layout.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace sluice::queue {
namespace {

enum class Stage { waiting, settled };

// What one result line says about its item.
struct Verdict {
    ItemStatus status;
    std::string reason;
    Stage stage;
};

struct StateName {
    ItemState state;
    std::string_view name;
};
constexpr std::array state_names = {
    StateName{ItemState::queued, "queued"},
    StateName{ItemState::leased, "leased"},
    StateName{ItemState::ok, "ok"},
    StateName{ItemState::nonconverged, "nonconverged"},
    StateName{ItemState::invalid, "invalid"},
    StateName{ItemState::timeout, "timeout"},
    StateName{ItemState::oracle_error, "oracle_error"},
    StateName{ItemState::cancelled, "cancelled"},
    StateName{ItemState::lost, "lost"},
    StateName{ItemState::ingested, "ingested"},
    StateName{ItemState::rejected, "rejected"},
    StateName{ItemState::missing, "missing"},
};

ItemState state_of_failure(ItemStatus status) {
    switch (status) {
        case ItemStatus::nonconverged:
            return ItemState::nonconverged;
        case ItemStatus::invalid:
            return ItemState::invalid;
        case ItemStatus::timeout:
            return ItemState::timeout;
        default:
            return ItemState::oracle_error;
    }
}

ItemState state_of_token(const TicketFiles& files) {
    if (!files.leased.empty()) return ItemState::leased;
    if (!files.pending.empty()) return ItemState::queued;
    return files.quarantined.empty() ? ItemState::missing : ItemState::lost;
}

bool is_failure(const Verdict& verdict) {
    return verdict.status != ItemStatus::ok && verdict.status != ItemStatus::refused;
}

// Settled verdicts come first. A label outweighs failures, whichever was first.
ItemRecord record_of(std::int64_t item, const std::vector<Verdict>& verdicts, ItemState open) {
    ItemRecord record;
    record.item = item;
    record.state = open;
    const Verdict* label = nullptr;
    const Verdict* failure = nullptr;
    for (const Verdict& verdict : verdicts) {
        record.ok_results += verdict.status == ItemStatus::ok ? 1 : 0;
        record.refusals += verdict.status == ItemStatus::refused ? 1 : 0;
        if (verdict.status == ItemStatus::ok && label == nullptr) label = &verdict;
        if (is_failure(verdict) && failure == nullptr) failure = &verdict;
    }
    if (label != nullptr) {
        record.state = label->stage == Stage::settled ? ItemState::ingested : ItemState::ok;
    } else if (failure != nullptr) {
        record.state = failure->stage == Stage::settled ? ItemState::rejected
                                                        : state_of_failure(failure->status);
        record.reason = failure->stage == Stage::settled
                            ? fmt::format("{}: {}", status_name(failure->status), failure->reason)
                            : failure->reason;
    } else if (record.refusals >= max_refusals) {
        record.state = ItemState::cancelled;
        record.reason = verdicts.back().reason;
    }
    return record;
}

std::map<std::int64_t, std::string> parse_rejected(std::string_view text) {
    std::map<std::int64_t, std::string> rejected;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        const auto json = nlohmann::json::parse(line, nullptr, false);
        if (json.is_object() && json.contains("line") && json["line"].is_number_integer()) {
            const auto reason = json.find("reason");
            const bool has_reason = reason != json.end() && reason->is_string();
            rejected[json["line"]] = has_reason ? reason->get<std::string>() : "rejected";
        }
        text.remove_prefix(std::min(text.size(), line.size() + 1));
    }
    return rejected;
}

// The verdicts on the items of one ticket.
class Judge {
  public:
    Judge(const std::string& queue_directory, std::int64_t first_item, std::int64_t num_items,
          std::vector<std::string>& damaged)
        : queue_directory_(queue_directory),
          damaged_(damaged),
          first_item_(first_item),
          verdicts_(static_cast<std::size_t>(num_items)) {}

    void hear_settled(const std::string& name) {
        const std::string path = join(join(queue_directory_, folder::settled), name);
        if (!exists(path)) return damaged_.push_back(path);
        const std::map<std::int64_t, std::string> rejected = rejected_lines(name);
        std::int64_t line = 0;
        for (const ItemResult& result : read_unless_damaged(path)) {
            const auto found = rejected.find(++line);
            if (found == rejected.end()) {
                note(result.item, {result.status, result.reason, Stage::settled});
            } else {
                note(result.item, {ItemStatus::invalid, found->second, Stage::settled});
            }
        }
    }

    // A file that is no longer there has been settled since its folder was listed.
    void hear_waiting(const std::string& name) {
        const std::string path = join(join(queue_directory_, folder::results), name);
        try {
            for (const ItemResult& result : read_unless_damaged(path))
                note(result.item, {result.status, result.reason, Stage::waiting});
        } catch (const Error& error) {
            if (error.code() != ExitCode::no_input) throw;
            hear_settled(name);
        }
    }

    std::vector<ItemRecord> records(ItemState open) const {
        std::vector<ItemRecord> result;
        for (std::size_t i = 0; i < verdicts_.size(); ++i) {
            const std::int64_t item = first_item_ + static_cast<std::int64_t>(i);
            result.push_back(record_of(item, verdicts_[i], open));
        }
        return result;
    }

  private:
    // What ingest did not take of a file, although it may say ok: line number -> reason.
    std::map<std::int64_t, std::string> rejected_lines(const std::string& name) {
        const std::string path =
            join(join(queue_directory_, folder::quarantine), rejected_lines_name(name));
        if (!exists(path)) return {};
        return tolerate_damage(path, [&] { return parse_rejected(read_own_file(path)); });
    }

    std::vector<ItemResult> read_unless_damaged(const std::string& path) {
        return tolerate_damage(path, [&] { return read_result_file(path).results; });
    }

    // What `read` gives; nothing, and the file is named, if it is damaged.
    template <typename Read>
    auto tolerate_damage(const std::string& path, const Read& read) -> decltype(read()) {
        try {
            return read();
        } catch (const Error& error) {
            const bool is_damage =
                error.code() == ExitCode::bad_data || error.code() == ExitCode::permission;
            if (!is_damage) throw;
            pass_over(error);
            damaged_.push_back(path);
            return {};
        }
    }

    void note(std::int64_t item, Verdict verdict) {
        const std::int64_t index = item - first_item_;
        if (index < 0 || index >= static_cast<std::int64_t>(verdicts_.size())) return;
        verdicts_[static_cast<std::size_t>(index)].push_back(std::move(verdict));
    }

    const std::string& queue_directory_;
    std::vector<std::string>& damaged_;
    std::int64_t first_item_;
    std::vector<std::vector<Verdict>> verdicts_;
};

}  // namespace

std::string rejected_lines_name(const std::string& result_name) {
    return result_name + ".rejected.jsonl";
}

std::string_view state_name(ItemState state) {
    for (const StateName& known : state_names) {
        if (known.state == state) return known.name;
    }
    throw Error(ExitCode::internal, "an item state without a name");
}

bool is_open(ItemState state) {
    return state == ItemState::queued || state == ItemState::leased || state == ItemState::lost ||
           state == ItemState::missing;
}

bool is_finished(std::int64_t item, std::span<const ItemResult> results) {
    int refusals = 0;
    for (const ItemResult& result : results) {
        if (result.item != item) continue;
        if (result.status != ItemStatus::refused || ++refusals >= max_refusals) return true;
    }
    return false;
}

std::vector<ItemRecord> judge_ticket(const std::string& queue_directory, BatchReader& batches,
                                     const TicketId& ticket, const TicketFiles& files,
                                     std::vector<std::string>& damaged) {
    Judge judge(queue_directory, batches.first_item(ticket), batches.num_items(ticket), damaged);
    for (const std::string& name : files.settled)
        judge.hear_settled(name);
    for (const std::string& name : files.results)
        judge.hear_waiting(name);
    return judge.records(state_of_token(files));
}

}  // namespace sluice::queue
