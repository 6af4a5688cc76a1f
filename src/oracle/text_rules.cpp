#include "oracle/text_rules.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace sluice::oracle {
namespace {

constexpr std::string_view blanks = " \t";
constexpr std::string_view own_names[] = {"item", "row", "id", "seed"};

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

bool is_whole_form(std::string_view form) {
    return form.ends_with('d') || form.ends_with('x');
}

// Only plain number forms, with widths and precisions of at most three digits.
bool is_number_form(std::string_view form) {
    if (form.empty() || form.find_first_not_of("0123456789.+-eEfFgGdx") != std::string_view::npos)
        return false;
    int digits = 0;
    for (const char character : form) {
        digits = character >= '0' && character <= '9' ? digits + 1 : 0;
        if (digits > 3) return false;
    }
    return true;
}

std::string formatted(double value, std::string_view form) {
    const std::string pattern = fmt::format("{{:{}}}", form);
    if (!is_whole_form(form)) return fmt::format(fmt::runtime(pattern), value);
    // An input may be called `row`; one that is no whole number is never cut to one.
    if (!(std::abs(value) < 9e15) || value != std::trunc(value)) return number_text(value);
    return fmt::format(fmt::runtime(pattern), static_cast<std::int64_t>(value));
}

std::string formatted(std::int64_t value, std::string_view form) {
    if (form.empty()) return std::to_string(value);
    const bool is_real = form.find_first_of("eEfFgG.") != std::string_view::npos;
    if (is_real) return formatted(static_cast<double>(value), form);
    return fmt::format(fmt::runtime(fmt::format("{{:{}}}", form)), value);
}

bool fmt_takes(std::string_view form) {
    try {
        formatted(1.0, form);
        return true;
    } catch (const fmt::format_error&) {
        return false;
    }
}

std::optional<double> input_value(const queue::TicketItem& item, std::string_view name) {
    for (std::size_t i = 0; i < item.inputs.size(); ++i) {
        const bool named = i < item.input_names.size();
        if (named ? item.input_names[i] == name : fmt::format("x{}", i) == name)
            return item.inputs[i];
    }
    return std::nullopt;
}

// Splits `FILE:LINE:COLUMN`; FILE alone stands for its first byte.
struct Place {
    std::string file;
    std::size_t line = 1;
    std::size_t column = 1;

    explicit Place(const std::string& where) : file(where) {
        const std::size_t last = where.rfind(':');
        const std::size_t middle = last == 0 ? last : where.rfind(':', last - 1);
        if (last == std::string::npos || middle == std::string::npos || middle == last) return;
        std::size_t numbers[2] = {0, 0};
        if (!whole(where.substr(middle + 1, last - middle - 1), numbers[0])) return;
        if (!whole(where.substr(last + 1), numbers[1])) return;
        file = where.substr(0, middle);
        line = numbers[0];
        column = numbers[1];
    }

    static bool whole(const std::string& text, std::size_t& value) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        return error == std::errc() && end == text.data() + text.size();
    }
};

}  // namespace

Template::Template(std::string text, std::string where, Use use)
    : text_(std::move(text)), where_(std::move(where)), use_(use) {
    std::size_t literal = 0;
    std::size_t from = 0;
    while (true) {
        std::size_t open = text_.find("{{", from);
        if (open == std::string::npos) break;
        // In `{{{w}}}` the outer pair stands for itself, as ngspice writes expressions.
        while (open + 2 < text_.size() && text_[open + 2] == '{')
            ++open;
        const std::size_t close = text_.find("}}", open + 2);
        const std::size_t line_end = text_.find('\n', open);
        if (close == std::string::npos || close > line_end) {
            throw Error(ExitCode::bad_config, place_at(open) +
                                                  ": placeholder without '}}'; close it on the "
                                                  "same line, as in {{name}}");
        }
        if (open > literal) pieces_.push_back({text_.substr(literal, open - literal), "", false});
        add_placeholder(std::string_view(text_).substr(open + 2, close - open - 2), open);
        literal = from = close + 2;
    }
    if (literal < text_.size()) pieces_.push_back({text_.substr(literal), "", false, literal});
}

void Template::add_placeholder(std::string_view inside, std::size_t offset) {
    const std::size_t colon = inside.find(':');
    const std::string name(trimmed(inside.substr(0, colon)));
    const std::string whole = "{{" + printable(inside) + "}}";
    require(!name.empty(), ExitCode::bad_config,
            place_at(offset) + ": " + whole + ": a placeholder without a name; write {{name}}");
    std::string form;
    if (colon != std::string_view::npos) {
        form = trimmed(inside.substr(colon + 1));
        require(is_number_form(form) && fmt_takes(form), ExitCode::bad_config,
                fmt::format("{}: {}: unknown number form ({}); write one like .8f, .6e or 04d",
                            place_at(offset), whole, printable(form)));
        const bool can_be_whole = name == "item" || name == "row" || name == "seed";
        require(name != "id", ExitCode::bad_config,
                fmt::format("{}: {}: an id is text and takes no number form; write {{{{id}}}}",
                            place_at(offset), whole));
        require(can_be_whole || !is_whole_form(form), ExitCode::bad_config,
                fmt::format("{}: {}: an input is a real number ({}); write a form like .0f",
                            place_at(offset), whole, printable(form)));
    }
    pieces_.push_back({name, form, true, offset});
    if (std::ranges::count(names_, name) == 0) names_.push_back(name);
}

