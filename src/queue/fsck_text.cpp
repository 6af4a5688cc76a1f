#include "core/text.hpp"
#include "queue/fsck.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace sluice::queue {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t max_lines = 50;  // of each kind; the JSON report has all

std::string list_text(const std::string& title, const std::vector<std::string>& lines) {
    if (lines.empty()) return {};
    std::string text = title + ":\n";
    for (std::size_t i = 0; i < std::min(max_lines, lines.size()); ++i)
        text += "  " + lines[i] + "\n";
    if (lines.size() > max_lines) {
        text +=
            "  and " + count_text(static_cast<std::int64_t>(lines.size() - max_lines)) + " more\n";
    }
    return text;
}

std::string counted(std::int64_t count, const std::string& one, const std::string& many) {
    return fmt::format("{} {}", count_text(count), count == 1 ? one : many);
}

}  // namespace

std::string fsck_text(const FsckReport& report) {
    std::string text = counted(report.batches, "batch", "batches") + ", " +
                       counted(report.items, "item", "items") + "\n";
    for (const auto& [state, count] : report.counts)
        text += fmt::format("  {:<13}{:>11}\n", state_name(state), count_text(count));
    text += list_text("repaired", report.repairs);
    text += list_text("notes", report.notes);
    text += list_text("problems", report.problems);
    return text +
           (report.clean() ? "clean"
                           : counted(std::ssize(report.problems), "problem", "problems")) +
           "\n";
}

std::string fsck_json(const FsckReport& report) {
    Json counts = Json::object();
    for (const auto& [state, count] : report.counts)
        counts[std::string(state_name(state))] = count;
    const Json json = {
        {"batches", report.batches}, {"items", report.items},       {"counts", counts},
        {"repairs", report.repairs}, {"problems", report.problems}, {"notes", report.notes},
        {"clean", report.clean()}};
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace sluice::queue
