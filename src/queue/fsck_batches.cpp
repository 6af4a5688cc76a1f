#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/path_status.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "core/trouble.hpp"
#include "queue/fsck_parts.hpp"
#include "queue/layout.hpp"
#include "queue/selected_csv.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <set>

namespace sluice::queue {
namespace {

constexpr std::size_t block_bytes = std::size_t{1} << 20;
constexpr const char* restore = "the batch is damaged, restore it from a backup";

// The digest of a file of any size.
std::string file_sha256(const std::string& path) {
    const auto status = path_status(path, Links::keep);
    require(status.has_value(), ExitCode::bad_data,
            fmt::format("{}: missing, but its manifest names it; {}", path, restore));
    require(S_ISREG(status->st_mode), ExitCode::permission, path + ": not a regular file");
    const FileDescriptor file = open_for_reading(path);
    std::vector<std::byte> block(block_bytes);
    Sha256 digest;
    const auto size = static_cast<std::size_t>(status->st_size);
    for (std::size_t offset = 0; offset < size; offset += block_bytes) {
        const std::span<std::byte> bytes(block.data(), std::min(block_bytes, size - offset));
        read_exactly(file, bytes, offset, path);
        digest.update(bytes);
    }
    return digest.hex_digest();
}

// What a manifest may vouch for; anything else could lead out of the batch.
bool is_batch_file(const std::string& name) {
    const std::string tickets = std::string(batch_file::tickets) + "/";
    if (name == batch_file::items || name == batch_file::selected) return true;
    if (!name.starts_with(tickets) || !name.ends_with(".jsonl")) return false;
    return number_of_name(name.substr(tickets.size(), name.size() - tickets.size() - 6)) > 0;
}

class BatchExaminer {
  public:
    BatchExaminer(const std::string& queue_directory, const OrderEntry& entry, FsckReport& report)
        : path_(join(join(queue_directory, folder::batches), entry.batch_id)),
          entry_(entry),
          report_(report) {}

    // Whether its tickets can be judged.
    bool examine(BatchReader& batches);

  private:
    void examine_manifest(const BatchFacts& facts);
    void examine_file(const std::string& name, const nlohmann::json& facts);
    void examine_tickets(const nlohmann::json& files, const BatchFacts& facts);
    void examine_rows(const BatchFacts& facts);
    void note_unknown(const nlohmann::json& files);
    void add(const std::string& file, const std::string& what);

