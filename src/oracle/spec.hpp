#pragma once

#include "oracle/text_rules.hpp"
#include "queue/result_line.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::oracle {

/// One component of the label, taken from text: the first group of a regular expression
/// (ECMAScript, applied line by line), last match wins unless `first`.
struct LabelRule {
    std::string name;
    std::string unit;
    std::string
        file;  ///< `stdout`, `stderr` or a file in the scratch directory; empty = result.json
    std::string pattern;  ///< with one group, a number
    bool first = false;
    std::optional<double> min;
    std::optional<double> max;
};

/// A text that must, or must not, be in a file; decides the status if broken.
struct CheckRule {
    enum class Kind { required, forbidden };
    std::string name;  ///< becomes the reason
    std::string file;  ///< as in LabelRule
    std::string pattern;
    Kind kind = Kind::required;
    queue::ItemStatus status = queue::ItemStatus::oracle_error;
};

/// A file put into the scratch directory before the oracle starts.
struct InputFile {
    std::string name;  ///< in the scratch directory
    std::string text;
    std::optional<Template> rendered;  ///< filled in for each item; else copied as it is
    std::string source;                ///< path it was read from
};

/// An oracle as its INI file describes it.
struct Spec {
    enum class Mode {
        item,   ///< one process an item: files in, files out
        jsonl,  ///< one process a ticket: a line of JSON an item on stdin, and on stdout
    };

    std::string path;
    std::string name;
    std::string version;  ///< what the user calls it; part of the hash
    std::vector<Template> command;
    Mode mode = Mode::item;
    double time_limit_seconds = 3600.0;                     ///< for one item
    double start_limit_seconds = 60.0;                      ///< jsonl: added once a process
    std::int64_t log_limit_bytes = 1 << 20;                 ///< stdout and stderr, each
    std::int64_t file_limit_bytes = std::int64_t{1} << 30;  ///< RLIMIT_FSIZE of the oracle
    std::vector<InputFile> files;
    std::vector<LabelRule> labels;  ///< empty = whatever result.json says
    std::vector<CheckRule> checks;
    std::map<std::string, std::string> environment;  ///< set for the oracle
    std::vector<std::string>
        passed_environment;  ///< taken over from the worker, beside the usual ones
    std::map<queue::ItemStatus, int> retries;  ///< extra runs in a row by reason
    int breaker = 10;  ///< equal failures in a row that stop the worker; 0 = never
    std::vector<std::string> tags;
    bool is_class = false;                                    ///< the label is a class index
    std::map<std::string, double> test_inputs;                ///< [test]: the known item
    std::vector<std::pair<std::string, double>> test_labels;  ///< and what it must give
    double test_tolerance = 1e-6;                             ///< relative
    std::string
        hash;  ///< 16 hex digits over all that can change a label: never paths, limits, tags
};

/// Reads and checks an oracle file and all files it names (relative to it). Throws
/// Error(bad_config) with line and column for unknown sections and keys (naming the nearest), wrong
/// values, unknown placeholders' syntax; Error(no_input) for files that are missing.
Spec read_spec(const std::string& path);

/// Throws Error(bad_config) if a placeholder is none of the item's inputs, naming the nearest; call
/// with the first item of every batch.
void check_placeholders(const Spec& spec, const queue::TicketItem& item);

/// The program of the command, found on PATH. Throws Error(unavailable) if it is missing or not
/// executable.
std::string find_program(const Spec& spec);

}  // namespace sluice::oracle
