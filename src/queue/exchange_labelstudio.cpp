#include "core/error.hpp"
#include "queue/exchange_parts.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <map>

namespace sluice::queue {
namespace {

using Json = nlohmann::ordered_json;

// The value of `key` if there is one of an object, else null.
const Json& member(const Json& object, const char* key) {
    static const Json none;
    if (!object.is_object()) return none;
    const auto found = object.find(key);
    return found == object.end() ? none : *found;
}

std::string text_of(const Json& value) {
    if (value.is_null()) return {};
    return value.is_string() ? value.get<std::string>() : value.dump();
}

// A user's number, or an object with more about the user.
std::string annotator_of(const Json& annotation) {
    const Json& user = member(annotation, "completed_by");
    if (!user.is_object()) return text_of(user);
    const std::string email = text_of(member(user, "email"));
    return email.empty() ? text_of(member(user, "id")) : email;
}

double seconds_of(const Json& annotation) {
    const Json& time = member(annotation, "lead_time");
    const double seconds = time.is_number() ? time.get<double>() : 0.0;
    return std::isfinite(seconds) && seconds > 0.0 ? seconds : 0.0;
}

// What the controls of the labeling page came to: choices, and numbers by the control's name.
struct Marks {
    std::vector<std::string> choices;
    std::map<std::string, double> numbers;
};

Marks marks_of(const Json& result) {
    Marks marks;
    for (const Json& mark : result) {
        const Json& value = member(mark, "value");
        for (const Json& choice : member(value, "choices"))
            marks.choices.push_back(text_of(choice));
        for (const char* key : {"number", "rating"}) {
            const Json& number = member(value, key);
            if (number.is_number()) {
                marks.numbers[text_of(member(mark, "from_name"))] = number.get<double>();
            }
        }
    }
    return marks;
}

void read_result(Answer& answer, const Json& result, const std::vector<std::string>& class_names) {
    const Marks marks = marks_of(result);
    if (marks.choices.size() == 1 && marks.numbers.empty()) {
        return answer_class(answer, marks.choices.front(), class_names);
    }
    if (!marks.choices.empty()) {
        return answer_unreadable(answer,
                                 "more than one choice, or choices and numbers; let the "
                                 "labeling page ask for one of them");
    }
    std::vector<double> numbers;
    for (const auto& [name, number] : marks.numbers)
        numbers.push_back(number);
    if (numbers.empty()) {
        return answer_unreadable(answer, "the annotation has no choice, number or rating");
    }
    answer_numbers(answer, std::move(numbers));
}

Answer read_annotation(const Answer& task, const Json& annotation,
                       const std::vector<std::string>& class_names) {
    Answer answer = task;
    answer.annotator = annotator_of(annotation);
    answer.seconds = seconds_of(annotation);
    const Json& result = member(annotation, "result");
    if (member(annotation, "was_cancelled") == true) {
        answer.kind = Answer::Kind::skip;
    } else if (result.is_array() && !result.empty()) {
        read_result(answer, result, class_names);
    }
    return answer;
}

Json task_json(const Task& task) {
    Json data = {{"sluice_id", task.sluice_id}, {"row", task.item.row}, {"id", task.item.id}};
    const std::vector<std::string> names = flat_input_names(task.item);
    for (std::size_t i = 0; i < names.size(); ++i)
        data[names[i]] = task.item.inputs[i];
    data["score"] = task.score;
    return {{"data", data}, {"meta", {{"lease", task.lease}}}, {"predictions", Json::array()}};
}

}  // namespace

std::string write_labelstudio(const std::vector<Task>& tasks) {
    Json list = Json::array();
    for (const Task& task : tasks)
        list.push_back(task_json(task));
    return list.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::vector<Answer> read_labelstudio(const AnswerSource& source) {
    const Json list = Json::parse(source.text, nullptr, false);
    require(
        list.is_array(), ExitCode::bad_data,
        source.path + ": not a JSON list of tasks; export the project from Label Studio as JSON");
    std::vector<Answer> answers;
    for (std::size_t i = 0; i < list.size(); ++i) {
        Answer task;
        task.where = fmt::format("{}: task {}", source.path, i + 1);
        task.sluice_id = text_of(member(member(list[i], "data"), "sluice_id"));
        task.lease = text_of(member(member(list[i], "meta"), "lease"));
        const Json& annotations = member(list[i], "annotations");
        if (!annotations.is_array() || annotations.empty()) {
            answers.push_back(task);
            continue;
        }
        for (const Json& annotation : annotations)
            answers.push_back(read_annotation(task, annotation, source.class_names));
    }
    return answers;
}

}  // namespace sluice::queue
