#include "labels/ingest.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/progress.hpp"
#include "core/sha256.hpp"
#include "core/stop.hpp"
#include "labels/ingest_run.hpp"
#include "labels/labels_directory.hpp"
#include "labels/ticket_intake.hpp"
#include "queue/layout.hpp"
#include "queue/snapshot.hpp"
#include "queue/staging.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

// How results become labels. A run may be killed at any of these steps; the next one goes on:
//   labels/labels.gNNNN.h5     link: exclusive. It names the result files it was made from
//   labels/conflicts.gNNNN...  written out from the generation, which holds those lines too
//   results/ -> settled/       one rename for each file. The next run looks for files of the
//                              newest generation that are still in results/ and moves them first

namespace sluice::labels {
namespace {

using Tickets = std::map<queue::TicketId, queue::TicketFiles>;

std::string without_trailing_slashes(std::string directory) {
    while (directory.size() > 1 && directory.back() == '/')
        directory.pop_back();
    return directory;
}

std::string text_of(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines)
        text += line + "\n";
    return text;
}

std::int64_t count_results(const Tickets& tickets) {
    std::int64_t count = 0;
    for (const auto& [ticket, files] : tickets)
        count += std::ssize(files.results);
    return count;
}

class Run {
  public:
    Run(const IngestRequest& request, const IngestLimits& limits)
        : request_(request), limits_(limits), known_(request.labels_directory) {}

    IngestReport take_all();

  private:
    std::string folder_path(std::string_view folder) const {
        return queue::join(request_.queue_directory, folder);
    }
    std::string results_path(const std::string& name) const {
        return queue::join(folder_path(queue::folder::results), name);
    }
    std::string labels_path(const std::string& name) const {
        return queue::join(request_.labels_directory, name);
    }
    void finish_last_run();
    void take_tickets(const Tickets& tickets);
    void look_up_known(Tickets::const_iterator from, const Tickets& tickets);
    void take_ticket(const queue::TicketId& ticket, const queue::TicketFiles& files);
    void read_file(const std::string& name, std::vector<TakenFile>& taken);
    bool is_full() const;
    void publish();
    void publish_conflicts(const std::string& name, const std::vector<std::string>& lines);
    void settle(const std::vector<std::string>& files);

