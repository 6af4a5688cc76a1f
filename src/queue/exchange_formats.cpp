#include "core/error.hpp"
#include "core/text.hpp"
#include "queue/exchange_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace sluice::queue {
namespace {

// Class numbers are kept as float64, exactly.
constexpr std::int64_t max_class = (std::int64_t{1} << 53) - 1;

const std::vector<Codec>& codecs() {
    static const std::vector<Codec> all = {
        {{"labelstudio", "Label Studio: JSON tasks to import there, its JSON export to take back"},
         write_labelstudio,
         read_labelstudio},
        {{"jsonl", "one JSON object a line; add \"y\" (number, list or class name) or \"skip\""},
         write_jsonl,
         read_jsonl},
        {{"csv", "a table; fill in `label` (class), or `y` or y_0, y_1, ... (numbers), or `skip`"},
         write_csv,
         read_csv},
    };
    return all;
}

// What tasks and answers say themselves, in every format.
bool is_reserved(const std::string& name) {
    constexpr std::array reserved = {"sluice_id", "row",       "id",   "score", "lease",
                                     "label",     "annotator", "skip", "y"};
    return std::ranges::count(reserved, name) > 0 || name.starts_with("y_") ||
           name.starts_with("input_");
}

std::optional<std::int64_t> whole_number(std::string_view text) {
    std::int64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, number);
    if (result.ec != std::errc() || result.ptr != end || number < 0 || number > max_class)
        return std::nullopt;
    return number;
}

}  // namespace

const std::vector<ExchangeFormat>& exchange_formats() {
    static const std::vector<ExchangeFormat> formats = [] {
        std::vector<ExchangeFormat> result;
        for (const Codec& codec : codecs())
            result.push_back(codec.about);
        return result;
    }();
    return formats;
}

const Codec& find_codec(const std::string& format) {
    std::vector<std::string> names;
    for (const Codec& codec : codecs()) {
        if (codec.about.name == format) return codec;
        names.push_back(codec.about.name);
    }
    throw Error(ExitCode::usage, fmt::format("'{}': unknown format; choose one of {}",
                                             printable(format), fmt::join(names, ", ")));
}

std::vector<std::string> flat_input_names(const TicketItem& item) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < item.inputs.size(); ++i) {
        const std::string name = item.input_names.empty() ? std::to_string(i) : item.input_names[i];
        names.push_back(item.input_names.empty() || is_reserved(name) ? "input_" + name : name);
    }
    return names;
}

void answer_class(Answer& answer, std::string_view text,
                  const std::vector<std::string>& class_names) {
    std::optional<std::int64_t> index;
    if (class_names.empty()) {
        index = whole_number(text);
    } else if (const auto found = std::ranges::find(class_names, text);
               found != class_names.end()) {
        index = found - class_names.begin();
    }
    if (!index) {
        return answer_unreadable(
            answer, fmt::format("'{}' is no class; {}", printable(text),
                                class_names.empty()
                                    ? "give --class-names, or answer with class numbers from 0"
                                    : "--class-names does not name it"));
    }
    answer.kind = Answer::Kind::label;
    answer.is_class = true;
    answer.y = {static_cast<double>(*index)};
}

void answer_numbers(Answer& answer, std::vector<double> numbers) {
    const bool finite = std::ranges::all_of(numbers, [](double y) { return std::isfinite(y); });
    if (numbers.empty() || !finite) {
        return answer_unreadable(answer, "an answer needs at least one number, and finite ones");
    }
    answer.kind = Answer::Kind::label;
    answer.y = std::move(numbers);
}

void answer_unreadable(Answer& answer, const std::string& problem) {
    answer.kind = Answer::Kind::unreadable;
    answer.problem = problem;
}

}  // namespace sluice::queue
