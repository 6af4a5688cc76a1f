#include "oracle/spec_reader.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "oracle/rules.hpp"
#include "queue/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace sluice::oracle {
namespace {

using Names = std::vector<std::string>;
using queue::ItemStatus;

constexpr double mebibyte = 1 << 20;
constexpr double year_seconds = 366.0 * 86'400.0;
constexpr std::array failures = {ItemStatus::nonconverged, ItemStatus::invalid, ItemStatus::timeout,
                                 ItemStatus::oracle_error};
constexpr std::string_view expect_prefix = "expect ";

Names names_of(std::span<const ItemStatus> statuses) {
    Names names;
    for (const ItemStatus status : statuses)
        names.emplace_back(queue::status_name(status));
    return names;
}

bool is_variable_name(std::string_view text) {
    const auto is_letter = [](char character) {
        return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
               character == '_';
    };
    const auto is_allowed = [&](char character) {
        return is_letter(character) || (character >= '0' && character <= '9');
    };
    return !text.empty() && is_letter(text[0]) && std::ranges::all_of(text, is_allowed);
}

void check_variable(const IniPlace& place, const std::string& key, const std::string& name) {
    if (is_variable_name(name)) return;
    fail_at(place, fmt::format("{}: not the name of an environment variable; write letters, "
                               "digits and '_'",
                               printable(key == name ? name : key + ": " + name)));
}

void check_plain(const IniPlace& place, const std::string& what, const std::string& name) {
    if (queue::is_plain_name(name)) return;
    fail_at(place, fmt::format("{}: not a plain name ({}); write letters, digits, '-', '_' and "
                               "'.', not beginning with a dot",
                               what, printable(name)));
}

// Files an oracle writes may lie in a folder below its scratch directory, never above it.
void check_scratch_path(const IniEntry& entry) {
    std::string_view rest = entry.value;
    while (true) {
        const std::size_t slash = rest.find('/');
        const std::string_view name = rest.substr(0, slash);
        if (!queue::is_plain_name(name)) {
            fail_at(entry.value_place,
                    fmt::format("{}: not a file below the scratch directory ({}); write stdout, "
                                "stderr or a relative path of plain names",
                                entry.key, printable(entry.value)));
        }
        if (slash == std::string_view::npos) return;
        rest.remove_prefix(slash + 1);
    }
}

Names words_of(const IniKeys& keys, const std::string& key) {
    const IniEntry* entry = keys.find(key);
    if (entry == nullptr) return {};
    return split_words(entry->value, entry->value_place.text());
}

// The words of the command; `{{oracle_dir}}` names the oracle file's directory.
void read_command(const IniKeys& keys, SpecDraft& draft) {
    const IniEntry& entry = keys.need("command", "name the program and its arguments");
    draft.command_place = entry.value_place;
    const std::string directory = oracle_directory(draft.spec.path);
    static constexpr std::string_view mark = "{{oracle_dir}}";
    for (const CommandWord& word : command_words(entry.value, entry.value_place.text())) {
        draft.command_texts.push_back(word.text);
        std::string text = word.text;
        for (std::size_t at = text.find(mark); at != std::string::npos;
             at = text.find(mark, at + directory.size())) {
            if (directory.find("{{") != std::string::npos) {
                fail_at(entry.value_place, "{{oracle_dir}}: the directory's name has '{{' (" +
                                               printable(directory) + "); rename it");
            }
            text.replace(at, mark.size(), directory);
        }
        IniPlace place = entry.value_place;
        place.column += static_cast<int>(word.offset);
        draft.spec.command.emplace_back(text, place.text(), Template::Use::argument);
    }
    const Names& placeholders = draft.spec.command.front().names();
    if (!placeholders.empty()) {
        fail_at(entry.value_place, fmt::format("{{{{{}}}}}: the program cannot depend on the item; "
                                               "name it",
                                               printable(placeholders.front())));
    }
}

void read_limits(const IniKeys& keys, Spec& spec) {
    spec.time_limit_seconds =
        keys.number_within("time_limit", spec.time_limit_seconds, 1e-3, year_seconds);
    spec.start_limit_seconds =
        keys.number_within("start_limit", spec.start_limit_seconds, 0.0, year_seconds);
    const double log = keys.number_within("log_limit", 1.0, 1e-3, 1024.0);
    spec.log_limit_bytes = static_cast<std::int64_t>(log * mebibyte);
    const double file = keys.number_within("file_limit", 1024.0, 1e-3, 1e9);
    spec.file_limit_bytes = static_cast<std::int64_t>(file * mebibyte);
    spec.breaker = keys.count_within("breaker", spec.breaker, 0, 1'000'000);
}

LinePattern compiled(const IniEntry& entry, int num_groups) {
    return {entry.value, num_groups, entry.value_place.text() + ": " + entry.key};
}

}  // namespace