    const IngestRequest& request_;
    const IngestLimits& limits_;
    IngestReport report_;
    LabelShape shape_;
    std::int64_t newest_ = 0;       // generation at the start of this run
    std::int64_t next_number_ = 1;  // fixed before anything is read: see publish_exclusively
    KnownLabels known_;
    queue::TicketId known_until_;  // known_ has been loaded up to this ticket
    std::optional<TicketIntake> intake_;
};

IngestReport Run::take_all() {
    queue::require_queue(request_.queue_directory);
    open_labels_directory(request_.labels_directory);
    queue::remove_leftovers(request_.queue_directory);
    finish_last_run();
    const queue::Snapshot snapshot = queue::take_snapshot(request_.queue_directory);
    if (count_results(snapshot.tickets) > 0) take_tickets(snapshot.tickets);
    return std::move(report_);
}

// A run that was killed after it had published may not have moved all files of its generation.
void Run::finish_last_run() {
    const std::vector<std::int64_t> numbers = generation_numbers(request_.labels_directory);
    if (numbers.empty()) return;
    newest_ = numbers.back();
    next_number_ = newest_ + 1;
    const std::string path = labels_path(generation_name(newest_));
    Generation last = read_generation_facts(path);
    shape_ = last.label_shape;
    const auto waiting = list_directory(folder_path(queue::folder::results));
    std::sort(last.files.begin(), last.files.end());
    std::vector<std::string> unmoved;
    std::set_intersection(waiting.begin(), waiting.end(), last.files.begin(), last.files.end(),
                          std::back_inserter(unmoved));
    if (unmoved.empty()) return;
    log_info(path + ": finishing the ingest that made it, which was cut short");
    sync_directory(request_.labels_directory);
    publish_conflicts(conflicts_name(newest_), last.conflicts);
    report_.conflicts += last.num_conflicts;
    settle(unmoved);
}

void Run::take_tickets(const Tickets& tickets) {
    intake_.emplace(request_, shape_, report_);
    Progress progress("ingest", count_results(tickets), "files");
    for (auto ticket = tickets.begin(); ticket != tickets.end(); ++ticket) {
        const queue::TicketFiles& files = ticket->second;
        if (files.results.empty()) continue;
        require(!stop_requested(), ExitCode::try_again,
                request_.queue_directory + ": " + stop_text() +
                    "; what is published stays, run the same command again");
        if (!files.settled.empty() && !(ticket->first <= known_until_)) {
            look_up_known(ticket, tickets);
        }
        take_ticket(ticket->first, files);
        progress.advance(std::ssize(files.results));
    }
    publish();
}

// Tickets with settled files may have labels already. They are looked up for as many tickets at a
// time as one generation may have labels.
void Run::look_up_known(Tickets::const_iterator from, const Tickets& tickets) {
    KnownLabels::Wanted wanted;
    std::int64_t num_items = 0;
    for (; from != tickets.end() && num_items < limits_.labels; ++from) {
        known_until_ = from->first;
        if (from->second.results.empty() || from->second.settled.empty()) continue;
        const std::optional<RowRange> items = intake_->items_of(from->first);
        if (!items) continue;
        wanted[from->first.batch_id].push_back(*items);
        num_items += items->size();
    }
    known_.load(wanted, newest_);
}

void Run::take_ticket(const queue::TicketId& ticket, const queue::TicketFiles& files) {
    std::vector<TakenFile> taken;
    for (const std::string& name : files.results)
        read_file(name, taken);
    if (taken.empty()) return;
    if (!intake_->fits(ticket)) publish();
    intake_->take(ticket, taken, known_);
    if (is_full()) publish();
}

// A damaged file stays where it is: its items are offered again once it has been removed.
void Run::read_file(const std::string& name, std::vector<TakenFile>& taken) {
    const std::string path = results_path(name);
    try {
        taken.push_back({name, queue::read_result_file(path)});
    } catch (const Error& error) {
        require(error.code() != ExitCode::no_input, ExitCode::try_again,
                path + ": another ingest took it meanwhile; run the same command again");
        const bool is_forbidden = error.code() == ExitCode::permission;
        if (error.code() != ExitCode::bad_data && !is_forbidden) throw;
        (is_forbidden ? report_.forbidden : report_.damaged).emplace_back(error.what());
    }
}

bool Run::is_full() const {
    const Generation& collected = intake_->collected();
    return std::ssize(collected.labels.row) >= limits_.labels ||
           std::ssize(collected.files) >= limits_.labels ||
           intake_->collected_bytes() >= limits_.bytes;
}

// Without a new label nothing is published but the conflicts, under a name that their content
// gives: a run that is killed and repeated does not list them twice.
void Run::publish() {
    const Generation generation = intake_->hand_over();
    if (generation.files.empty()) return;
    if (generation.labels.row.empty()) {
        const std::string digest = sha256_hex(text_of(generation.conflicts)).substr(0, 12);
        publish_conflicts(fmt::format("conflicts.{}.jsonl", digest), generation.conflicts);
    } else {
        report_.generations.push_back(
            publish_generation(request_.labels_directory, next_number_, generation));
        publish_conflicts(conflicts_name(next_number_), generation.conflicts);
        ++next_number_;
    }
    settle(generation.files);
    report_.files += std::ssize(generation.files);
}

void Run::publish_conflicts(const std::string& name, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    publish_text(request_.labels_directory, name, text_of(lines));
    report_.conflict_files.push_back(labels_path(name));
}

// Another ingest may be moving the same files.
void Run::settle(const std::vector<std::string>& files) {
    const std::string settled = folder_path(queue::folder::settled);
    for (const std::string& name : files) {
        queue::move_entry(results_path(name), queue::join(settled, name));
    }
    sync_directory(settled);
    sync_directory(folder_path(queue::folder::results));
}

}  // namespace

IngestReport ingest_within(const IngestRequest& request, const IngestLimits& limits) {
    IngestRequest cleaned = request;
    cleaned.queue_directory = without_trailing_slashes(request.queue_directory);
    cleaned.labels_directory = without_trailing_slashes(request.labels_directory);
    return Run(cleaned, limits).take_all();
}

IngestReport ingest(const IngestRequest& request) {
    return ingest_within(request, {});
}

}  // namespace sluice::labels
