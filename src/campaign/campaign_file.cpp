#include "campaign/campaign_file.hpp"

#include "campaign/campaign_keys.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "oracle/ini_sections.hpp"
#include "oracle/rules.hpp"
#include "oracle/text_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

namespace sluice::campaign {
namespace {

using oracle::fail_at;
using oracle::hint;

void check_section(const IniSection& section) {
    const std::vector<std::string> known = campaign_sections();
    if (std::ranges::count(known, section.name) > 0) return;
    fail_at(section.place,
            "[" + printable(section.name) + "]: unknown section" + hint(section.name, known));
}

std::vector<std::string> keys_of(const std::string& section) {
    std::vector<std::string> names;
    for (const CampaignKey& key : campaign_keys()) {
        if (key.section == section) names.push_back(key.name);
    }
    return names;
}

}  // namespace

std::optional<std::int64_t> whole_number(const std::string& text, std::int64_t low,
                                         std::int64_t high) {
    const std::optional<double> value = oracle::real_number(text);
    if (!value || std::trunc(*value) != *value) return std::nullopt;
    const bool fits = *value >= static_cast<double>(low) && *value <= static_cast<double>(high);
    return fits ? std::optional(static_cast<std::int64_t>(*value)) : std::nullopt;
}

CampaignFile::CampaignFile(const IniFile& file, std::string path) : path_(std::move(path)) {
    for (const IniSection& section : file.sections)
        check_section(section);
    for (const IniEntry& entry : file.entries)
        add(entry);
    for (const CampaignKey& key : campaign_keys()) {
        const KeyName name{key.section, key.name};
        if (!key.default_text.empty() && !has(name)) values_[name] = {{key.default_text}, {}};
    }
}

void CampaignFile::add(const IniEntry& entry) {
    const std::string shown = printable(entry.key);
    if (entry.section.empty()) {
        fail_at(entry.key_place,
                shown + ": stands before the first section; begin the file with [campaign]");
    }
    const CampaignKey* key = find_campaign_key(entry.section, entry.key);
    if (key == nullptr) {
        fail_at(entry.key_place,
                fmt::format("{}: unknown key of [{}]{}", shown, printable(entry.section),
                            hint(entry.key, keys_of(entry.section))));
    }
    if (entry.value.empty()) {
        fail_at(entry.value_place, shown + ": its value is missing; give one or remove the line");
    }
    if (!key->choices.empty() && std::ranges::count(key->choices, entry.value) == 0) {
        fail_at(entry.value_place,
                fmt::format("{}: unknown value ({}){}", shown, printable(entry.value),
                            hint(entry.value, key->choices)));
    }
    const auto [position, is_new] = values_.try_emplace({entry.section, entry.key});
    Value& value = position->second;
    if (!is_new && key->kind == CampaignKey::Kind::single) {
        fail_at(entry.key_place, fmt::format("{}: given before on line {}; keep one of the two",
                                             shown, value.place->line));
    }
    if (is_new) value.place = entry.value_place;
    value.texts.push_back(entry.value);
}

bool CampaignFile::is_given(const KeyName& key) const {
    const auto found = values_.find(key);
    return found != values_.end() && found->second.place.has_value();
}

std::string CampaignFile::text(const KeyName& key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? std::string() : found->second.texts.front();
}

std::vector<std::string> CampaignFile::texts(const KeyName& key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? std::vector<std::string>() : found->second.texts;
}

std::vector<std::string> CampaignFile::words(const KeyName& key) const {
    const auto found = values_.find(key);
    if (found == values_.end()) return {};
    const std::optional<IniPlace>& place = found->second.place;
    return oracle::split_words(found->second.texts.front(), place ? place->text() : path_);
}

std::string CampaignFile::relative_to_file(const std::string& path) const {
    if (path.empty()) return path;
    const std::filesystem::path joined = std::filesystem::path(path_).parent_path() / path;
    const std::string normal = joined.lexically_normal().string();
    return normal.size() > 1 && normal.back() == '/' ? normal.substr(0, normal.size() - 1) : normal;
}

std::string CampaignFile::file_path(const KeyName& key) const {
    return relative_to_file(text(key));
}

std::vector<std::string> CampaignFile::file_paths(const KeyName& key) const {
    std::vector<std::string> paths = texts(key);
    for (std::string& path : paths)
        path = relative_to_file(path);
    return paths;
}

std::int64_t CampaignFile::count(const KeyName& key, std::int64_t low, std::int64_t high) const {
    const std::optional<std::int64_t> value = whole_number(text(key), low, high);
    if (!value) {
        fail(key, fmt::format("not a whole number from {} to {} ({}); give one in that range", low,
                              high, printable(text(key))));
    }
    return *value;
}

std::optional<std::int64_t> CampaignFile::count_or_auto(const KeyName& key, std::int64_t low,
                                                        std::int64_t high) const {
    if (!has(key) || text(key) == "auto") return std::nullopt;
    return count(key, low, high);
}

std::optional<double> CampaignFile::number(const KeyName& key, double low, double high) const {
    if (!has(key) || text(key) == "auto" || text(key) == "none") return std::nullopt;
    const std::optional<double> value = oracle::real_number(text(key));
    if (!value || !(*value >= low && *value <= high)) {
        fail(key,
             fmt::format("not a number from {} to {} ({}); give one, with a point for decimals",
                         number_text(low), number_text(high), printable(text(key))));
    }
    return value;
}

std::uint64_t CampaignFile::seed(const KeyName& key) const {
    const std::string digits = text(key);
    std::uint64_t value = 0;
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value);
    if (error != std::errc() || stop != end) {
        fail(key, "not a whole number from 0 to 18446744073709551615 (" + printable(digits) +
                      "); give one in that range");
    }
    return value;
}

void CampaignFile::fail(const KeyName& key, const std::string& what) const {
    const auto found = values_.find(key);
    const bool has_place = found != values_.end() && found->second.place.has_value();
    const std::string where = has_place ? found->second.place->text() + ": " + key.second
                                        : printable(path_) + ": [" + key.first + "] " + key.second;
    throw Error(ExitCode::bad_config, where + ": " + what);
}

std::map<std::string, std::string> CampaignFile::canonical() const {
    std::map<std::string, std::string> all;
    for (const auto& [key, value] : values_)
        all[key.first + "." + key.second] = fmt::format("{}", fmt::join(value.texts, "\n"));
    return all;
}

}  // namespace sluice::campaign