std::string oracle_directory(const std::string& oracle_path) {
    return std::filesystem::absolute(oracle_path).lexically_normal().parent_path().string();
}

std::string beside(const std::string& oracle_path, const std::string& text) {
    return (std::filesystem::path(oracle_path).parent_path() / text).string();
}

void read_oracle_section(const IniKeys& keys, SpecDraft& draft) {
    static const Names known = {
        "name",       "version",     "command",          "mode", "time_limit", "log_limit",
        "file_limit", "start_limit", "pass_environment", "tags", "breaker",    "label_is_class"};
    static const Names modes = {"item", "jsonl"};
    static const Names answers = {"no", "yes"};
    keys.allow(known);
    Spec& spec = draft.spec;
    const IniEntry& name = keys.need("name", "name the oracle, as in name = water-dimer");
    check_plain(name.value_place, "name", name.value);
    spec.name = name.value;
    spec.version = keys.text("version");
    read_command(keys, draft);
    spec.mode = keys.choice("mode", modes) == 0 ? Spec::Mode::item : Spec::Mode::jsonl;
    spec.is_class = keys.choice("label_is_class", answers) == 1;
    read_limits(keys, spec);
    spec.passed_environment = words_of(keys, "pass_environment");
    for (const std::string& variable : spec.passed_environment)
        check_variable(keys.find("pass_environment")->value_place, "pass_environment", variable);
    spec.tags = words_of(keys, "tags");
    for (const std::string& tag : spec.tags)
        check_plain(keys.find("tags")->value_place, "tags", tag);
}

void read_file_section(const IniKeys& keys, Spec& spec) {
    static const Names known = {"source"};
    static const Names reserved = {"stdout", "stderr", "input.json", "result.json"};
    keys.allow(known);
    check_plain(keys.place(), keys.kind(), keys.name());
    if (std::ranges::count(reserved, keys.name()) > 0) {
        fail_at(keys.place(), fmt::format("{}: {} has a meaning of its own; choose another name",
                                          keys.kind(), keys.name()));
    }
    for (const InputFile& file : spec.files) {
        if (file.name == keys.name()) {
            fail_at(keys.place(), keys.kind() + ": " + file.name +
                                      " is made by another section; keep one of the two");
        }
    }
    const IniEntry& source = keys.need("source", "name the file to take, as in source = deck.in");
    InputFile file;
    file.name = keys.name();
    file.source = beside(spec.path, source.value);
    try {
        file.text = read_text_file(file.source);
    } catch (const Error& error) {
        throw Error(error.code(), source.value_place.text() + ": source: " + error.what());
    }
    if (keys.kind() == "template") file.rendered.emplace(file.text, file.source);
    spec.files.push_back(std::move(file));
}

