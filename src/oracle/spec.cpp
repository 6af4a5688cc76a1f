#include "oracle/spec.hpp"

#include "core/error.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "oracle/spec_reader.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace sluice::oracle {
namespace {

const std::vector<std::string> named_kinds = {"template", "file", "label", "check"};
const std::vector<std::string> all_kinds = {"oracle", "template",    "file",  "label",
                                            "check",  "environment", "retry", "test"};

void check_title(const IniKeys& keys) {
    if (std::ranges::count(all_kinds, keys.kind()) == 0) {
        fail_at(keys.place(),
                "[" + printable(keys.kind()) + "]: unknown section" + hint(keys.kind(), all_kinds));
    }
    const bool has_name = std::ranges::count(named_kinds, keys.kind()) > 0;
    if (has_name && keys.name().empty()) {
        fail_at(keys.place(), fmt::format("[{}]: its name is missing; write [{} NAME]", keys.kind(),
                                          keys.kind()));
    }
    if (!has_name && !keys.name().empty()) {
        fail_at(keys.place(), fmt::format("[{} {}]: takes no name; write [{}]", keys.kind(),
                                          printable(keys.name()), keys.kind()));
    }
}

void read_section(const IniKeys& keys, Spec& spec) {
    if (keys.kind() == "template" || keys.kind() == "file") read_file_section(keys, spec);
    if (keys.kind() == "label") read_label_section(keys, spec);
    if (keys.kind() == "check") read_check_section(keys, spec);
    if (keys.kind() == "environment") read_environment_section(keys, spec);
    if (keys.kind() == "retry") read_retry_section(keys, spec);
}

// A jsonl oracle answers for itself: it sees many items, and one process's texts fit none of them.
void check_jsonl(const std::vector<IniKeys>& sections, const SpecDraft& draft) {
    for (const Template& word : draft.spec.command) {
        if (word.names().empty()) continue;
        throw Error(
            ExitCode::bad_config,
            fmt::format("{}: {{{{{}}}}}: a jsonl oracle runs once for many items; let it "
                        "read them from stdin",
                        word.place_of(word.names().front()), printable(word.names().front())));
    }
    for (const IniKeys& keys : sections) {
        if (keys.kind() == "template") {
            fail_at(keys.place(),
                    "[template]: a jsonl oracle runs once for many items; use [file] "
                    "or mode = item");
        }
        if (keys.kind() == "check") {
            fail_at(keys.place(),
                    "[check]: a jsonl oracle gives each item's status in its line; "
                    "remove the section");
        }
        if (keys.kind() == "label" && keys.find("file") != nullptr) {
            fail_at(keys.find("file")->key_place,
                    "file: a jsonl oracle gives each item's label in "
                    "its line; remove 'file' and 'pattern'");
        }
    }
}

void check_class(const IniKeys& oracle, const Spec& spec) {
    if (!spec.is_class || spec.labels.size() <= 1) return;
    fail_at(oracle.find("label_is_class")->value_place,
            fmt::format("label_is_class: a class is one whole number, but there are {} [label] "
                        "sections; keep one",
                        spec.labels.size()));
}

// Every field with its length before it, so that no two specifications make the same text.
class HashText {
  public:
    void add(std::string_view field) { text_ += fmt::format("{}:{};", field.size(), field); }
    void add(const std::optional<double>& value) { add(value ? number_text(*value) : "none"); }
    void add_count(std::size_t count) { add(std::to_string(count)); }
    std::string digest() const { return sha256_hex(text_).substr(0, 16); }

