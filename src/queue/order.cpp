#include "queue/order.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "queue/layout.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace sluice::queue {
namespace {

std::string entry_path(const std::string& queue_directory, std::int64_t number) {
    return join(join(queue_directory, folder::order), number_name(number));
}

std::string entry_text(const OrderEntry& entry) {
    const nlohmann::ordered_json json = {{"batch", entry.batch_id},
                                         {"pool_fingerprint", entry.pool_fingerprint},
                                         {"staged", entry.staged}};
    return json.dump() + "\n";
}

OrderEntry read_entry(const std::string& path) {
    const auto json = nlohmann::json::parse(read_own_file(path), nullptr, false);
    const auto text_of = [&](const char* key) {
        const bool present = json.is_object() && json.contains(key) && json[key].is_string();
        require(present, ExitCode::bad_data,
                fmt::format("{}: '{}' is missing or no text; the queue is damaged, restore this "
                            "file from a backup",
                            path, key));
        return json[key].get<std::string>();
    };
    OrderEntry entry{text_of("batch"), text_of("pool_fingerprint"), text_of("staged")};
    require(is_plain_name(entry.batch_id) && is_plain_name(entry.staged), ExitCode::bad_data,
            path + ": names a batch that cannot exist; restore this file from a backup");
    return entry;
}

}  // namespace

std::int64_t count_order(const std::string& queue_directory) {
    const std::string directory = join(queue_directory, folder::order);
    std::int64_t count = 0;
    std::int64_t highest = 0;
    for (const std::string& name : list_directory(directory)) {
        const std::int64_t number = number_of_name(name);
        count += number > 0 ? 1 : 0;
        highest = std::max(highest, number);
    }
    require(count == highest, ExitCode::bad_data,
            fmt::format("{}: holds {} entries but the last is number {}; restore the missing ones "
                        "from a backup",
                        directory, count, highest));
    return count;
}

std::vector<OrderEntry> read_order(const std::string& queue_directory) {
    const std::int64_t count = count_order(queue_directory);
    std::vector<OrderEntry> entries;
    for (std::int64_t number = 1; number <= count; ++number) {
        entries.push_back(read_entry(entry_path(queue_directory, number)));
    }
    return entries;
}

OrderEntry claim_order(const std::string& queue_directory, std::int64_t number,
                       const OrderEntry& mine) {
    const std::string path = entry_path(queue_directory, number);
    const std::string draft = join(join(queue_directory, folder::tmp), mine.staged + ".order");
    create_text_file(draft, entry_text(mine));
    // Not a rename, which would replace another's entry; not O_EXCL, whose content comes later.
    // What the call returns does not count: over NFS a link that was made may be reported as
    // failed. Only what stands there now does.
    const int link_error = ::link(draft.c_str(), path.c_str()) == 0 ? 0 : errno;
    clear_away(draft);
    if (link_error != 0 && !exists(path)) {
        throw system_error(path, "cannot link the order entry (hard links are needed)", link_error);
    }
    sync_directory(join(queue_directory, folder::order));
    return read_entry(path);
}

}  // namespace sluice::queue
