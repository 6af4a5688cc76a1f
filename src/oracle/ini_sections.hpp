#pragma once

#include "core/ini_file.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::oracle {

/// One section of an INI file, `[KIND NAME]` or `[KIND]`, with its entries looked up by key. Every
/// reading function throws Error(bad_config) with line and column for a value it cannot take.
class IniKeys {
  public:
    IniKeys(const IniSection& section, std::vector<IniEntry> entries);

    const std::string& kind() const { return kind_; }
    const std::string& name() const { return name_; }
    const IniPlace& place() const { return place_; }
    const std::vector<IniEntry>& entries() const { return entries_; }

    /// Throws for a key that is none of these, naming the nearest.
    void allow(std::span<const std::string> known) const;

    /// Throws if the key is missing.
    const IniEntry& need(std::string_view key, const std::string& remedy) const;
    const IniEntry* find(std::string_view key) const;

    std::string text(std::string_view key, const std::string& otherwise = "") const;
    std::optional<double> number(std::string_view key) const;

    /// A number within [low, high].
    double number_within(std::string_view key, double otherwise, double low, double high) const;
    int count_within(std::string_view key, int otherwise, int low, int high) const;

    /// The index of the value among `words`; of the first one if the key is absent.
    std::size_t choice(std::string_view key, std::span<const std::string> words) const;

  private:
    std::string kind_;
    std::string name_;
    IniPlace place_;
    std::vector<IniEntry> entries_;
};

/// Throws Error(bad_config) at a place.
[[noreturn]] void fail_at(const IniPlace& place, const std::string& what);

/// `; did you mean 'NEAREST'?`, or `; known are A, B, C` when none is near.
std::string hint(std::string_view word, std::span<const std::string> known);

/// A finite number of an entry. Throws Error(bad_config) with its place.
double number_of(const IniEntry& entry);

/// The file's sections in order. Throws Error(bad_config) for keys before the first section, a
/// section or a key given twice, and empty values.
std::vector<IniKeys> ini_sections(const IniFile& file);

}  // namespace sluice::oracle
