#include "core/ini_file.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <string_view>

namespace sluice {
namespace {

constexpr std::int64_t max_file_bytes = 64 << 20;
constexpr std::string_view blanks = " \t";

[[noreturn]] void fail(const IniPlace& place, const std::string& what) {
    throw Error(ExitCode::bad_config, place.text() + ": " + what);
}

// One line, with the column of its first byte.
struct Piece {
    std::string_view text;
    int column = 1;

    void trim() {
        const std::size_t first = text.find_first_not_of(blanks);
        if (first == std::string_view::npos) {
            text = {};
            return;
        }
        text.remove_prefix(first);
        column += static_cast<int>(first);
        text = text.substr(0, text.find_last_not_of(blanks) + 1);
    }
};

void drop_comment(Piece& piece) {
    for (std::size_t i = 0; i < piece.text.size(); ++i) {
        const char character = piece.text[i];
        if (character != '#' && character != ';') continue;
        if (i == 0 || blanks.find(piece.text[i - 1]) != std::string_view::npos) {
            piece.text = piece.text.substr(0, i);
            return;
        }
    }
}

class Parser {
  public:
    explicit Parser(std::string path) : path_(std::move(path)) {}

    void add_line(std::string_view line) {
        ++line_;
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        check_bytes(line);
        Piece piece{line, 1};
        piece.trim();
        if (piece.text.empty() || piece.text[0] == '#' || piece.text[0] == ';') return;
        if (piece.text[0] == '[') {
            add_section(piece);
        } else {
            add_entry(piece);
        }
    }

    IniFile take() { return std::move(file_); }

  private:
    IniPlace place(int column) const { return {path_, line_, column}; }

    void check_bytes(std::string_view line) const {
        if (line.size() > static_cast<std::size_t>(max_ini_line)) {
            fail(place(max_ini_line + 1), "the line is longer than " + count_text(max_ini_line) +
                                              " bytes; is this an INI file?");
        }
        for (std::size_t i = 0; i < line.size(); ++i) {
            const auto byte = static_cast<unsigned char>(line[i]);
            if ((byte < 0x20 && byte != '\t') || byte == 0x7F) {
                fail(place(static_cast<int>(i) + 1), "control character (" +
                                                         printable(line.substr(i, 1)) +
                                                         "); write the file as plain UTF-8 text");
            }
        }
    }

    void add_section(Piece piece) {
        drop_comment(piece);
        piece.trim();
        if (piece.text.back() != ']') {
            fail(place(piece.column), "section without ']' (" + printable(piece.text) +
                                          "); write [name] on a line of its own");
        }
        Piece name{piece.text.substr(1, piece.text.size() - 2), piece.column + 1};
        name.trim();
        file_.sections.push_back({std::string(name.text), place(piece.column)});
        section_ = name.text;
    }

    void add_entry(Piece piece) {
        const std::size_t equals = piece.text.find('=');
        Piece key{piece.text.substr(0, equals), piece.column};
        key.trim();
        if (equals == std::string_view::npos || key.text.empty()) {
            fail(place(piece.column), "not a 'key = value' line (" +
                                          printable(piece.text.substr(0, 60)) +
                                          "); write one option on each line");
        }
        Piece value{piece.text.substr(equals + 1), piece.column + static_cast<int>(equals) + 1};
        value.trim();
        unquote(value);
        file_.entries.push_back({section_, std::string(key.text), std::string(value.text),
                                 place(key.column), place(value.column)});
    }

    void unquote(Piece& value) const {
        if (value.text.empty() || value.text[0] != '"') {
            drop_comment(value);
            value.trim();
            return;
        }
        const std::size_t end = value.text.find('"', 1);
        if (end == std::string_view::npos) {
            fail(place(value.column), "value without closing quote (" +
                                          printable(value.text.substr(0, 60)) + "); add '\"'");
        }
        Piece rest{value.text.substr(end + 1), value.column + static_cast<int>(end) + 1};
        drop_comment(rest);
        rest.trim();
        if (!rest.text.empty()) {
            fail(place(rest.column), "text after the closing quote (" +
                                         printable(rest.text.substr(0, 60)) + "); remove it");
        }
        value.text = value.text.substr(1, end - 1);
    }

    std::string path_;
    std::string section_;
    int line_ = 0;
    IniFile file_;
};

std::string read_text(const std::string& path) {
    const FileDescriptor file = open_for_reading(path);
    struct stat status = {};
    if (::fstat(file.get(), &status) != 0) throw system_error(path, "cannot read", errno);
    require(status.st_size <= max_file_bytes, ExitCode::bad_config,
            path + ":1:1: the file is too large for a configuration (" +
                bytes_text(static_cast<double>(status.st_size)) + "); name an INI file");
    return read_text_file(path, max_file_bytes);
}

}  // namespace

std::string IniPlace::text() const {
    return printable(path) + ":" + std::to_string(line) + ":" + std::to_string(column);
}

IniFile parse_ini(const std::string& path, const std::string& text) {
    std::string_view rest = text;
    if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
    if (rest.starts_with("\xFF\xFE") || rest.starts_with("\xFE\xFF")) {
        fail({path, 1, 1}, "the file is UTF-16; save it as UTF-8");
    }
    Parser parser(path);
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        parser.add_line(rest.substr(0, end));
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    return parser.take();
}

IniFile read_ini_file(const std::string& path) {
    return parse_ini(path, read_text(path));
}

}  // namespace sluice
