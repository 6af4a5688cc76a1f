#include "core/error.hpp"
#include "core/text.hpp"
#include "queue/exchange_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

namespace sluice::queue {
namespace {

using Fields = std::vector<std::string>;

struct Record {
    std::size_t line = 0;  // where it begins, from 1
    Fields fields;
};

std::string quoted(const std::string& field) {
    if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
    std::string result = "\"";
    for (const char c : field)
        result.append(c == '"' ? 2 : 1, c);
    return result + "\"";
}

std::string record_text(const Fields& fields) {
    std::string text;
    for (std::size_t i = 0; i < fields.size(); ++i)
        text += (i == 0 ? "" : ",") + quoted(fields[i]);
    return text + "\n";
}

// Records of RFC 4180; lines may end in either way.
class CsvReader {
  public:
    explicit CsvReader(const AnswerSource& source) : path_(source.path), rest_(source.text) {
        constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
        if (rest_.starts_with(byte_order_mark)) rest_.remove_prefix(byte_order_mark.size());
    }

    bool at_end() const { return rest_.empty(); }

    Record read() {
        Record record{line_, {}};
        do {
            record.fields.push_back(read_field());
        } while (take(','));
        take('\r');
        require(rest_.empty() || take('\n'), ExitCode::bad_data,
                fmt::format("{}:{}: text after a closing quote; double the quotes within a field",
                            path_, line_));
        return record;
    }

  private:
    std::string read_field() {
        if (take('"')) return read_quoted();
        const std::size_t length = std::min(rest_.find_first_of(",\n"), rest_.size());
        std::string field(rest_.substr(0, length));
        rest_.remove_prefix(length);
        const bool ends_line = rest_.empty() || rest_[0] == '\n';
        if (ends_line && field.ends_with('\r')) field.pop_back();
        return field;
    }

    std::string read_quoted() {
        const std::size_t first_line = line_;
        std::string field;
        while (!rest_.empty()) {
            if (take('"') && !rest_.starts_with('"')) return field;
            field += rest_[0];
            take(rest_[0]);
        }
        throw Error(ExitCode::bad_data,
                    fmt::format("{}:{}: a quote is never closed", path_, first_line));
    }

    bool take(char c) {
        if (rest_.empty() || rest_[0] != c) return false;
        rest_.remove_prefix(1);
        if (c == '\n') ++line_;
        return true;
    }

    std::string path_;
    std::string_view rest_;
    std::size_t line_ = 1;
};

// The columns of a table by name.
class Columns {
  public:
    Columns(const Fields& header, const std::string& path) {
        for (std::size_t i = 0; i < header.size(); ++i)
            index_.emplace(header[i], i);
        for (std::size_t i = 0; index_.contains("y_" + std::to_string(i)); ++i)
            numbers_.push_back("y_" + std::to_string(i));
        if (numbers_.empty() && index_.contains("y")) numbers_ = {"y"};
        require(index_.contains("sluice_id"), ExitCode::bad_data,
                path +
                    ":1: no column sluice_id; keep the header of the exported table, and commas "
                    "between its columns");
        require(index_.contains("label") || !numbers_.empty(), ExitCode::bad_data,
                path + ":1: no column with answers; add `label`, or `y`, or y_0, y_1, ...");
    }

    std::string field(const Record& record, const std::string& name) const {
        const auto found = index_.find(name);
        return found == index_.end() ? std::string() : record.fields[found->second];
    }

    const Fields& numbers() const { return numbers_; }

  private:
    std::map<std::string, std::size_t> index_;
    Fields numbers_;
};

std::optional<double> number_of(const std::string& text) {
    double number = 0.0;
    const char* const end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, number);
    if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
    return number;
}

void read_numbers(Answer& answer, const Record& record, const Columns& columns) {
    std::vector<double> numbers;
    std::size_t num_empty = 0;
    for (const std::string& name : columns.numbers()) {
        const std::string text = columns.field(record, name);
        num_empty += text.empty() ? 1 : 0;
        const std::optional<double> number = number_of(text);
        if (number) {
            numbers.push_back(*number);
        } else if (!text.empty()) {
            return answer_unreadable(
                answer, fmt::format("'{}' in column {} is no number", printable(text), name));
        }
    }
    if (num_empty == columns.numbers().size()) return;
    if (num_empty > 0) return answer_unreadable(answer, "some of the columns y_0, ... are empty");
    answer_numbers(answer, std::move(numbers));
}

bool is_yes(const std::string& text) {
    constexpr std::array words = {"1", "true", "TRUE", "True", "yes", "x"};
    return std::ranges::count(words, text) > 0;
}

Answer read_row(const Record& record, const Columns& columns, const AnswerSource& source) {
    Answer answer;
    answer.where = fmt::format("{}:{}", source.path, record.line);
    answer.sluice_id = columns.field(record, "sluice_id");
    answer.lease = columns.field(record, "lease");
    answer.annotator = columns.field(record, "annotator");
    const std::string label = columns.field(record, "label");
    if (is_yes(columns.field(record, "skip"))) {
        answer.kind = Answer::Kind::skip;
    } else if (!label.empty()) {
        answer_class(answer, label, source.class_names);
    } else {
        read_numbers(answer, record, columns);
    }
    return answer;
}

// Every input of every task, in the order in which they first occur.
Fields all_input_names(const std::vector<Task>& tasks) {
    Fields names;
    for (const Task& task : tasks) {
        for (const std::string& name : flat_input_names(task.item)) {
            if (std::ranges::count(names, name) == 0) names.push_back(name);
        }
    }
    return names;
}

Fields task_fields(const Task& task, const Fields& input_names) {
    Fields fields = {task.sluice_id, std::to_string(task.item.row), task.item.id};
    std::map<std::string, double> inputs;
    const Fields own_names = flat_input_names(task.item);
    for (std::size_t i = 0; i < own_names.size(); ++i)
        inputs[own_names[i]] = task.item.inputs[i];
    for (const std::string& name : input_names) {
        const auto found = inputs.find(name);
        fields.push_back(found == inputs.end() ? "" : number_text(found->second));
    }
    fields.insert(fields.end(), {number_text(task.score), task.lease, "", "", ""});
    return fields;
}

}  // namespace

std::string write_csv(const std::vector<Task>& tasks) {
    const Fields inputs = all_input_names(tasks);
    Fields header = {"sluice_id", "row", "id"};
    header.insert(header.end(), inputs.begin(), inputs.end());
    header.insert(header.end(), {"score", "lease", "label", "annotator", "skip"});
    std::string text = record_text(header);
    for (const Task& task : tasks)
        text += record_text(task_fields(task, inputs));
    return text;
}

std::vector<Answer> read_csv(const AnswerSource& source) {
    CsvReader reader(source);
    const Fields header = reader.read().fields;
    const Columns columns(header, source.path);
    std::vector<Answer> answers;
    while (!reader.at_end()) {
        const Record record = reader.read();
        if (record.fields.size() == 1 && record.fields[0].empty()) continue;  // an empty line
        require(record.fields.size() == header.size(), ExitCode::bad_data,
                fmt::format("{}:{}: {} fields where the header has {}; correct the table",
                            source.path, record.line, record.fields.size(), header.size()));
        answers.push_back(read_row(record, columns, source));
    }
    return answers;
}

}  // namespace sluice::queue
