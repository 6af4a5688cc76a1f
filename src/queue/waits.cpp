#include "queue/waits.hpp"

#include "core/error.hpp"
#include "core/path_status.hpp"
#include "queue/batch_reader.hpp"
#include "queue/layout.hpp"
#include "queue/snapshot.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

namespace sluice::queue {
namespace {

std::optional<double> modified(const std::string& path) {
    const auto status = path_status(path, Links::keep);
    if (!status) return std::nullopt;
    return static_cast<double>(status->st_mtim.tv_sec) +
           1e-9 * static_cast<double>(status->st_mtim.tv_nsec);
}

// Items that waited equally long: those of one result file.
struct Wait {
    double seconds = 0.0;
    std::int64_t items = 0;
};

class WaitCounter {
  public:
    explicit WaitCounter(const std::string& queue_directory)
        : queue_directory_(queue_directory), batches_(queue_directory) {}

    QueueWaits count() {
        for (const std::string& id : batches_.ids()) {
            const std::string path = join(join(queue_directory_, folder::batches), id);
            if (const auto time = modified(join(path, batch_file::manifest))) issued_[id] = *time;
        }
        for (const auto& [ticket, files] : take_snapshot(queue_directory_).tickets) {
            const auto issue = issued_.find(ticket.batch_id);
            if (issue == issued_.end()) continue;
            for (const auto* names : {&files.results, &files.settled}) {
                for (const std::string& name : *names)
                    add_result(name, issue->second);
            }
            if (!files.pending.empty() || !files.leased.empty()) add_open(ticket, issue->second);
        }
        summarize();
        return waits_;
    }

  private:
    void add_result(const std::string& name, double issue) {
        for (const std::string_view place : {folder::results, folder::settled}) {
            const std::string path = join(join(queue_directory_, place), name);
            const std::optional<double> time = modified(path);
            if (!time) continue;
            try {
                done_.push_back({std::max(0.0, *time - issue), read_seal(path).num_ended()});
                return;
            } catch (const Error&) {
                continue;  // moved on, or damaged, which the queue's states tell of
            }
        }
    }

    void add_open(const TicketId& ticket, double issue) {
        waits_.oldest_issue = waits_.open == 0 ? issue : std::min(waits_.oldest_issue, issue);
        waits_.open += batches_.num_items(ticket);
    }

    void summarize() {
        std::ranges::sort(done_, {}, &Wait::seconds);
        for (const Wait& wait : done_)
            waits_.done += wait.items;
        std::int64_t before = 0;
        for (const Wait& wait : done_) {
            if (wait.items > 0) waits_.longest_seconds = wait.seconds;
            const std::int64_t middle = (waits_.done - 1) / 2;
            if (before <= middle && middle < before + wait.items)
                waits_.median_seconds = wait.seconds;
            before += wait.items;
        }
    }

    std::string queue_directory_;
    BatchReader batches_;
    std::map<std::string, double> issued_;
    std::vector<Wait> done_;
    QueueWaits waits_;
};

}  // namespace

QueueWaits queue_waits(const std::string& queue_directory) {
    return WaitCounter(queue_directory).count();
}

}  // namespace sluice::queue
