#include "cli/option_sources.hpp"
#include "core/text.hpp"

#include <algorithm>

namespace sluice::cli {
namespace {

[[noreturn]] void fail(const IniPlace& place, const std::string& what) {
    throw Error(ExitCode::bad_config, place.text() + ": " + what);
}

// INI values of one file that the command line does not override.
class IniValues {
  public:
    IniValues(const CommandSpec& spec, std::span<const std::string> commands)
        : spec_(spec), commands_(commands) {}

    GivenOptions read(const std::string& path) {
        const IniFile file = read_ini_file(path);
        for (const IniSection& section : file.sections)
            check_section(section);
        for (const IniEntry& entry : file.entries) {
            if (entry.section.empty() || entry.section == spec_.name) add(entry);
        }
        return std::move(given_);
    }

  private:
    void check_section(const IniSection& section) const {
        if (std::ranges::count(commands_, section.name) > 0) return;
        const std::string nearest = nearest_name(section.name, commands_);
        fail(section.place, "[" + printable(section.name) + "]: unknown section; " +
                                (nearest.empty() ? "name a command, as in [" + spec_.name + "]"
                                                 : "did you mean [" + nearest + "]?"));
    }

    void add(const IniEntry& entry) {
        const OptionSpec* option = find_option(spec_, entry.key);
        if (entry.key == "config") {
            fail(entry.key_place, "config: one INI file cannot name another; remove the line");
        }
        if (option == nullptr) {
            fail(entry.key_place,
                 printable(entry.key) + ": unknown key" + nearest_hint(spec_, entry.key, ""));
        }
        if (entry.value.empty()) {
            fail(entry.value_place,
                 printable(entry.key) + ": its value is missing; give one or remove the line");
        }
        const auto [position, is_new] = given_.try_emplace(option->name);
        Options::Given& given = position->second;
        if (is_new) {
            given.place = entry.value_place;
        } else if (option->kind != OptionSpec::Kind::list) {
            fail(entry.key_place, printable(entry.key) + ": given before on line " +
                                      std::to_string(given.place->line) + "; keep one of the two");
        }
        given.values.push_back(option->kind == OptionSpec::Kind::flag ? flag_text(entry)
                                                                      : entry.value);
    }

    static std::string flag_text(const IniEntry& entry) {
        for (const char* word : {"true", "yes", "on", "1"}) {
            if (entry.value == word) return "true";
        }
        for (const char* word : {"false", "no", "off", "0"}) {
            if (entry.value == word) return "false";
        }
        fail(entry.value_place, printable(entry.key) + ": neither true nor false (" +
                                    printable(entry.value) + "); write one of the two");
    }

    const CommandSpec& spec_;
    std::span<const std::string> commands_;
    GivenOptions given_;
};

}  // namespace

GivenOptions read_config(const CommandSpec& spec, const std::string& path,
                         std::span<const std::string> commands) {
    return IniValues(spec, commands).read(path);
}

}  // namespace sluice::cli
