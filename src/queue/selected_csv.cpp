#include "queue/selected_csv.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "queue/publish.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace sluice::queue {
namespace {

constexpr std::string_view header = "rank,row,id,score,distance\n";
constexpr std::string_view instances_header = "rank,row,id,score,distance,group,instance_score\n";

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
    std::string text(are_instances ? instances_header : header);
    for (std::size_t i = 0; i < items.size(); ++i) {
        const BatchItem& item = items[i];
        const std::string distance = std::isnan(item.distance) ? "" : number_text(item.distance);
        text += fmt::format("{},{},{},{},{}", i + 1, item.row, csv_field(item.id),
                            number_text(item.score), distance);
        if (are_instances)
            text += fmt::format(",{},{}", item.group.value(), number_text(item.instance_score));
        text += '\n';
    }
    return text;
}

std::vector<RowId> rows_of_selected_csv(std::string_view text, const std::string& path) {
    const auto fail = [&](std::size_t line) {
        throw Error(ExitCode::bad_data,
                    fmt::format("{}: record {} is not `{}`; the batch is damaged, restore it from "
                                "a backup",
                                path, line, header.substr(0, header.size() - 1)));
    };
    const bool are_instances = text.starts_with(instances_header);
    if (!are_instances && !text.starts_with(header)) fail(0);
    text.remove_prefix(are_instances ? instances_header.size() : header.size());
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