  private:
    std::string text_;
};

void add_files(const Spec& spec, HashText& hash) {
    std::vector<const InputFile*> files;
    for (const InputFile& file : spec.files)
        files.push_back(&file);
    std::ranges::sort(files, {}, &InputFile::name);
    hash.add_count(files.size());
    for (const InputFile* file : files) {
        hash.add(file->name);
        hash.add(file->rendered ? "template" : "file");
        hash.add(file->text);
    }
}

void add_rules(const Spec& spec, HashText& hash) {
    hash.add_count(spec.labels.size());
    for (const LabelRule& rule : spec.labels) {
        for (const std::string* field : {&rule.name, &rule.unit, &rule.file, &rule.pattern})
            hash.add(*field);
        hash.add(rule.first ? "first" : "last");
        hash.add(rule.min);
        hash.add(rule.max);
    }
    hash.add_count(spec.checks.size());
    for (const CheckRule& rule : spec.checks) {
        for (const std::string* field : {&rule.name, &rule.file, &rule.pattern})
            hash.add(*field);
        hash.add(rule.kind == CheckRule::Kind::required ? "required" : "forbidden");
        hash.add(queue::status_name(rule.status));
    }
}

std::string hash_of(const SpecDraft& draft) {
    const Spec& spec = draft.spec;
    HashText hash;
    hash.add("sluice-oracle-1");
    hash.add(spec.name);
    hash.add(spec.version);
    hash.add(spec.mode == Spec::Mode::item ? "item" : "jsonl");
    hash.add(spec.is_class ? "class" : "number");
    hash.add_count(draft.command_texts.size());
    for (const std::string& word : draft.command_texts)
        hash.add(word);
    add_files(spec, hash);
    add_rules(spec, hash);
    hash.add_count(spec.environment.size());
    for (const auto& [name, value] : spec.environment) {
        hash.add(name);
        hash.add(value);
    }
    return hash.digest();
}

void check_names(const Template& text, const std::vector<std::string>& known) {
    for (const std::string& name : text.names()) {
        if (std::ranges::count(known, name) > 0) continue;
        throw Error(ExitCode::bad_config,
                    fmt::format("{}: {{{{{}}}}}: no input of the pool has this name{}",
                                text.place_of(name), printable(name), hint(name, known)));
    }
}

enum class Found { no, not_executable, yes };

// PATH may name folders that are closed to this user: execvp passes over them too.
Found examine(const std::filesystem::path& path) {
    struct stat status = {};
    const bool is_found = ::stat(path.c_str(), &status) == 0;
    constexpr std::array absences = {ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG};
    if (!is_found && std::ranges::count(absences, errno) == 0) {
        throw system_error(path, "cannot examine", errno);
    }
    if (!is_found || !S_ISREG(status.st_mode)) return Found::no;
    if (::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0) return Found::yes;
    if (errno != EACCES) throw system_error(path, "cannot examine", errno);
    return Found::not_executable;
}

// As execvp looks for it: an empty entry of PATH is the working directory.
std::vector<std::filesystem::path> candidates(const Spec& spec, const std::string& program) {
    if (program.find('/') != std::string::npos) {
        return {std::filesystem::path(oracle_directory(spec.path)) / program, program};
    }
    const char* variable = std::getenv("PATH");
    std::string_view rest = variable == nullptr ? "/bin:/usr/bin" : variable;
    std::vector<std::filesystem::path> paths;
    while (true) {
        const std::size_t colon = rest.find(':');
        const std::string_view folder = rest.substr(0, colon);
        paths.push_back(std::filesystem::path(folder.empty() ? "." : folder) / program);
        if (colon == std::string_view::npos) return paths;
        rest.remove_prefix(colon + 1);
    }
}

}  // namespace

Spec read_spec(const std::string& path) {
    const std::vector<IniKeys> sections = ini_sections(read_ini_file(path));
    std::ranges::for_each(sections, check_title);
    const auto oracle = std::ranges::find(sections, "oracle", &IniKeys::kind);
    if (oracle == sections.end()) {
        fail_at({path, 1, 1},
                "no [oracle] section; begin the file with one that has 'name' and "
                "'command'");
    }
    SpecDraft draft;
    draft.spec.path = path;
    read_oracle_section(*oracle, draft);
    for (const IniKeys& keys : sections)
        read_section(keys, draft.spec);
    const auto test = std::ranges::find(sections, "test", &IniKeys::kind);
    if (test != sections.end()) read_test_section(*test, draft.spec);
    if (draft.spec.mode == Spec::Mode::jsonl) check_jsonl(sections, draft);
    check_class(*oracle, draft.spec);
    draft.spec.hash = hash_of(draft);
    return std::move(draft.spec);
}

void check_placeholders(const Spec& spec, const queue::TicketItem& item) {
    const std::vector<std::string> known = placeholder_names(item);
    for (const Template& word : spec.command)
        check_names(word, known);
    for (const InputFile& file : spec.files) {
        if (file.rendered) check_names(*file.rendered, known);
    }
}

std::string find_program(const Spec& spec) {
    const Template& word = spec.command.at(0);
    const std::string program = word.render({});
    std::filesystem::path blocked;
    for (const std::filesystem::path& path : candidates(spec, program)) {
        const Found found = examine(path);
        if (found == Found::yes) return std::filesystem::absolute(path).lexically_normal();
        if (found == Found::not_executable && blocked.empty()) blocked = path;
    }
    if (!blocked.empty()) {
        throw Error(ExitCode::unavailable,
                    fmt::format("{}: {}: not executable; chmod +x it, or name its interpreter "
                                "first",
                                word.where(), printable(blocked.string())));
    }
    const bool is_path = program.find('/') != std::string::npos;
    throw Error(ExitCode::unavailable,
                fmt::format("{}: {}: no such program{}; install it or correct 'command'",
                            word.where(), printable(program), is_path ? "" : " on PATH"));
}

}  // namespace sluice::oracle
