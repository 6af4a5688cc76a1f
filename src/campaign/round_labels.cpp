#include "campaign/round_labels.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "labels/item_rows.hpp"
#include "labels/known_labels.hpp"
#include "queue/item_state.hpp"
#include "queue/layout.hpp"
#include "queue/snapshot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <functional>
#include <limits>
#include <thread>
#include <utility>

namespace sluice::campaign {
namespace {

using queue::ItemRecord;
using queue::ItemState;

constexpr std::string_view header = "rank,row,status,id";
constexpr int max_looks = 5;
constexpr std::chrono::milliseconds look_pause{100};
constexpr std::int64_t newest_generation = std::numeric_limits<std::int64_t>::max();

// Calls `visit` with every item's record, in selection order.
void visit_items(const std::string& queue_directory, const std::string& batch_id,
                 const std::function<void(const ItemRecord&)>& visit) {
    queue::BatchReader batches(queue_directory);
    queue::Snapshot snapshot = queue::take_snapshot(queue_directory);
    const std::int64_t num_tickets = batches.facts(batch_id).num_tickets;
    for (std::int64_t number = 1; number <= num_tickets; ++number) {
        const queue::TicketId ticket{batch_id, number};
        std::vector<std::string> damaged;
        const auto records = queue::judge_ticket(queue_directory, batches, ticket,
                                                 snapshot.tickets[ticket], damaged);
        require(damaged.empty(), ExitCode::bad_data,
                (damaged.empty() ? "" : damaged.front()) +
                    ": is damaged; run sluice queue fsck on " + queue_directory +
                    ", which says what to do, then this command again");
        for (const ItemRecord& record : records)
            visit(record);
    }
}

void add_item(ItemState state, BatchProgress& progress, std::int64_t& missing) {
    switch (state) {
        case ItemState::queued:
        case ItemState::leased:
            ++progress.open;
            break;
        case ItemState::missing:
            ++missing;
            break;
        case ItemState::ingested:
        case ItemState::rejected:
        case ItemState::cancelled:
        case ItemState::lost:
            ++progress.finished;
            break;
        default:
            ++progress.waiting;
    }
}

std::string quoted(const std::string& field) {
    if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
    std::string result = "\"";
    for (const char c : field)
        result.append(c == '"' ? 2 : 1, c);
    return result + "\"";
}

// A rejected item's reason begins with the status it was handed in with.
std::string status_of(const ItemRecord& record) {
    if (record.state == ItemState::ingested) return "ok";
    if (record.state != ItemState::rejected) return std::string(queue::state_name(record.state));
    return record.reason.substr(0, record.reason.find(':'));
}

std::string numbers_text(const std::vector<double>& values) {
    std::string text;
    for (const double value : values)
        text += "," + number_text(value);
    return text;
}

struct Line {
    std::int64_t row = 0;
    std::string_view status;
};

// The end of the record that begins at `begin`: a line end within quotes belongs to the field.
std::size_t record_end(std::string_view csv, std::size_t begin) {
    bool inside = false;
    for (std::size_t i = begin; i < csv.size(); ++i) {
        if (csv[i] == '"') inside = !inside;
        if (csv[i] == '\n' && !inside) return i + 1;
    }
    return csv.size();
}

std::vector<Line> lines_of(std::string_view csv, const std::string& path) {
    require(csv.starts_with(header) && csv.ends_with('\n'), ExitCode::bad_data,
            path + ": is not what sluice wrote; restore it, or remove it to have it made again");
    std::vector<Line> lines;
    for (std::size_t begin = csv.find('\n') + 1; begin < csv.size();
         begin = record_end(csv, begin)) {
        const std::size_t row = csv.find(',', begin) + 1;
        const std::size_t status = csv.find(',', row) + 1;
        const std::size_t id = csv.find(',', status);
        Line line;
        const char* row_end = csv.data() + status - 1;
        const auto [stop, error] = std::from_chars(csv.data() + row, row_end, line.row);
        require(row > begin && status > row && id != std::string_view::npos &&
                    error == std::errc() && stop == row_end,
                ExitCode::bad_data, path + ": has a line that sluice did not write");
        line.status = csv.substr(status, id - status);
        lines.push_back(line);
    }
    return lines;
}

}  // namespace

BatchProgress batch_progress(const std::string& queue_directory, const std::string& batch_id) {
    for (int look = 1;; ++look) {
        BatchProgress progress;
        std::int64_t missing = 0;
        visit_items(queue_directory, batch_id,
                    [&](const ItemRecord& record) { add_item(record.state, progress, missing); });
        if (missing == 0) return progress;
        // A token that workers move while the folders are listed may be in none of the lists.
        require(look < max_looks, ExitCode::bad_data,
                fmt::format("{}: {} items of batch {} have no ticket and no result; run sluice "
                            "queue fsck on it",
                            queue_directory, missing, batch_id));
        std::this_thread::sleep_for(look_pause);
    }
}

std::string labels_csv(const std::string& queue_directory, const std::string& labels_directory,
                       const std::string& batch_id) {
    queue::BatchReader batches(queue_directory);
    const queue::BatchFacts& facts = batches.facts(batch_id);
    const RowRange all{0, facts.num_items};
    labels::KnownLabels labels(labels_directory);
    labels.load({{batch_id, {all}}}, newest_generation);
    labels::ItemRows rows(queue::join(facts.path, queue::batch_file::items), facts.num_items);
    rows.load(all);
    std::vector<std::pair<std::string, const labels::KnownLabel*>> items;
    std::size_t width = 1;
    visit_items(queue_directory, batch_id, [&](const ItemRecord& record) {
        const labels::KnownLabel* label = labels.find(batch_id, record.item);
        if (label != nullptr) width = label->y.size();
        items.emplace_back(
            fmt::format("{},{},{},{}", record.item + 1, rows.row(record.item),
                        label != nullptr ? "ok" : status_of(record), quoted(rows.id(record.item))),
            label);
    });
    std::string text(header);
    for (std::size_t i = 0; i < width; ++i)
        text += width == 1 ? std::string(",y") : fmt::format(",y{}", i);
    for (const auto& [facts_of_item, label] : items)
        text += "\n" + facts_of_item +
                (label != nullptr ? numbers_text(label->y) : std::string(width, ','));
    return text + "\n";
}

std::string empty_labels_csv() {
    return std::string(header) + ",y\n";
}

LabelCounts count_labels(std::string_view csv, const std::string& path) {
    LabelCounts counts;
    for (const Line& line : lines_of(csv, path))
        ++(line.status == "ok" ? counts.ok : counts.failed);
    return counts;
}

std::vector<std::int64_t> failed_rows(std::string_view csv, const std::string& path) {
    std::vector<std::int64_t> rows;
    for (const Line& line : lines_of(csv, path)) {
        if (line.status != "ok") rows.push_back(line.row);
    }
    std::sort(rows.begin(), rows.end());
    return rows;
}

}  // namespace sluice::campaign
