#include "report/queue_view.hpp"

#include "core/error.hpp"
#include "core/path_status.hpp"
#include "queue/status.hpp"
#include "queue/waits.hpp"

#include <ctime>

namespace sluice::report {
namespace {

QueueView read_queue(const std::string& name, const std::string& directory,
                     std::vector<Gap>& gaps) {
    const queue::QueueStatus status =
        queue::queue_status(directory, queue::LeaseClock::newest_file);
    QueueView view;
    view.name = name;
    view.items = status.items;
    for (const auto& [state, count] : status.counts) {
        if (count > 0) view.states.emplace_back(queue::state_name(state), count);
    }
    for (const std::string& path : status.damaged)
        gaps.push_back({"queue " + name, path + ": is damaged; see sluice queue fsck"});
    view.waits = queue::queue_waits(directory);
    return view;
}

}  // namespace

void view_queues(ReportData& data) {
    std::vector<std::pair<std::string, std::string>> places;
    for (const ArmView& arm : data.arms)
        places.emplace_back(arm.arm.name, arm.arm.queue());
    places.emplace_back("test", data.directory + "/test/queue");
    for (const auto& [name, directory] : places) {
        if (!is_directory(directory)) continue;
        try {
            data.queues.push_back(read_queue(name, directory, data.gaps));
        } catch (const Error& error) {
            data.gaps.push_back({"queue " + name, error.what()});
        }
    }
}

std::string utc_text(double seconds) {
    const auto time = static_cast<std::time_t>(seconds);
    std::tm parts{};
    if (::gmtime_r(&time, &parts) == nullptr) return {};
    std::string text(32, '\0');
    text.resize(std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &parts));
    return text;
}

}  // namespace sluice::report
