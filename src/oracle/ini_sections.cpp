#include "oracle/ini_sections.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "oracle/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sluice::oracle {
namespace {

std::string quoted(const IniEntry& entry) {
    return printable(entry.key) + ": ";
}

// `[label   energy ]` is the same section as `[label energy]`.
std::pair<std::string, std::string> kind_and_name(const std::string& title) {
    const std::size_t blank = title.find_first_of(" \t");
    if (blank == std::string::npos) return {title, ""};
    return {title.substr(0, blank), title.substr(title.find_first_not_of(" \t", blank))};
}

void check_repeats(const std::vector<IniKeys>& sections, const IniSection& next) {
    const auto [kind, name] = kind_and_name(next.name);
    for (const IniKeys& known : sections) {
        if (known.kind() != kind || known.name() != name) continue;
        fail_at(next.place, fmt::format("[{}]: given before on line {}; keep one of the two",
                                        printable(next.name), known.place().line));
    }
}

void check_entries(const std::vector<IniEntry>& entries) {
    for (auto entry = entries.begin(); entry != entries.end(); ++entry) {
        const auto first = std::find_if(
            entries.begin(), entry, [&](const IniEntry& other) { return other.key == entry->key; });
        if (first != entry) {
            fail_at(entry->key_place, fmt::format("{}given before on line {}; keep one of the two",
                                                  quoted(*entry), first->key_place.line));
        }
        if (entry->value.empty()) {
            fail_at(entry->key_place,
                    quoted(*entry) + "its value is missing; give one or remove the line");
        }
    }
}

bool stands_before(const IniPlace& left, const IniPlace& right) {
    return left.line < right.line;
}

}  // namespace

void fail_at(const IniPlace& place, const std::string& what) {
    throw Error(ExitCode::bad_config, place.text() + ": " + what);
}

std::string hint(std::string_view word, std::span<const std::string> known) {
    const std::string nearest = nearest_name(word, known);
    if (!nearest.empty()) return "; did you mean '" + printable(nearest) + "'?";
    return "; known are " + printable(fmt::format("{}", fmt::join(known, ", ")));
}

double number_of(const IniEntry& entry) {
    const std::optional<double> value = real_number(entry.value);
    if (!value || !std::isfinite(*value)) {
        fail_at(entry.value_place, fmt::format("{}not a number ({}); write one like 0.5 or 1e-3",
                                               quoted(entry), printable(entry.value)));
    }
    return *value;
}

IniKeys::IniKeys(const IniSection& section, std::vector<IniEntry> entries)
    : place_(section.place), entries_(std::move(entries)) {
    std::tie(kind_, name_) = kind_and_name(section.name);
}

void IniKeys::allow(std::span<const std::string> known) const {
    for (const IniEntry& entry : entries_) {
        if (std::ranges::count(known, entry.key) > 0) continue;
        fail_at(entry.key_place, quoted(entry) + "unknown key" + hint(entry.key, known));
    }
}

const IniEntry* IniKeys::find(std::string_view key) const {
    const auto found = std::ranges::find(entries_, key, &IniEntry::key);
    return found == entries_.end() ? nullptr : &*found;
}

const IniEntry& IniKeys::need(std::string_view key, const std::string& remedy) const {
    const IniEntry* entry = find(key);
    if (entry == nullptr) fail_at(place_, fmt::format("'{}' is missing; {}", key, remedy));
    return *entry;
}

std::string IniKeys::text(std::string_view key, const std::string& otherwise) const {
    const IniEntry* entry = find(key);
    return entry == nullptr ? otherwise : entry->value;
}

std::optional<double> IniKeys::number(std::string_view key) const {
    const IniEntry* entry = find(key);
    if (entry == nullptr) return std::nullopt;
    return number_of(*entry);
}

double IniKeys::number_within(std::string_view key, double otherwise, double low,
                              double high) const {
    const IniEntry* entry = find(key);
    if (entry == nullptr) return otherwise;
    const double value = number_of(*entry);
    if (!(value >= low && value <= high)) {
        fail_at(entry->value_place,
                fmt::format("{}out of range ({}); give a number from {} to {}", quoted(*entry),
                            printable(entry->value), number_text(low), number_text(high)));
    }
    return value;
}

int IniKeys::count_within(std::string_view key, int otherwise, int low, int high) const {
    const double value = number_within(key, otherwise, low, high);
    if (value != std::trunc(value)) {
        const IniEntry& entry = *find(key);
        fail_at(entry.value_place, fmt::format("{}not a whole number ({}); give one", quoted(entry),
                                               printable(entry.value)));
    }
    return static_cast<int>(value);
}

std::size_t IniKeys::choice(std::string_view key, std::span<const std::string> words) const {
    const IniEntry* entry = find(key);
    if (entry == nullptr) return 0;
    const auto found = std::ranges::find(words, entry->value);
    if (found == words.end()) {
        fail_at(entry->value_place,
                fmt::format("{}unknown value ({}){}", quoted(*entry), printable(entry->value),
                            hint(entry->value, words)));
    }
    return static_cast<std::size_t>(found - words.begin());
}

std::vector<IniKeys> ini_sections(const IniFile& file) {
    if (!file.entries.empty() && file.entries.front().section.empty() &&
        (file.sections.empty() ||
         stands_before(file.entries.front().key_place, file.sections.front().place))) {
        fail_at(file.entries.front().key_place, quoted(file.entries.front()) +
                                                    "stands before the first section; begin the "
                                                    "file with [oracle]");
    }
    std::vector<IniKeys> sections;
    for (std::size_t i = 0; i < file.sections.size(); ++i) {
        const IniSection& section = file.sections[i];
        check_repeats(sections, section);
        std::vector<IniEntry> entries;
        for (const IniEntry& entry : file.entries) {
            const bool ends_before = i + 1 < file.sections.size() &&
                                     !stands_before(entry.key_place, file.sections[i + 1].place);
            if (stands_before(section.place, entry.key_place) && !ends_before)
                entries.push_back(entry);
        }
        check_entries(entries);
        sections.emplace_back(section, std::move(entries));
    }
    return sections;
}

}  // namespace sluice::oracle
