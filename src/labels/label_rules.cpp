#include "labels/label_rules.hpp"

#include "core/text.hpp"
#include "labels/labels_directory.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace sluice::labels {
namespace {

using Json = nlohmann::ordered_json;

bool same_number(double first, double second, double tolerance) {
    if (std::bit_cast<std::uint64_t>(first) == std::bit_cast<std::uint64_t>(second)) return true;
    const double larger = std::max(std::abs(first), std::abs(second));
    return tolerance > 0.0 && std::abs(first - second) <= tolerance * larger;
}

bool is_by_person(const HandedIn& label) {
    return !label.result->annotator.empty();
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words)
        text += (text.empty() ? "" : ", ") + printable(word);
    return text;
}

std::string why_no_class(const queue::ItemResult& result, std::int64_t classes) {
    if (result.y.size() != 1) {
        return fmt::format("{} numbers where one class is wanted", result.y.size());
    }
    const double value = result.y.front();
    constexpr double largest = std::numeric_limits<std::int32_t>::max();
    if (!(value >= 0.0 && value <= largest && value == std::floor(value))) {
        return "class " + number_text(value) + " is no index from 0";
    }
    if (classes > 0 && value >= static_cast<double>(classes)) {
        return fmt::format("class {} is out of range; allowed are 0 to {}", value, classes - 1);
    }
    return {};
}

std::string why_no_numbers(const queue::ItemResult& result, const LabelShape& shape) {
    if (result.y.empty()) return "no numbers";
    const bool finite = std::all_of(result.y.begin(), result.y.end(),
                                    [](double value) { return std::isfinite(value); });
    if (!finite) return "a number is not finite";
    if (shape.width > 0 && std::ssize(result.y) != shape.width) {
        return fmt::format("{} numbers where the labels so far have {}", result.y.size(),
                           shape.width);
    }
    if (!shape.units.empty() && !result.units.empty() && result.units != shape.units) {
        return fmt::format("units '{}' where the labels so far have '{}'", joined(result.units),
                           joined(shape.units));
    }
    return {};
}

// The first label of the largest group of people's labels that are the same.
std::size_t choice_of_people(std::span<const HandedIn> labels, double tolerance) {
    struct Group {
        std::size_t first = 0;
        std::int64_t size = 0;
    };
    std::vector<Group> groups;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        if (!is_by_person(labels[i])) continue;
        const auto same = std::find_if(groups.begin(), groups.end(), [&](const Group& group) {
            return same_label(labels[group.first].result->y, labels[i].result->y, tolerance);
        });
        if (same == groups.end()) {
            groups.push_back({i, 1});
        } else {
            ++same->size;
        }
    }
    return std::max_element(groups.begin(), groups.end(),
                            [](const Group& a, const Group& b) { return a.size < b.size; })
        ->first;
}

Json entry_of(const HandedIn& label, bool counts) {
    return {{"y", label.result->y},
            {"counts", counts},
            {"annotator", label.result->annotator},
            {"worker", label.result->worker},
            {"file", label.file}};
}

}  // namespace

bool same_label(std::span<const double> first, std::span<const double> second, double tolerance) {
    return std::equal(first.begin(), first.end(), second.begin(), second.end(),
                      [&](double a, double b) { return same_number(a, b, tolerance); });
}

std::string why_no_label(const queue::ItemResult& result, const LabelShape& shape,
                         std::int64_t classes) {
    const bool class_wanted = shape.kind == LabelShape::Kind::class_index || classes > 0;
    const bool numbers_wanted = shape.kind == LabelShape::Kind::numbers;
    if (result.is_class && numbers_wanted) return "a class where the labels so far are numbers";
    if (!result.is_class && class_wanted) return "numbers where a class is wanted";
    return result.is_class ? why_no_class(result, classes) : why_no_numbers(result, shape);
}

void learn_shape(LabelShape& shape, const queue::ItemResult& result) {
    if (shape.kind == LabelShape::Kind::unknown) {
        shape.kind = result.is_class ? LabelShape::Kind::class_index : LabelShape::Kind::numbers;
        shape.width = std::ssize(result.y);
    }
    const bool names_all = std::ssize(result.units) == shape.width && !result.is_class;
    if (shape.units.empty() && names_all) shape.units = result.units;
}

Verdict judge_labels(std::span<const HandedIn> labels, const KnownLabel* known, double tolerance) {
    Verdict verdict;
    const std::vector<double>* y = known != nullptr ? &known->y : nullptr;
    bool by_people = false;
    if (known == nullptr) {
        by_people = is_by_person(labels.front());
        verdict.winner = by_people ? choice_of_people(labels, tolerance) : 0;
        y = &labels[*verdict.winner].result->y;
    }
    for (const HandedIn& label : labels) {
        if (same_label(*y, label.result->y, tolerance)) {
            ++verdict.equal;
        } else if (by_people && is_by_person(label)) {
            ++verdict.disagreements;
        } else {
            ++verdict.conflicts;
        }
    }
    return verdict;
}

std::string conflict_text(const std::string& batch_id, std::span<const HandedIn> labels,
                          const KnownLabel* known, const Verdict& verdict) {
    const queue::ItemResult& first = *labels.front().result;
    Json line = {{"batch", batch_id}, {"item", first.item}, {"row", first.row}, {"id", first.id}};
    line["kind"] = verdict.conflicts > 0 ? "conflict" : "disagreement";
    line["labels"] = Json::array();
    if (known != nullptr) {
        line["labels"].push_back({{"y", known->y},
                                  {"counts", true},
                                  {"generation", generation_name(known->generation)}});
    }
    for (std::size_t i = 0; i < labels.size(); ++i) {
        line["labels"].push_back(entry_of(labels[i], verdict.winner == i));
    }
    return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sluice::labels
