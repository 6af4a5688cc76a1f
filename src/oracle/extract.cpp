#include "oracle/extract.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace sluice::oracle {
namespace {

using Json = nlohmann::json;
using queue::ItemStatus;

constexpr int max_depth = 12;
constexpr std::size_t max_components = 65'536;
constexpr std::size_t max_quality_bytes = 16'384;
constexpr std::string_view own_keys[] = {"item", "y", "units", "converged", "status", "reason"};

Complaint invalid(const std::string& reason, const std::string& detail = "") {
    return {ItemStatus::invalid, reason, detail};
}

Complaint broken(const std::string& reason, const std::string& detail = "") {
    return {ItemStatus::oracle_error, reason, detail};
}

bool is_word_character(char character) {
    return std::string_view("+-.").find(character) != std::string_view::npos ||
           (character >= '0' && character <= '9') || (character >= 'a' && character <= 'z') ||
           (character >= 'A' && character <= 'Z');
}

bool is_not_finite(std::string_view word) {
    const std::optional<double> value = real_number(word);
    return value && !std::isfinite(*value);
}

// Goes over JSON text outside its strings.
class JsonText {
  public:
    explicit JsonText(std::string_view text) : text_(text) {}

    bool is_shallow() {
        int depth = 0;
        for (at_ = 0; at_ < text_.size(); skip()) {
            const char character = text_[at_];
            if (character == '{' || character == '[') ++depth;
            if (character == '}' || character == ']') --depth;
            if (depth > max_depth) return false;
        }
        return true;
    }

    std::string with_nulls() {
        std::string result;
        at_ = 0;
        while (at_ < text_.size()) {
            const std::size_t begin = at_;
            if (is_word_character(text_[at_])) {
                while (at_ < text_.size() && is_word_character(text_[at_]))
                    ++at_;
                const std::string_view word = text_.substr(begin, at_ - begin);
                result += is_not_finite(word) ? "null" : word;
            } else {
                skip();
                result += text_.substr(begin, at_ - begin);
            }
        }
        return result;
    }

