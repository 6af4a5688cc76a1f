#include "queue/result_line.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace sluice::queue {
namespace {

using Json = nlohmann::ordered_json;

constexpr int max_quality_depth = 16;

struct StatusName {
    ItemStatus status;
    std::string_view name;
};
constexpr std::array status_names = {
    StatusName{ItemStatus::ok, "ok"},
    StatusName{ItemStatus::nonconverged, "nonconverged"},
    StatusName{ItemStatus::invalid, "invalid"},
    StatusName{ItemStatus::timeout, "timeout"},
    StatusName{ItemStatus::oracle_error, "oracle_error"},
    StatusName{ItemStatus::refused, "refused"},
};

bool is_utf8(const std::string& text) {
    if (std::all_of(text.begin(), text.end(), [](char c) { return c >= 0; })) return true;
    try {
        static_cast<void>(Json(text).dump());
        return true;
    } catch (const Json::exception&) {
        return false;
    }
}

// Escaped byte by byte where printable() lets something pass that JSON does not (surrogates).
std::string clean(const std::string& text) {
    if (is_utf8(text)) return text;
    std::string result = printable(text);
    if (is_utf8(result)) return result;
    result.clear();
    for (const char c : text) {
        result +=
            c >= 0x20 ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    return result;
}

bool is_shallow(const Json& value, int depth) {
    if (!value.is_structured()) return true;
    return depth > 0 && std::all_of(value.begin(), value.end(), [&](const Json& child) {
               return is_shallow(child, depth - 1);
           });
}

// Comes from outside: what is no small object is kept as a text.
Json quality_json(const std::string& text) {
    Json json = Json::parse(text, nullptr, false);
    if (json.is_object() && is_shallow(json, max_quality_depth)) return json;
    return {{"text", clean(text)}};
}

template <typename Value>
void add(Json& json, const char* key, const Value& value, const Value& none) {
    if (value != none) json[key] = value;
}

void add_text(Json& json, const char* key, const std::string& text) {
    if (!text.empty()) json[key] = clean(text);
}

void add_cost(Json& json, const ItemResult& result) {
    add(json, "started", result.started, 0.0);
    add(json, "wall_seconds", result.wall_seconds, 0.0);
    add(json, "cpu_seconds", result.cpu_seconds, 0.0);
    add(json, "peak_memory_kib", result.peak_memory_kib, std::int64_t{0});
    if (result.exit_code) json["exit_code"] = *result.exit_code;
    if (result.signal) json["signal"] = *result.signal;
    add(json, "tries", result.tries, 1);
}

bool is_class_index(const std::vector<double>& y) {
    return y.size() == 1 && y[0] >= 0.0 && y[0] < 9007199254740992.0 && y[0] == std::floor(y[0]);
}

// What is wrong with a result as a whole; empty if nothing is.
std::string flaw_of(const ItemResult& result) {
    const auto is_finite = [](double value) { return std::isfinite(value); };
    if (result.item < 0 || result.row < 0) return "a negative item or row";
    if (!std::all_of(result.y.begin(), result.y.end(), is_finite)) return "y is not finite";
    if (!is_finite(result.started) || !is_finite(result.wall_seconds) ||
        !is_finite(result.cpu_seconds)) {
        return "a time is not finite";
    }
    if ((result.status == ItemStatus::ok) == result.y.empty()) {
        return "y belongs to status ok, and only to it";
    }
    if (result.is_class && result.status == ItemStatus::ok && !is_class_index(result.y)) {
        return "y is not one class index";
    }
    return {};
}

// Takes fields out of one line; what is missing keeps its default.
class LineReader {
  public:
    LineReader(std::string_view line, const std::string& where)
        : json_(Json::parse(line, nullptr, false)), where_(where) {
        if (!json_.is_object()) fail("not a JSON object");
    }

    [[noreturn]] void fail(const std::string& what) const {
        throw Error(ExitCode::bad_data,
                    fmt::format("{}: {}; not a result line, the file is damaged", where_, what));
    }

    const Json* find(const char* key) const {
        const auto found = json_.find(key);
        return found == json_.end() ? nullptr : &*found;
    }

    void require_fields(std::initializer_list<const char*> keys) const {
        for (const char* key : keys) {
            if (find(key) == nullptr) fail(fmt::format("'{}' is missing", key));
        }
    }

    void read(const char* key, std::string& text) const {
        if (const Json* value = find(key)) text = as_text(key, *value);
    }

    void read(const char* key, bool& flag) const {
        const Json* value = find(key);
        if (value == nullptr) return;
        if (!value->is_boolean()) fail(fmt::format("'{}' is neither true nor false", key));
        flag = value->get<bool>();
    }

    void read(const char* key, double& number) const {
        if (const Json* value = find(key)) number = as_number(key, *value);
    }

    template <typename Integer>
    void read_integer(const char* key, Integer& number) const {
        if (const Json* value = find(key)) number = as_integer<Integer>(key, *value);
    }

    void read(const char* key, std::optional<int>& number) const {
        if (const Json* value = find(key)) number = as_integer<int>(key, *value);
    }

    void read(const char* key, std::vector<double>& numbers) const {
        for (const Json& value : list(key))
            numbers.push_back(as_number(key, value));
    }

    void read(const char* key, std::vector<std::string>& texts) const {
        for (const Json& value : list(key))
            texts.push_back(as_text(key, value));
    }

  private:
    Json list(const char* key) const {
        const Json* value = find(key);
        if (value == nullptr) return Json::array();
        if (!value->is_array()) fail(fmt::format("'{}' is not a list", key));
        return *value;
    }

    std::string as_text(const char* key, const Json& value) const {
        if (!value.is_string()) fail(fmt::format("'{}' is not a text", key));
        return value.get<std::string>();
    }

    double as_number(const char* key, const Json& value) const {
        if (!value.is_number()) fail(fmt::format("'{}' is not a number", key));
        return value.get<double>();
    }

    template <typename Integer>
    Integer as_integer(const char* key, const Json& value) const {
        constexpr auto highest = static_cast<std::uint64_t>(std::numeric_limits<Integer>::max());
        const bool fits = value.is_number_unsigned() ? value.get<std::uint64_t>() <= highest
                                                     : value.is_number_integer() &&
                                                           value.get<std::int64_t>() >=
                                                               std::numeric_limits<Integer>::min();
        if (!fits) fail(fmt::format("'{}' is not a whole number within bounds", key));
        return value.get<Integer>();
    }

    Json json_;
    const std::string& where_;
};

void read_origin(const LineReader& line, ItemResult& result) {
    line.read("label_key", result.label_key);
    line.read("oracle_hash", result.oracle_hash);
    line.read("annotator", result.annotator);
    line.read("worker", result.worker);
    line.read("job_id", result.job_id);
}

void read_cost(const LineReader& line, ItemResult& result) {
    line.read("started", result.started);
    line.read("wall_seconds", result.wall_seconds);
    line.read("cpu_seconds", result.cpu_seconds);
    line.read_integer("peak_memory_kib", result.peak_memory_kib);
    line.read("exit_code", result.exit_code);
    line.read("signal", result.signal);
    line.read_integer("tries", result.tries);
}

void read_quality(const LineReader& line, ItemResult& result) {
    const Json* quality = line.find("quality");
    if (quality == nullptr) return;
    if (!quality->is_object() || !is_shallow(*quality, max_quality_depth)) {
        line.fail("'quality' is not a small object");
    }
    result.quality = quality->dump();
}

ItemStatus read_status(const LineReader& line) {
    std::string name;
    line.read("status", name);
    const std::optional<ItemStatus> status = parse_status(name);
    if (!status) line.fail("unknown status '" + printable(name) + "'");
    return *status;
}

}  // namespace

std::string_view status_name(ItemStatus status) {
    for (const StatusName& known : status_names) {
        if (known.status == status) return known.name;
    }
    throw Error(ExitCode::internal, "an item status without a name");
}

std::optional<ItemStatus> parse_status(std::string_view name) {
    for (const StatusName& known : status_names) {
        if (known.name == name) return known.status;
    }
    return std::nullopt;
}

std::string result_text(const ItemResult& result) {
    const std::string flaw = flaw_of(result);
    require(flaw.empty(), ExitCode::internal,
            fmt::format("result of item {}: {}", result.item, flaw));
    Json json = {{"item", result.item},
                 {"row", result.row},
                 {"id", clean(result.id)},
                 {"status", status_name(result.status)}};
    add_text(json, "reason", result.reason);
    add(json, "y", result.y, {});
    add(json, "is_class", result.is_class, false);
    for (const std::string& unit : result.units)
        json["units"].push_back(clean(unit));
    add_text(json, "label_key", result.label_key);
    add_text(json, "oracle_hash", result.oracle_hash);
    add_text(json, "annotator", result.annotator);
    add_text(json, "worker", result.worker);
    add_text(json, "job_id", result.job_id);
    add_cost(json, result);
    if (!result.quality.empty()) json["quality"] = quality_json(result.quality);
    add_text(json, "log_tail", result.log_tail);
    add_text(json, "artifacts", result.artifacts);
    return json.dump();
}

ItemResult parse_result(std::string_view text, const std::string& where) {
    const LineReader line(text, where);
    line.require_fields({"item", "row", "id", "status"});
    ItemResult result;
    line.read_integer("item", result.item);
    line.read_integer("row", result.row);
    line.read("id", result.id);
    result.status = read_status(line);
    line.read("reason", result.reason);
    line.read("y", result.y);
    line.read("is_class", result.is_class);
    line.read("units", result.units);
    read_origin(line, result);
    read_cost(line, result);
    read_quality(line, result);
    line.read("log_tail", result.log_tail);
    line.read("artifacts", result.artifacts);
    const std::string flaw = flaw_of(result);
    if (!flaw.empty()) line.fail(flaw);
    return result;
}

}  // namespace sluice::queue
