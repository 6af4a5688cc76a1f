#include "labels/ticket_intake.hpp"

#include "core/text.hpp"
#include "labels/label_rules.hpp"
#include "labels/rejected_lines.hpp"
#include "queue/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace sluice::labels {
namespace {

using queue::ItemResult;
using queue::ItemStatus;

constexpr std::size_t label_overhead_bytes = 320;  // columns of numbers and short text

std::size_t label_bytes(const ItemShape& items, const ItemResult& result) {
    return label_overhead_bytes + result.id.size() + sizeof(double) * result.y.size() +
           sizeof(float) * static_cast<std::size_t>(items.dim) +
           sizeof(double) * static_cast<std::size_t>(items.num_inputs);
}

}  // namespace

/// A line of a result file that is about an item of the ticket.
struct TicketIntake::Line {
    const ItemResult* result = nullptr;
    std::string_view file;
};

TicketIntake::TicketIntake(const IngestRequest& request, LabelShape shape, IngestReport& report)
    : request_(request),
      shape_(std::move(shape)),
      report_(report),
      batches_(request.queue_directory) {
    const std::vector<std::string> ids = batches_.ids();
    batch_ids_ = {ids.begin(), ids.end()};
}

std::optional<RowRange> TicketIntake::items_of(const queue::TicketId& ticket) {
    if (!batch_ids_.contains(ticket.batch_id)) return std::nullopt;
    const std::int64_t num_tickets = batches_.facts(ticket.batch_id).num_tickets;
    if (ticket.number < 1 || ticket.number > num_tickets) return std::nullopt;
    const std::int64_t first = batches_.first_item(ticket);
    return RowRange{first, first + batches_.num_items(ticket)};
}

// False if there is no such batch.
bool TicketIntake::open(const queue::TicketId& ticket) {
    if (!items_of(ticket)) return false;
    if (open_batch_ == ticket.batch_id) return true;
    const queue::BatchFacts& batch = batches_.facts(ticket.batch_id);
    open_batch_.clear();
    rows_.emplace(queue::join(batch.path, queue::batch_file::items), batch.num_items);
    open_batch_ = ticket.batch_id;
    return true;
}

bool TicketIntake::fits(const queue::TicketId& ticket) {
    return generation_.labels.row.empty() || !open(ticket) ||
           rows_->shape() == generation_.item_shape;
}

Generation TicketIntake::hand_over() {
    bytes_ = 0;
    generation_.label_shape = shape_;
    return std::exchange(generation_, {});
}

// Empty if the line is about an item of the ticket and its label, if any, can be taken.
std::string TicketIntake::why_rejected(const ItemResult& result,
                                       const std::optional<RowRange>& items) {
    if (!items) return "the queue has no such batch or ticket";
    if (result.item < items->begin || result.item >= items->end) {
        return fmt::format("item {} is not of this ticket, which has {} to {}", result.item,
                           items->begin, items->end - 1);
    }
    if (result.row != rows_->row(result.item)) {
        return fmt::format("row {} is not that of the item, which is {}", result.row,
                           rows_->row(result.item));
    }
    const std::string& id = rows_->id(result.item);
    if (result.id != id) {
        return fmt::format("id '{}' is not that of the item, which is '{}'", printable(result.id),
                           printable(id));
    }
    if (result.status != ItemStatus::ok) return {};
    return why_no_label(result, shape_, request_.classes);
}

std::vector<TicketIntake::Line> TicketIntake::accepted_lines(const std::optional<RowRange>& items,
                                                             const std::vector<TakenFile>& files) {
    std::vector<Line> lines;
    for (const TakenFile& file : files) {
        RejectedLines rejected;
        std::int64_t number = 0;
        for (const ItemResult& result : file.content.results) {
            ++number;
            const std::string reason = why_rejected(result, items);
            if (!reason.empty()) {
                rejected.add(number, reason, result);
                continue;
            }
            if (result.status == ItemStatus::ok) learn_shape(shape_, result);
            lines.push_back({&result, file.name});
        }
        rejected.publish(request_.queue_directory, file.name);
        report_.rejected += rejected.count();
    }
    std::stable_sort(lines.begin(), lines.end(), [](const Line& first, const Line& second) {
        return first.result->item < second.result->item;
    });
    return lines;
}