  private:
    // One character, or a whole string.
    void skip() {
        if (text_[at_++] != '"') return;
        while (at_ < text_.size() && text_[at_] != '"')
            at_ += text_[at_] == '\\' ? 2 : 1;
        at_ = std::min(at_ + 1, text_.size());
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

std::optional<Complaint> check_value(const Spec& spec, const std::string& name, double value,
                                     const LabelRule* rule) {
    const std::string detail = fmt::format("{} = {}", name, number_text(value));
    if (!std::isfinite(value)) return invalid(name + " is not finite", detail);
    const bool is_class_index = value >= 0.0 && value == std::floor(value) &&
                                value <= std::numeric_limits<std::int32_t>::max();
    if (spec.is_class && !is_class_index) return invalid(name + " is not a class index", detail);
    if (rule == nullptr) return std::nullopt;
    if (rule->min && value < *rule->min) {
        return invalid(fmt::format("{} is below min {}", name, number_text(*rule->min)), detail);
    }
    if (rule->max && value > *rule->max) {
        return invalid(fmt::format("{} is above max {}", name, number_text(*rule->max)), detail);
    }
    return std::nullopt;
}

std::optional<Complaint> number_of_json(const std::string& name, const Json& json, double& value) {
    if (json.is_null()) return invalid(name + " is not finite");
    if (!json.is_number()) {
        const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
        return invalid(name + " is not a number", name + " = " + printable(text.substr(0, 60)));
    }
    value = json.get<double>();
    return std::nullopt;
}

std::optional<Complaint> number_of_text(const LabelRule& rule, const LabelSources& sources,
                                        double& value) {
    const OracleText text = oracle_text(rule.file, sources.outcome, sources.scratch);
    if (!text.text) return broken(fmt::format("{} for label {}", text.problem, rule.name));
    const LinePattern pattern(rule.pattern, 1, rule.name);
    const auto which = rule.first ? LinePattern::Match::first : LinePattern::Match::last;
    std::optional<std::string> word;
    try {
        word = pattern.find(*text.text, which);
    } catch (const Error& error) {
        return broken(fmt::format("label {}: {}", rule.name, error.what()));
    }
    if (!word) return broken(fmt::format("no match for label {} in {}", rule.name, rule.file));
    const std::optional<double> number = real_number(*word);
    if (!number) {
        return invalid(rule.name + " is not a number",
                       fmt::format("{} = {}", rule.name, printable(word->substr(0, 60))));
    }
    value = *number;
    return std::nullopt;
}

// The units a reply gives: one text for all numbers, a list, or an object by name.
class ReplyUnits {
  public:
    explicit ReplyUnits(const Reply& reply) : json_(reply.find("units")) {}

    std::optional<Complaint> check(std::size_t num_numbers) const {
        if (json_ == nullptr || json_->is_string()) return std::nullopt;
        const auto is_text = [](const Json& unit) { return unit.is_string(); };
        if (!json_->is_structured() || !std::all_of(json_->begin(), json_->end(), is_text))
            return invalid("units is neither a text nor a list of texts");
        if (json_->is_array() && json_->size() != num_numbers)
            return invalid("units and y differ in number");
        return std::nullopt;
    }

    std::string unit(std::size_t index, const std::string& name) const {
        if (json_ == nullptr) return "";
        if (json_->is_string()) return json_->get<std::string>();
        if (json_->is_array()) return json_->at(index).get<std::string>();
        return json_->value(name, "");
    }

  private:
    const Json* json_;
};

// Without [label] sections: whatever the reply says.
std::optional<Complaint> whole_reply(const Spec& spec, const Reply& reply, Label& label) {
    const Json* y = reply.find("y");
    if (y == nullptr) return broken("no y in " + reply.source);
    if (y->is_object()) return invalid("y is an object; give each part a [label NAME] section");
    const Json list = y->is_array() ? *y : Json::array({*y});
    if (list.empty()) return invalid("y is empty");
    if (list.size() > max_components) {
        return invalid(fmt::format("y has more than {} numbers", count_text(max_components)));
    }
    if (spec.is_class && list.size() != 1) return invalid("y is not one class index");
    const ReplyUnits units(reply);
    if (auto complaint = units.check(list.size())) return complaint;
    for (const Json& entry : list) {
        double value = 0.0;
        if (auto complaint = number_of_json("y", entry, value)) return complaint;
        if (auto complaint = check_value(spec, "y", value, nullptr)) return complaint;
        label.units.push_back(units.unit(label.y.size(), "y"));
        label.y.push_back(value);
    }
    return std::nullopt;
}

// Takes the components of the rules without a file out of the reply, by name or by position.
class ReplyComponents {
  public:
    ReplyComponents(const Spec& spec, const Reply& reply)
        : reply_(reply), y_(reply.find("y")), units_(reply) {
        expected_ = static_cast<std::size_t>(std::ranges::count_if(
            spec.labels, [](const LabelRule& rule) { return rule.file.empty(); }));
    }

    std::optional<Complaint> check() const {
        if (expected_ == 0) return std::nullopt;
        if (y_ == nullptr) return broken("no y in " + reply_.source);
        const std::size_t given = y_->is_array() ? y_->size() : 1;
        if (!y_->is_object() && given != expected_)
            return invalid(fmt::format("y has {} numbers, not {}", given, expected_));
        return units_.check(expected_);
    }

    std::optional<Complaint> next(const LabelRule& rule, double& value, std::string& unit) {
        const std::size_t index = index_++;
        if (y_->is_object() && !y_->contains(rule.name))
            return broken(fmt::format("no y.{} in {}", rule.name, reply_.source));
        const Json& json =
            y_->is_object() ? y_->at(rule.name) : (y_->is_array() ? y_->at(index) : *y_);
        const std::string given = units_.unit(index, rule.name);
        if (!rule.unit.empty() && !given.empty() && given != rule.unit) {
            return invalid(fmt::format("{} is not in {}", rule.name, rule.unit),
                           fmt::format("unit of {}: {}", rule.name, printable(given)));
        }
        unit = rule.unit.empty() ? given : rule.unit;
        return number_of_json(rule.name, json, value);
    }

  private:
    const Reply& reply_;
    const Json* y_;
    ReplyUnits units_;
    std::size_t expected_ = 0;
    std::size_t index_ = 0;
};

}  // namespace

const Json* Reply::find(const char* key) const {
    const auto found = object.find(key);
    return found == object.end() ? nullptr : &*found;
}

std::string Reply::reason() const {
    const Json* value = find("reason");
    return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

std::string Reply::quality() const {
    Json rest = object;
    for (const std::string_view key : own_keys)
        rest.erase(std::string(key));
    if (rest.empty()) return "";
    std::string text = rest.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (text.size() <= max_quality_bytes) return text;
    return fmt::format("{{\"left_out_bytes\":{}}}", text.size());
}

Reply parse_reply(std::string_view text, const std::string& source) {
    Reply reply;
    reply.source = source;
    JsonText scan(text);
    Json json = Json::value_t::discarded;
    if (scan.is_shallow()) {
        json = Json::parse(text, nullptr, false);
        if (json.is_discarded()) json = Json::parse(scan.with_nulls(), nullptr, false);
    }
    if (json.is_object()) {
        reply.object = std::move(json);
    } else {
        reply.problem = source + " is not a JSON object";
    }
    return reply;
}

std::optional<ItemStatus> reply_status(const Reply& reply) {
    const Json* status = reply.find("status");
    if (status == nullptr || !status->is_string()) return std::nullopt;
    return queue::parse_status(status->get<std::string>());
}

std::optional<Complaint> complaint_of(const Reply& reply, Convergence convergence) {
    if (!reply.problem.empty()) return broken(reply.problem);
    const std::string reason = reply.reason();
    if (const Json* said = reply.find("status")) {
        const std::optional<ItemStatus> status = reply_status(reply);
        if (!status) {
            const std::string text = said->dump(-1, ' ', false, Json::error_handler_t::replace);
            return broken("unknown status in " + reply.source,
                          "status: " + printable(text.substr(0, 60)));
        }
        if (*status != ItemStatus::ok) {
            const std::string name(queue::status_name(*status));
            return Complaint{*status, reason.empty() ? "the oracle says " + name : reason, ""};
        }
    }
    const Json* converged = reply.find("converged");
    if (converged == nullptr) {
        if (convergence == Convergence::may_be_silent) return std::nullopt;
        return invalid("converged is missing");
    }
    if (!converged->is_boolean()) return invalid("converged is neither true nor false");
    if (converged->get<bool>()) return std::nullopt;
    return Complaint{ItemStatus::nonconverged, reason.empty() ? "not converged" : reason, ""};
}

std::optional<Complaint> extract_label(const Spec& spec, const LabelSources& sources,
                                       Label& label) {
    if (spec.labels.empty()) {
        if (auto complaint = whole_reply(spec, sources.reply, label)) return complaint;
    }
    ReplyComponents components(spec, sources.reply);
    if (auto complaint = components.check()) return complaint;
    for (const LabelRule& rule : spec.labels) {
        double value = 0.0;
        std::string unit = rule.unit;
        auto complaint = rule.file.empty() ? components.next(rule, value, unit)
                                           : number_of_text(rule, sources, value);
        if (!complaint) complaint = check_value(spec, rule.name, value, &rule);
        if (complaint) return complaint;
        label.y.push_back(value);
        label.units.push_back(unit);
    }
    const auto is_empty = [](const std::string& unit) { return unit.empty(); };
    if (std::ranges::all_of(label.units, is_empty)) label.units.clear();
    return std::nullopt;
}

}  // namespace sluice::oracle
