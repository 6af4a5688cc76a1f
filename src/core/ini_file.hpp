#pragma once

#include <string>
#include <vector>

namespace sluice {

/// Where something stands in an INI file; line and column (in bytes) count from 1.
struct IniPlace {
    std::string path;
    int line = 0;
    int column = 0;

    /// `PATH:LINE:COLUMN`.
    std::string text() const;
};

/// `key = value`.
struct IniEntry {
    std::string section;  ///< name of the last `[section]` above; empty before the first
    std::string key;
    std::string value;
    IniPlace key_place;
    IniPlace value_place;
};

/// A `[section]` line.
struct IniSection {
    std::string name;
    IniPlace place;
};

struct IniFile {
    std::vector<IniSection> sections;
    std::vector<IniEntry> entries;  ///< in the order of the file
};

/// Longest line an INI file may have, in bytes.
inline constexpr int max_ini_line = 65'536;

/// Reads an INI file: `key = value` lines and `[section]` lines. Blanks around both are dropped, as
/// are a byte order mark and the carriage returns of Windows; `#` or `;` starts a comment at the
/// beginning of a line or after a blank; a value may stand in double quotes, which are dropped and
/// keep `#` and outer blanks. Throws Error(bad_config) with line and column for anything else,
/// Error(no_input|permission|io_error) when the file cannot be read.
IniFile read_ini_file(const std::string& path);

/// The same from text in memory; `path` is used in places and messages.
IniFile parse_ini(const std::string& path, const std::string& text);

}  // namespace sluice
