#pragma once

#include "oracle/ini_sections.hpp"
#include "oracle/spec.hpp"

#include <string>
#include <vector>

namespace sluice::oracle {

/// What an oracle file says, before its sections are checked against each other.
struct SpecDraft {
    Spec spec;
    std::vector<std::string> command_texts;  ///< as written, without the oracle's directory
    IniPlace command_place;
};

/// Fills in the section's part. Each throws Error(bad_config) with line and column.
void read_oracle_section(const IniKeys& keys, SpecDraft& draft);
void read_label_section(const IniKeys& keys, Spec& spec);
void read_check_section(const IniKeys& keys, Spec& spec);
void read_environment_section(const IniKeys& keys, Spec& spec);
void read_retry_section(const IniKeys& keys, Spec& spec);
void read_test_section(const IniKeys& keys, Spec& spec);

/// [template NAME] and [file NAME]. Throws Error(no_input) if the source is missing.
void read_file_section(const IniKeys& keys, Spec& spec);

/// `text` as a path: relative ones are relative to the oracle file's directory.
std::string beside(const std::string& oracle_path, const std::string& text);

/// The absolute directory of the oracle file.
std::string oracle_directory(const std::string& oracle_path);

}  // namespace sluice::oracle
