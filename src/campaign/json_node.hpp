#pragma once

#include <nlohmann/json.hpp>

#include <initializer_list>
#include <string>

namespace sluice::campaign {

/// One object of a JSON file that a user has written, and where it stands in it. What is wrong with
/// it is Error(bad_config): `FILE: PLACE.KEY: WHAT`.
class JsonNode {
  public:
    /// Keeps a reference to `json`; throws if it is no object.
    JsonNode(const nlohmann::ordered_json& json, std::string where);

    /// Where a key stands, as messages say it.
    std::string place(const std::string& key) const;

    [[noreturn]] void fail(const std::string& key, const std::string& what) const;

    /// Throws for a key that is none of these, naming the nearest one.
    void allow(std::initializer_list<const char*> keys) const;

    bool has(const std::string& key) const { return json_.contains(key); }

    /// The values of a key; throw if it is missing or of another type.
    JsonNode object(const std::string& key) const;
    std::string text(const std::string& key) const;
    double number(const std::string& key) const;  ///< finite

    const nlohmann::ordered_json& json() const { return json_; }

  private:
    const nlohmann::ordered_json& json_;
    std::string where_;
};

/// A whole file's text as JSON; throws Error(bad_config) naming the line that is none.
nlohmann::ordered_json parse_json_file(const std::string& text, const std::string& path);

}  // namespace sluice::campaign
