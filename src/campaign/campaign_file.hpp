#pragma once

#include "core/ini_file.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::campaign {

/// A key by its section and name, as in {"select", "batch"}.
using KeyName = std::pair<std::string, std::string>;

/// A whole number in [low, high], of decimal digits or as in 1e6; nothing for anything else.
std::optional<std::int64_t> whole_number(const std::string& text, std::int64_t low,
                                         std::int64_t high);

/// The values of a campaign.ini, defaults included. Getters throw Error(bad_config) with file, line
/// and column for a value they cannot take.
class CampaignFile {
  public:
    /// Throws Error(bad_config) with line and column for sections, keys and names that
    /// campaign_keys does not have (naming the nearest), for keys given twice and empty values.
    explicit CampaignFile(const IniFile& file, std::string path);

    const std::string& path() const { return path_; }

    bool has(const KeyName& key) const { return values_.contains(key); }
    bool is_given(const KeyName& key) const;  ///< in the file, not by default

    /// As written; empty if there is none.
    std::string text(const KeyName& key) const;
    std::vector<std::string> texts(const KeyName& key) const;
    std::vector<std::string> words(const KeyName& key) const;

    /// Paths are taken from the file's folder; empty if there is none.
    std::string file_path(const KeyName& key) const;
    std::vector<std::string> file_paths(const KeyName& key) const;

    /// As whole_number().
    std::int64_t count(const KeyName& key, std::int64_t low, std::int64_t high) const;
    /// Nothing for `auto` or where there is no value.
    std::optional<std::int64_t> count_or_auto(const KeyName& key, std::int64_t low,
                                              std::int64_t high) const;

    /// A finite number in [low, high]; nothing for `auto`, `none` or where there is no value.
    std::optional<double> number(const KeyName& key, double low, double high) const;

    std::uint64_t seed(const KeyName& key) const;

    /// Throws `FILE:LINE:COLUMN: KEY: WHAT`; for a value that is not in the file `FILE: [SECTION]
    /// KEY: WHAT`.
    [[noreturn]] void fail(const KeyName& key, const std::string& what) const;

    /// All values, as `SECTION.KEY` -> text; lists joined by newlines.
    std::map<std::string, std::string> canonical() const;

  private:
    struct Value {
        std::vector<std::string> texts;
        std::optional<IniPlace> place;
    };

    void add(const IniEntry& entry);
    std::string relative_to_file(const std::string& path) const;

    std::string path_;
    std::map<KeyName, Value> values_;
};

}  // namespace sluice::campaign
