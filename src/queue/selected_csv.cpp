#include "queue/selected_csv.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "queue/publish.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace sluice::queue {
namespace {

constexpr std::string_view first_columns = "rank,row,id,score,distance";
constexpr std::string_view instance_columns = ",group,instance_score";
constexpr std::string_view reason_columns = ",reason,nearest,nearest_distance";

// The length of the record at the start of `text` with its line end; a line end within quotes
// belongs to the field.
std::size_t record_length(std::string_view text) {
    bool inside = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"') inside = !inside;
        if (text[i] == '\n' && !inside) return i + 1;
    }
    return 0;
}

// The length of the header; 0: it is none. Batches of earlier versions give no reasons.
std::size_t header_length(std::string_view text) {
    for (const std::string_view instances : {instance_columns, std::string_view()}) {
        for (const std::string_view reasons : {reason_columns, std::string_view()}) {
            const std::string header =
                std::string(first_columns) + std::string(instances) + std::string(reasons) + "\n";
            if (text.starts_with(header)) return header.size();
        }
    }
    return 0;
}

RowId second_field(std::string_view record) {
    const std::size_t begin = record.find(',') + 1;
    const std::size_t end = record.find(',', begin);
    if (begin == 0 || end == std::string_view::npos) return -1;
    RowId row = -1;
    const auto result = std::from_chars(record.data() + begin, record.data() + end, row);
    return result.ec == std::errc() && result.ptr == record.data() + end ? row : -1;
}

}  // namespace

std::string csv_field(const std::string& field) {
    if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
    std::string result = "\"";
    for (const char c : field)
        result.append(c == '"' ? 2 : 1, c);
    return result + "\"";
}

std::string selected_csv(const std::vector<BatchItem>& items) {
    const bool are_instances = !items.empty() && items.front().group.has_value();
    std::string text(first_columns);
    if (are_instances) text += instance_columns;
    text += reason_columns;
    text += '\n';
    for (std::size_t i = 0; i < items.size(); ++i) {
        const BatchItem& item = items[i];
        const std::string distance = std::isnan(item.distance) ? "" : number_text(item.distance);
        text += fmt::format("{},{},{},{},{}", i + 1, item.row, csv_field(item.id),
                            number_text(item.score), distance);
        if (are_instances)
            text += fmt::format(",{},{}", item.group.value(), number_text(item.instance_score));
        text += "," + csv_field(item.reason);
        text += item.nearest < 0
                    ? ",,"
                    : fmt::format(",{},{}", item.nearest, number_text(item.nearest_distance));
        text += '\n';
    }
    return text;
}

std::vector<RowId> rows_of_selected_csv(std::string_view text, const std::string& path) {
    const auto fail = [&](std::size_t line) {
        throw Error(ExitCode::bad_data,
                    fmt::format("{}: record {} is not `{}`; the batch is damaged, restore it from "
                                "a backup",
                                path, line, first_columns));
    };
    const std::size_t header = header_length(text);
    if (header == 0) fail(0);
    text.remove_prefix(header);
    std::vector<RowId> rows;
    while (!text.empty()) {
        const std::size_t length = record_length(text);
        const RowId row = length == 0 ? -1 : second_field(text.substr(0, length));
        if (row < 0) fail(rows.size() + 1);
        rows.push_back(row);
        text.remove_prefix(length);
    }
    return rows;
}

}  // namespace sluice::queue
