#include "core/error.hpp"
#include "queue/exchange_parts.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace sluice::queue {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return {};
    return found->is_string() ? found->get<std::string>() : found->dump();
}

Json inputs_json(const TicketItem& item) {
    if (item.input_names.empty()) return item.inputs;
    Json inputs = Json::object();
    for (std::size_t i = 0; i < item.inputs.size(); ++i)
        inputs[item.input_names[i]] = item.inputs[i];
    return inputs;
}

// A number of a class, if classes have names, or a number as it is.
void answer_number(Answer& answer, const Json& y, const std::vector<std::string>& class_names) {
    if (class_names.empty()) return answer_numbers(answer, {y.get<double>()});
    const bool known = y.is_number_integer() && y.get<double>() >= 0.0 &&
                       y.get<double>() < static_cast<double>(class_names.size());
    if (!known) return answer_unreadable(answer, "'y' is no number of one of the --class-names");
    answer_class(answer, class_names[y.get<std::size_t>()], class_names);
}

void answer_list(Answer& answer, const Json& y) {
    const bool numbers =
        std::all_of(y.begin(), y.end(), [](const Json& value) { return value.is_number(); });
    if (!numbers) return answer_unreadable(answer, "'y' is a list of other things than numbers");
    answer_numbers(answer, y.get<std::vector<double>>());
}

void read_answer(Answer& answer, const Json& line, const std::vector<std::string>& class_names) {
    const auto skip = line.find("skip");
    if (skip != line.end() && *skip == true) {
        answer.kind = Answer::Kind::skip;
        return;
    }
    const auto y = line.find("y");
    if (y == line.end() || y->is_null()) return;
    if (y->is_number()) return answer_number(answer, *y, class_names);
    if (y->is_string()) return answer_class(answer, y->get<std::string>(), class_names);
    if (y->is_array()) return answer_list(answer, *y);
    answer_unreadable(answer, "'y' is no number, list or class name");
}

}  // namespace

std::string write_jsonl(const std::vector<Task>& tasks) {
    std::string text;
    for (const Task& task : tasks) {
        const Json line = {{"sluice_id", task.sluice_id}, {"row", task.item.row},
                           {"id", task.item.id},          {"inputs", inputs_json(task.item)},
                           {"score", task.score},         {"lease", task.lease}};
        text += line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    }
    return text;
}

std::vector<Answer> read_jsonl(const AnswerSource& source) {
    std::vector<Answer> answers;
    std::string_view text = source.text;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        const std::string where = fmt::format("{}:{}", source.path, number);
        const Json json = Json::parse(line, nullptr, false);
        require(json.is_object(), ExitCode::bad_data,
                where + ": not a JSON object; give a file of the format jsonl");
        Answer answer;
        answer.where = where;
        answer.sluice_id = text_of(json, "sluice_id");
        answer.lease = text_of(json, "lease");
        answer.annotator = text_of(json, "annotator");
        read_answer(answer, json, source.class_names);
        answers.push_back(std::move(answer));
    }
    return answers;
}

}  // namespace sluice::queue
