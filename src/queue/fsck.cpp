#include "queue/fsck.hpp"

#include "core/text.hpp"
#include "queue/fsck_parts.hpp"
#include "queue/layout.hpp"
#include "queue/staging.hpp"

namespace sluice::queue {
namespace {

void clear_leftovers(const std::string& queue_directory, FsckReport& report) {
    try {
        for (const std::string& name : remove_leftovers(queue_directory)) {
            report.repairs.push_back("removed " + printable(join(std::string(folder::tmp), name)) +
                                     ", left by a process that is gone");
        }
    } catch (const Error& error) {
        add_problem(report, error);
    }
}

void note_drafts(const std::string& queue_directory, FsckReport& report) {
    const std::size_t count = list_directory(join(queue_directory, folder::tmp)).size();
    if (count == 0) return;
    report.notes.push_back(std::string(folder::tmp) + "/ holds " +
                           count_text(static_cast<std::int64_t>(count)) +
                           (count == 1 ? " draft" : " drafts") + " of processes that may be alive");
}

// Where others may change the queue, nothing is read further or put right.
FsckReport distrusted(const std::string& queue_directory, const Error& error) {
    FsckReport report;
    examine_entries(queue_directory, report);
    if (report.clean()) add_problem(report, error);
    report.notes.push_back("nothing else was examined, since others may change the queue");
    return report;
}

}  // namespace

// Leftovers last but one: a batch that is completed takes its directory out of tmp/ first.
FsckReport check_queue(const std::string& queue_directory, std::chrono::milliseconds patience) {
    FsckReport report;
    try {
        require_queue(queue_directory);
    } catch (const Error& error) {
        if (error.code() != ExitCode::permission) throw;
        return distrusted(queue_directory, error);
    }
    const std::vector<std::string> batch_ids = examine_batches(queue_directory, report);
    clear_leftovers(queue_directory, report);
    examine_entries(queue_directory, report);
    try {
        examine_tickets(queue_directory, batch_ids, patience, report);
    } catch (const Error& error) {
        add_problem(report, error);
    }
    note_drafts(queue_directory, report);
    return report;
}

}  // namespace sluice::queue
