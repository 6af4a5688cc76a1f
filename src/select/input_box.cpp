#include "select/input_box.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "pool/made_precise.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace sluice::select {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr double largest_bound = 1e18;        // the square of a distance is then still a float32
constexpr double least_logarithmic = 1e-200;  // keeps ratios finite
constexpr std::size_t names_shown = 6;
constexpr std::string_view scale_names[] = {"none", "linear", "log"};

float lowest_float_above(double bound) {
    const auto nearest = static_cast<float>(bound);
    return static_cast<double>(nearest) < bound ? std::nextafter(nearest, infinity) : nearest;
}

float highest_float_below(double bound) {
    const auto nearest = static_cast<float>(bound);
    return static_cast<double>(nearest) > bound ? std::nextafter(nearest, -infinity) : nearest;
}

void check_range(const InputRange& range, const std::string& where) {
    const std::string name = fmt::format("{}: input '{}': ", where, printable(range.name));
    for (const double bound : {range.low, range.high}) {
        require(std::fabs(bound) <= largest_bound, ExitCode::bad_data,
                fmt::format("{}{} is no bound; give finite numbers up to {}", name,
                            number_text(bound), number_text(largest_bound)));
    }
    require(range.low < range.high, ExitCode::bad_data,
            fmt::format("{}low {} is not below high {}; give a range, or leave an input that "
                        "cannot vary out of the model",
                        name, number_text(range.low), number_text(range.high)));
    require(range.scale != InputScale::log || range.low >= least_logarithmic, ExitCode::bad_data,
            fmt::format("{}low {} has no logarithm; give one well above 0 or another scale", name,
                        number_text(range.low)));
}

std::vector<std::string_view> fields_of(std::string_view line) {
    std::vector<std::string_view> fields;
    for (std::size_t begin = 0; begin <= line.size();) {
        const std::size_t end = std::min(line.find(',', begin), line.size());
        std::string_view field = line.substr(begin, end - begin);
        const std::size_t first = std::min(field.find_first_not_of(" \t\r"), field.size());
        const std::size_t last = field.find_last_not_of(" \t\r");
        fields.push_back(first == field.size() ? std::string_view()
                                               : field.substr(first, last - first + 1));
        begin = end + 1;
    }
    return fields;
}

double bound_of(std::string_view field, const std::string& where, const char* which) {
    double value = 0.0;
    const auto end = field.data() + field.size();
    const auto result = std::from_chars(field.data(), end, value);
    require(result.ec == std::errc() && result.ptr == end && !field.empty(), ExitCode::bad_data,
            fmt::format("{}: {} is no number ({}); give low and high of every input", where, which,
                        printable(field)));
    return value;
}

InputScale scale_of(std::string_view field, const std::string& where) {
    if (field.empty()) return InputScale::none;
    const auto* const found = std::find(std::begin(scale_names), std::end(scale_names), field);
    require(
        found != std::end(scale_names), ExitCode::bad_data,
        fmt::format("{}: unknown scale '{}'; choose none, linear or log", where, printable(field)));
    return static_cast<InputScale>(found - std::begin(scale_names));
}

// Where the columns of a ranges file are.
class Columns {
  public:
    Columns(std::string_view header, const std::string& where) : names_(fields_of(header)) {
        for (const char* name : {"name", "low", "high"}) {
            require(place(name).has_value(), ExitCode::bad_data,
                    fmt::format("{}:1: no column `{}`; begin the file with the line "
                                "`name,low,high` (and `unit`, `scale` if wanted)",
                                where, name));
        }
    }

    InputRange range(std::string_view line, const std::string& where) const {
        const std::vector<std::string_view> fields = fields_of(line);
        require(fields.size() == names_.size(), ExitCode::bad_data,
                fmt::format("{}: {} fields where the first line has {}", where, fields.size(),
                            names_.size()));
        const auto field = [&](const char* name) {
            const auto at = place(name);
            return at ? fields[*at] : std::string_view();
        };
        require(!field("name").empty(), ExitCode::bad_data,
                where + ": the input has no name; give one");
        const std::string input = where + ": input '" + printable(field("name")) + "'";
        return {std::string(field("name")), std::string(field("unit")),
                bound_of(field("low"), input, "low"), bound_of(field("high"), input, "high"),
                scale_of(field("scale"), input)};
    }

  private:
    std::optional<std::size_t> place(std::string_view name) const {
        const auto found = std::find(names_.begin(), names_.end(), name);
        if (found == names_.end()) return std::nullopt;
        return static_cast<std::size_t>(found - names_.begin());
    }

    std::vector<std::string_view> names_;
};

void require_different_names(const std::vector<InputRange>& ranges, const std::string& where) {
    std::vector<std::string> names;
    for (const InputRange& range : ranges)
        names.push_back(range.name);
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    require(twice == names.end(), ExitCode::bad_data,
            where + ": two inputs have one name; give each its own");
}

