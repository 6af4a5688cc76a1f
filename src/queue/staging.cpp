#include "queue/staging.hpp"

#include "core/durable_file.hpp"
#include "core/process_place.hpp"
#include "queue/layout.hpp"
#include "queue/order.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <set>
#include <vector>

namespace sluice::queue {
namespace {

std::vector<std::string> split_at_dots(const std::string& text) {
    std::vector<std::string> parts(1);
    for (const char c : text) {
        if (c == '.') {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    return parts;
}

// Only a process of this place that is certainly gone counts; in doubt it lives.
bool maker_is_gone(const std::string& name) {
    const std::vector<std::string> parts = split_at_dots(name);
    if (parts.size() < 4) return false;
    std::int64_t process = 0;
    const char* const end = parts[1].data() + parts[1].size();
    const auto result = std::from_chars(parts[1].data(), end, process);
    return result.ec == std::errc() && result.ptr == end && process_is_gone(parts[3], process);
}

}  // namespace

std::string staging_name() {
    return fmt::format("{}.{}", unique_name(), process_mark());
}

std::vector<std::string> remove_leftovers(const std::string& queue_directory) {
    const std::string tmp = join(queue_directory, folder::tmp);
    std::vector<std::string> leftovers = list_directory(tmp);
    std::erase_if(leftovers, [](const std::string& name) { return !maker_is_gone(name); });
    if (leftovers.empty()) return leftovers;
    // Read after the makers were seen gone: a maker issues its batch while it lives.
    std::set<std::string> needed;
    for (const OrderEntry& entry : read_order(queue_directory))
        needed.insert(entry.staged);
    std::erase_if(leftovers, [&](const std::string& name) { return needed.contains(name); });
    for (const std::string& name : leftovers)
        clear_away(join(tmp, name));
    return leftovers;
}

}  // namespace sluice::queue