    std::string path_;
    const OrderEntry& entry_;
    FsckReport& report_;
};

bool BatchExaminer::examine(BatchReader& batches) {
    try {
        const BatchFacts& facts = batches.facts(entry_.batch_id);
        examine_manifest(facts);
        return true;
    } catch (const Error& error) {
        add_problem(report_, error);
        return false;
    }
}

void BatchExaminer::examine_manifest(const BatchFacts& facts) {
    const std::string path = join(path_, batch_file::manifest);
    const auto manifest = nlohmann::json::parse(read_own_file(path), nullptr, false);
    const bool usable = manifest.is_object() && manifest.contains("files") &&
                        manifest["files"].is_object() && manifest.value("id", "") == facts.id &&
                        facts.id == entry_.batch_id;
    require(usable, ExitCode::bad_data,
            fmt::format("{}: not the manifest of batch {}; {}", path, entry_.batch_id, restore));
    const auto& files = manifest["files"];
    for (const auto& [name, file_facts] : files.items())
        examine_file(name, file_facts);
    examine_tickets(files, facts);
    examine_rows(facts);
    note_unknown(files);
}

void BatchExaminer::examine_file(const std::string& name, const nlohmann::json& facts) {
    if (!is_batch_file(name) || !facts.is_object() || !facts.contains("sha256")) {
        return add("manifest.json", "vouches for '" + printable(name) +
                                        "', which is no file of a "
                                        "batch");
    }
    try {
        if (facts["sha256"] != file_sha256(join(path_, name))) {
            add(name, "does not match its manifest");
        }
    } catch (const Error& error) {
        add_problem(report_, error);
    }
}

void BatchExaminer::examine_tickets(const nlohmann::json& files, const BatchFacts& facts) {
    for (std::int64_t number = 1; number <= facts.num_tickets; ++number) {
        const std::string name =
            fmt::format("{}/{}.jsonl", batch_file::tickets, number_name(number));
        if (!files.contains(name)) add("manifest.json", "does not vouch for " + name);
    }
    for (const std::string_view name : {batch_file::items, batch_file::selected}) {
        if (!files.contains(std::string(name))) {
            add("manifest.json", "does not vouch for " + std::string(name));
        }
    }
    const std::int64_t per_ticket = std::max<std::int64_t>(1, facts.ticket_items);
    if (facts.num_tickets != (facts.num_items + per_ticket - 1) / per_ticket) {
        add("manifest.json", fmt::format("{} items do not fill {} tickets of {}", facts.num_items,
                                         facts.num_tickets, facts.ticket_items));
    }
}

void BatchExaminer::examine_rows(const BatchFacts& facts) {
    const std::string path = join(path_, batch_file::selected);
    try {
        const auto num_rows = std::ssize(rows_of_selected_csv(read_own_file(path), path));
        if (num_rows != facts.num_items) {
            add("selected.csv",
                fmt::format("has {} rows, but the batch {} items", num_rows, facts.num_items));
        }
    } catch (const Error& error) {
        if (error.code() != ExitCode::no_input) add_problem(report_, error);  // told of already
    }
}

void BatchExaminer::note_unknown(const nlohmann::json& files) {
    const auto note = [&](const std::string& name) {
        report_.notes.push_back(fmt::format("{}/{}/{}: not a part of the batch", folder::batches,
                                            entry_.batch_id, printable(name)));
    };
    for (const std::string& name : list_directory(path_)) {
        const bool known = name == batch_file::manifest || name == batch_file::provenance ||
                           name == batch_file::tickets || files.contains(name);
        if (!known) note(name);
    }
    for (const std::string& name : list_directory(join(path_, batch_file::tickets))) {
        const std::string relative = join(std::string(batch_file::tickets), name);
        if (!files.contains(relative)) note(relative);
    }
}

void BatchExaminer::add(const std::string& file, const std::string& what) {
    report_.problems.push_back(fmt::format("{}: {}; {}", join(path_, file), what, restore));
}

void complete(const std::string& queue_directory, const OrderEntry& entry, FsckReport& report) {
    try {
        if (complete_issued(queue_directory, entry)) {
            report.repairs.push_back("completed batch " + entry.batch_id +
                                     ", whose publication had been cut short");
        }
    } catch (const Error& error) {
        add_problem(report, error);
    }
}

void find_unissued(const std::string& queue_directory, FsckReport& report) {
    const std::string batches = join(queue_directory, folder::batches);
    const std::vector<std::string> names = list_directory(batches);
    // Read after the names: a batch is issued before it is there.
    std::set<std::string> issued;
    for (const OrderEntry& entry : read_order(queue_directory))
        issued.insert(entry.batch_id);
    for (const std::string& name : names) {
        if (issued.contains(name)) continue;
        report.problems.push_back(
            fmt::format("{}: no entry of order/ names it; remove it, having "
                        "seen who put it there",
                        printable(join(batches, name))));
    }
    for (const std::string& name : list_directory(join(queue_directory, folder::order))) {
        if (number_of_name(name) == 0) {
            report.notes.push_back(
                fmt::format("{}/{}: not an order entry", folder::order, printable(name)));
        }
    }
}

std::vector<OrderEntry> distinct_order(const std::string& queue_directory, FsckReport& report) {
    std::vector<OrderEntry> distinct;
    std::set<std::string> ids;
    for (const OrderEntry& entry : read_order(queue_directory)) {
        if (ids.insert(entry.batch_id).second) {
            distinct.push_back(entry);
        } else {
            report.problems.push_back(
                fmt::format("{}: two entries name batch {}; the queue is "
                            "damaged, restore it from a backup",
                            join(queue_directory, folder::order), entry.batch_id));
        }
    }
    return distinct;
}

}  // namespace

void add_problem(FsckReport& report, const Error& error) {
    const bool is_gone = error.code() == ExitCode::no_input;
    if (error.error_number() != 0 && !is_gone) note_trouble(error);  // more may be wrong
    const std::string message = printable(error.what());
    if (std::ranges::count(report.problems, message) > 0) return;
    report.problems.push_back(message);
    if (error.code() == ExitCode::permission) ++report.untrusted;
}

std::vector<std::string> examine_batches(const std::string& queue_directory, FsckReport& report) {
    std::vector<std::string> ids;
    try {
        const std::vector<OrderEntry> order = distinct_order(queue_directory, report);
        for (const OrderEntry& entry : order)
            complete(queue_directory, entry, report);
        find_unissued(queue_directory, report);
        BatchReader batches(queue_directory);
        for (const OrderEntry& entry : order) {
            ++report.batches;
            if (BatchExaminer(queue_directory, entry, report).examine(batches)) {
                ids.push_back(entry.batch_id);
            }
        }
    } catch (const Error& error) {
        add_problem(report, error);
    }
    return ids;
}

}  // namespace sluice::queue