void read_label_section(const IniKeys& keys, Spec& spec) {
    static const Names known = {"file", "pattern", "match", "unit", "min", "max"};
    static const Names matches = {"last", "first"};
    keys.allow(known);
    LabelRule rule;
    rule.name = keys.name();
    rule.unit = keys.text("unit");
    rule.first = keys.choice("match", matches) == 1;
    rule.min = keys.number("min");
    rule.max = keys.number("max");
    if (rule.min && rule.max && *rule.min > *rule.max) {
        fail_at(keys.find("min")->value_place,
                fmt::format("min: above max ({} > {}); swap them", number_text(*rule.min),
                            number_text(*rule.max)));
    }
    if (const IniEntry* file = keys.find("file")) {
        check_scratch_path(*file);
        const IniEntry& pattern = keys.need(
            "pattern", "give a regular expression with one group, as in ENERGY\\s+(\\S+)");
        compiled(pattern, 1);
        rule.file = file->value;
        rule.pattern = pattern.value;
    } else {
        for (const char* key : {"pattern", "match"}) {
            if (const IniEntry* entry = keys.find(key)) {
                fail_at(entry->key_place, std::string(key) +
                                              ": 'file' is missing; name stdout, "
                                              "stderr or a file the oracle writes");
            }
        }
    }
    spec.labels.push_back(std::move(rule));
}

void read_check_section(const IniKeys& keys, Spec& spec) {
    static const Names known = {"file", "required", "forbidden", "status"};
    static constexpr std::array statuses = {ItemStatus::oracle_error, ItemStatus::nonconverged,
                                            ItemStatus::invalid, ItemStatus::timeout,
                                            ItemStatus::refused};
    keys.allow(known);
    const IniEntry& file = keys.need("file", "name stdout, stderr or a file the oracle writes");
    check_scratch_path(file);
    const IniEntry* required = keys.find("required");
    const IniEntry* forbidden = keys.find("forbidden");
    if ((required == nullptr) == (forbidden == nullptr)) {
        fail_at(required == nullptr ? keys.place() : forbidden->key_place,
                "a check has either 'required' or 'forbidden'; give one of the two");
    }
    const IniEntry& pattern = required == nullptr ? *forbidden : *required;
    compiled(pattern, 0);
    CheckRule rule;
    rule.name = keys.name();
    rule.file = file.value;
    rule.pattern = pattern.value;
    rule.kind = required == nullptr ? CheckRule::Kind::forbidden : CheckRule::Kind::required;
    rule.status = statuses.at(keys.choice("status", names_of(statuses)));
    spec.checks.push_back(std::move(rule));
}

void read_environment_section(const IniKeys& keys, Spec& spec) {
    for (const IniEntry& entry : keys.entries()) {
        check_variable(entry.key_place, entry.key, entry.key);
        spec.environment[entry.key] = entry.value;
    }
}

void read_retry_section(const IniKeys& keys, Spec& spec) {
    keys.allow(names_of(failures));
    for (const ItemStatus status : failures) {
        const std::string_view name = queue::status_name(status);
        if (keys.find(name) != nullptr) spec.retries[status] = keys.count_within(name, 0, 0, 100);
    }
}

void read_test_section(const IniKeys& keys, Spec& spec) {
    for (const IniEntry& entry : keys.entries()) {
        if (entry.key == "tolerance") continue;
        if (!entry.key.starts_with(expect_prefix)) {
            spec.test_inputs[entry.key] = number_of(entry);
            continue;
        }
        const std::size_t name = entry.key.find_first_not_of(" \t", expect_prefix.size());
        const std::string label = entry.key.substr(name);
        Names known;
        for (const LabelRule& rule : spec.labels)
            known.push_back(rule.name);
        if (!known.empty() && std::ranges::count(known, label) == 0) {
            fail_at(entry.key_place,
                    "expect: unknown label (" + printable(label) + ")" + hint(label, known));
        }
        spec.test_labels.emplace_back(label, number_of(entry));
    }
    spec.test_tolerance = keys.number_within("tolerance", spec.test_tolerance, 0.0, 1e9);
    if (spec.test_labels.empty()) {
        fail_at(keys.place(), "[test]: expects nothing; add a line like expect energy = -1.5");
    }
}

}  // namespace sluice::oracle
