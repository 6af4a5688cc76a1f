#include "campaign/json_node.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace sluice::campaign {

JsonNode::JsonNode(const nlohmann::ordered_json& json, std::string where)
    : json_(json), where_(std::move(where)) {
    require(json.is_object(), ExitCode::bad_config,
            where_ + ": is no JSON object; write it in { }");
}

std::string JsonNode::place(const std::string& key) const {
    const std::string separator = where_.find(": ") == std::string::npos ? ": " : ".";
    return where_ + (key.empty() ? "" : separator + key);
}

void JsonNode::fail(const std::string& key, const std::string& what) const {
    throw Error(ExitCode::bad_config, place(key) + ": " + what);
}

void JsonNode::allow(std::initializer_list<const char*> keys) const {
    const std::vector<std::string> known(keys.begin(), keys.end());
    for (const auto& [key, value] : json_.items()) {
        if (std::find(known.begin(), known.end(), key) != known.end()) continue;
        const std::string nearest = nearest_name(key, known);
        fail(printable(key),
             "unknown key" + (nearest.empty() ? "" : "; did you mean " + nearest + "?"));
    }
}

JsonNode JsonNode::object(const std::string& key) const {
    if (!has(key)) fail(key, "missing");
    return {json_.at(key), where_ + "." + key};
}

std::string JsonNode::text(const std::string& key) const {
    if (!has(key)) fail(key, "missing");
    if (!json_.at(key).is_string()) fail(key, "is no text");
    return json_.at(key).get<std::string>();
}

double JsonNode::number(const std::string& key) const {
    if (!has(key)) fail(key, "missing");
    if (!json_.at(key).is_number()) fail(key, "is no number");
    const auto value = json_.at(key).get<double>();
    if (!std::isfinite(value)) fail(key, "is no finite number");
    return value;
}

nlohmann::ordered_json parse_json_file(const std::string& text, const std::string& path) {
    try {
        return nlohmann::ordered_json::parse(text);
    } catch (const nlohmann::ordered_json::parse_error& error) {
        const std::string before = text.substr(0, std::min(text.size(), error.byte));
        const auto line = 1 + std::count(before.begin(), before.end(), '\n');
        throw Error(ExitCode::bad_config,
                    fmt::format("{}:{}: is no JSON (byte {}); give a selection as in LightlyOne",
                                path, line, error.byte));
    }
}

}  // namespace sluice::campaign