std::string Template::place_at(std::size_t offset) const {
    Place place(where_);
    const std::string_view before = std::string_view(text_).substr(0, offset);
    const std::size_t newline = before.rfind('\n');
    place.line += static_cast<std::size_t>(std::ranges::count(before, '\n'));
    place.column = newline == std::string_view::npos ? place.column + offset : offset - newline;
    return fmt::format("{}:{}:{}", place.file, place.line, place.column);
}

std::string Template::place_of(std::string_view name) const {
    for (const Piece& piece : pieces_) {
        if (piece.is_placeholder && piece.text == name) return place_at(piece.offset);
    }
    return place_at(0);
}

void Template::check_id(const Piece& piece, const queue::TicketItem& item) const {
    const auto is_control = [](char character) {
        const auto byte = static_cast<unsigned char>(character);
        return byte < 0x20 || byte == 0x7F;
    };
    require(std::ranges::none_of(item.id, is_control), ExitCode::bad_data,
            fmt::format("{}: {{{{id}}}}: the id of row {} has control characters ({}); use "
                        "{{{{row}}}} instead",
                        place_at(piece.offset), item.row, printable(item.id)));
    const bool begins_word = use_ == Use::argument && piece.offset == 0;
    require(!begins_word || !item.id.starts_with('-'), ExitCode::bad_data,
            fmt::format("{}: {{{{id}}}}: the id of row {} would be taken for an option ({}); put "
                        "text before it, as in id_{{{{id}}}}, or use {{{{row}}}}",
                        place_at(piece.offset), item.row, printable(item.id)));
}

std::string Template::value_text(const Piece& piece, const queue::TicketItem& item) const {
    if (const std::optional<double> value = input_value(item, piece.text)) {
        return piece.form.empty() ? number_text(*value) : formatted(*value, piece.form);
    }
    if (piece.text == "item") return formatted(item.item, piece.form);
    if (piece.text == "row" || piece.text == "seed") return formatted(item.row, piece.form);
    if (piece.text == "id") {
        check_id(piece, item);
        return item.id;
    }
    const std::vector<std::string> known = placeholder_names(item);
    const std::string nearest = nearest_name(piece.text, known);
    throw Error(
        ExitCode::bad_config,
        fmt::format(
            "{}: {{{{{}}}}}: no such input; {}", place_at(piece.offset), printable(piece.text),
            nearest.empty() ? "known are " + printable(fmt::format("{}", fmt::join(known, ", ")))
                            : "did you mean '" + printable(nearest) + "'?"));
}

std::string Template::render(const queue::TicketItem& item) const {
    std::string result;
    for (const Piece& piece : pieces_)
        result += piece.is_placeholder ? value_text(piece, item) : piece.text;
    return result;
}

std::vector<std::string> placeholder_names(const queue::TicketItem& item) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < item.inputs.size(); ++i) {
        const bool named = i < item.input_names.size();
        names.push_back(named ? item.input_names[i] : fmt::format("x{}", i));
    }
    for (const std::string_view name : own_names) {
        if (std::ranges::count(names, name) == 0) names.emplace_back(name);
    }
    return names;
}

std::vector<CommandWord> command_words(std::string_view command, const std::string& where) {
    std::vector<CommandWord> words;
    bool in_word = false;
    char quote = 0;
    for (std::size_t i = 0; i < command.size(); ++i) {
        const char character = command[i];
        const bool is_blank = blanks.find(character) != std::string_view::npos;
        if (quote == 0 && is_blank) {
            in_word = false;
            continue;
        }
        if (!in_word) words.push_back({"", i});
        in_word = true;
        if (quote == 0 && (character == '\'' || character == '"')) {
            quote = character;
        } else if (quote != 0 && character == quote) {
            quote = 0;
        } else {
            words.back().text += character;
        }
    }
    require(quote == 0, ExitCode::bad_config,
            fmt::format("{}: quote without an end ({}); close it", where,
                        printable(words.empty() ? command : command.substr(words.back().offset))));
    return words;
}

std::vector<std::string> split_words(std::string_view command, const std::string& where) {
    std::vector<std::string> texts;
    for (CommandWord& word : command_words(command, where))
        texts.push_back(std::move(word.text));
    return texts;
}

}  // namespace sluice::oracle
