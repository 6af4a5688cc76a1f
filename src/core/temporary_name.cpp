#include "core/temporary_name.hpp"

#include "core/directory.hpp"
#include "core/durable_file.hpp"
#include "core/process_place.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

namespace sluice {
namespace {

constexpr std::string_view prefix = ".sluice-";
constexpr std::string_view suffix = ".tmp";

bool is_left_over(std::string_view name) {
    if (!name.starts_with(prefix) || !name.ends_with(suffix)) return false;
    name.remove_prefix(prefix.size());
    name.remove_suffix(suffix.size());
    const std::size_t host_end = name.find('.');
    const std::size_t place = name.rfind('.');
    if (host_end == std::string_view::npos || place <= host_end) return false;
    std::int64_t process = 0;
    const char* const begin = name.data() + host_end + 1;
    const auto [end, error] = std::from_chars(begin, name.data() + place, process);
    return error == std::errc() && *end == '.' &&
           process_is_gone(std::string(name.substr(place + 1)), process);
}

}  // namespace

std::string temporary_name() {
    return fmt::format("{}{}.{}{}", prefix, unique_name(), process_place(), suffix);
}

void remove_temporaries(const std::string& directory) {
    for (const std::string& name : list_directory(directory)) {
        if (is_left_over(name)) clear_away(directory + "/" + name);
    }
}

}  // namespace sluice