std::vector<std::string> attribute_of(const pool::Dataset& dataset, const std::string& name) {
    const auto found = dataset.attributes.find(name);
    return found == dataset.attributes.end() ? std::vector<std::string>() : found->second;
}

std::string names_text(std::vector<std::string> names) {
    for (std::string& name : names)
        name = printable(name);
    const std::size_t more = names.size() - std::min(names.size(), names_shown);
    names.resize(std::min(names.size(), names_shown));
    const std::string text = fmt::format("{}", fmt::join(names, ", "));
    return more > 0 ? text + " and " + std::to_string(more) + " more" : text;
}

}  // namespace

InputBox::InputBox(std::vector<InputRange> ranges, const std::string& where)
    : ranges_(std::move(ranges)) {
    require(!ranges_.empty(), ExitCode::bad_data,
            where + ": declares no input; give a line name,low,high for each");
    require_different_names(ranges_, where);
    for (const InputRange& range : ranges_) {
        check_range(range, where);
        const bool scaled = range.scale != InputScale::none;
        low_.push_back(scaled ? -1.0F : lowest_float_above(range.low));
        high_.push_back(scaled ? 1.0F : highest_float_below(range.high));
        require(low_.back() < high_.back(), ExitCode::bad_data,
                fmt::format("{}: input '{}': float32, which models read, holds no two numbers from "
                            "{} to {}; scale the input (column `scale`)",
                            where, printable(range.name), number_text(range.low),
                            number_text(range.high)));
        log_ratio_.push_back(
            range.scale == InputScale::log ? pool::precise_log(range.high / range.low) : 0.0);
    }
}

float InputBox::feature_at(std::int64_t input, double share) const {
    const auto i = static_cast<std::size_t>(input);
    const auto low = static_cast<double>(low_[i]);
    const auto high = static_cast<double>(high_[i]);
    return std::clamp(static_cast<float>(low + (high - low) * share), low_[i], high_[i]);
}

double InputBox::input_of(std::int64_t input, float feature) const {
    const auto i = static_cast<std::size_t>(input);
    const InputRange& range = ranges_[i];
    if (range.scale == InputScale::none) return static_cast<double>(feature);
    const double share = (static_cast<double>(feature) + 1.0) * 0.5;
    const double value = range.scale == InputScale::log
                             ? range.low * pool::precise_exp(share * log_ratio_[i])
                             : range.low + (range.high - range.low) * share;
    return std::clamp(value, range.low, range.high);
}

InputBox read_ranges(std::string_view text, const std::string& where) {
    std::optional<Columns> columns;
    std::vector<InputRange> ranges;
    std::int64_t number = 0;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const std::string_view line = text.substr(begin, end - begin);
        begin = end + 1;
        ++number;
        if (!columns) {
            columns.emplace(line, where);
        } else if (line.find_first_not_of(" \t\r") != std::string_view::npos) {
            ranges.push_back(columns->range(line, where + ":" + std::to_string(number)));
        }
    }
    return InputBox(std::move(ranges), where);
}

InputBox ranges_of_pool(const pool::Pool& pool) {
    const pool::Dataset& inputs = pool.get("inputs", "--ranges");
    const std::string where = pool.source.files.front() + ": " + inputs.path;
    const auto width = static_cast<std::size_t>(inputs.row_elements());
    std::vector<std::string> names = attribute_of(inputs, "names");
    for (std::size_t i = names.size(); i < width; ++i)
        names.push_back("input" + std::to_string(i));
    std::vector<std::string> units = attribute_of(inputs, "units");
    units.resize(width);
    const std::vector<std::string> texts = attribute_of(inputs, "ranges");
    require(texts.size() == width, ExitCode::bad_data,
            fmt::format("{}: no declared ranges of {}; give --ranges a CSV file with name,low,high "
                        "of each feature the model reads",
                        where, names_text(names)));
    std::vector<InputRange> ranges;
    for (std::size_t i = 0; i < width; ++i) {
        const std::vector<std::string_view> fields = fields_of(texts[i]);
        const std::string input = where + "@ranges: input '" + printable(names[i]) + "'";
        require(fields.size() == 2 || fields.size() == 3, ExitCode::bad_data,
                input + ": no declared range (" + printable(texts[i]) +
                    "); give it as low,high or low,high,scale");
        ranges.push_back({names[i], units[i], bound_of(fields[0], input, "low"),
                          bound_of(fields[1], input, "high"),
                          scale_of(fields.size() == 3 ? fields[2] : std::string_view(), input)});
    }
    return InputBox(std::move(ranges), where);
}

std::string range_text(const InputRange& range) {
    const auto scale = scale_names[static_cast<std::size_t>(range.scale)];
    const std::string bounds = number_text(range.low) + "," + number_text(range.high);
    return range.scale == InputScale::none ? bounds : fmt::format("{},{}", bounds, scale);
}

}  // namespace sluice::select