void TicketIntake::take(const queue::TicketId& ticket, const std::vector<TakenFile>& files,
                        const KnownLabels& known) {
    const std::optional<RowRange> items = items_of(ticket);
    if (open(ticket)) rows_->load(*items);
    const std::vector<Line> lines = accepted_lines(items, files);
    for (auto begin = lines.begin(); begin != lines.end();) {
        const auto end = std::find_if(begin, lines.end(), [&](const Line& line) {
            return line.result->item != begin->result->item;
        });
        take_item(ticket, {begin, end}, known);
        begin = end;
    }
    for (const TakenFile& file : files)
        generation_.files.push_back(file.name);
}

void TicketIntake::take_item(const queue::TicketId& ticket, std::span<const Line> lines,
                             const KnownLabels& known) {
    std::vector<HandedIn> labels;
    for (const Line& line : lines) {
        if (line.result->status == ItemStatus::ok) labels.push_back({line.result, line.file});
        if (line.result->status == ItemStatus::refused) ++report_.refusals;
    }
    const KnownLabel* known_label = known.find(ticket.batch_id, lines.front().result->item);
    if (labels.empty()) {
        if (known_label == nullptr) book_failure(lines);
        return;
    }
    const Verdict verdict = judge_labels(labels, known_label, request_.tolerance);
    report_.repeats += verdict.equal - (verdict.winner ? 1 : 0);
    report_.conflicts += verdict.conflicts;
    report_.disagreements += verdict.disagreements;
    generation_.num_conflicts += verdict.conflicts;
    if (verdict.winner) add_label(ticket, labels, verdict);
    if (verdict.conflicts + verdict.disagreements == 0) return;
    generation_.conflicts.push_back(conflict_text(ticket.batch_id, labels, known_label, verdict));
    bytes_ += generation_.conflicts.back().size();
}

// One item without a label, under what its first result says.
void TicketIntake::book_failure(std::span<const Line> lines) {
    const auto failure = std::find_if(lines.begin(), lines.end(), [](const Line& line) {
        return line.result->status != ItemStatus::refused;
    });
    if (failure == lines.end()) return;
    ++report_.failures[std::string(queue::status_name(failure->result->status))];
}

void TicketIntake::add_label(const queue::TicketId& ticket, std::span<const HandedIn> labels,
                             const Verdict& verdict) {
    const ItemResult& result = *labels[*verdict.winner].result;
    const auto features = rows_->features(result.item);
    const auto inputs = rows_->inputs(result.item);
    LabelColumns& columns = generation_.labels;
    generation_.item_shape = rows_->shape();
    columns.row.push_back(result.row);
    columns.id.push_back(rows_->id(result.item));
    columns.features.insert(columns.features.end(), features.begin(), features.end());
    columns.inputs.insert(columns.inputs.end(), inputs.begin(), inputs.end());
    columns.y.insert(columns.y.end(), result.y.begin(), result.y.end());
    columns.source.emplace_back(result.annotator.empty() ? "oracle" : "human");
    columns.round.push_back(batches_.facts(ticket.batch_id).round);
    columns.cost.push_back(result.wall_seconds);
    columns.oracle.push_back(result.oracle_hash);
    columns.batch.push_back(ticket.batch_id);
    columns.item.push_back(result.item);
    columns.repeats.push_back(static_cast<std::int32_t>(labels.size()));
    columns.agreement.push_back(static_cast<float>(verdict.equal) /
                                static_cast<float>(labels.size()));
    bytes_ += label_bytes(rows_->shape(), result);
    ++report_.labels;
}

}  // namespace sluice::labels
