#pragma once

#include "queue/batch_reader.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::oracle {

/// Text with placeholders: `{{name}}` or `{{name:.8f}}` (a std::format number form). Names are
/// those of the pool's inputs (`x0`, `x1`, ... where it names none), and `item`, `row`, `id`,
/// `seed` unless an input is called so. Single braces stand for themselves, so decks of ngspice and
/// LAMMPS can be templates. Throws Error(bad_config) naming FILE:LINE:COLUMN.
class Template {
  public:
    /// What the text becomes: a word of a command must not turn into an option by an id like `-x`.
    enum class Use { file, argument };

    /// `where` is FILE or FILE:LINE:COLUMN of the first byte.
    Template(std::string text, std::string where, Use use = Use::file);

    /// The text with the item's values filled in; nothing else is interpreted. Throws
    /// Error(bad_data) naming the row for an id with control characters, Error(bad_config) for a
    /// name the item does not have.
    std::string render(const queue::TicketItem& item) const;

    /// Names used, without repeats.
    const std::vector<std::string>& names() const { return names_; }

    /// FILE:LINE:COLUMN of the first use of `name`.
    std::string place_of(std::string_view name) const;

    const std::string& text() const { return text_; }
    const std::string& where() const { return where_; }

  private:
    struct Piece {
        std::string text;  ///< literal, or the placeholder's name
        std::string form;  ///< number form after the colon
        bool is_placeholder = false;
        std::size_t offset = 0;
    };
    void add_placeholder(std::string_view inside, std::size_t offset);
    std::string place_at(std::size_t offset) const;
    std::string value_text(const Piece& piece, const queue::TicketItem& item) const;
    void check_id(const Piece& piece, const queue::TicketItem& item) const;

    std::vector<Piece> pieces_;
    std::vector<std::string> names_;
    std::string text_;
    std::string where_;
    Use use_;
};

/// Names a placeholder may have for this item: its inputs, then `item`, `row`, `id`, `seed`.
std::vector<std::string> placeholder_names(const queue::TicketItem& item);

/// One word of a command and where it begins in it.
struct CommandWord {
    std::string text;
    std::size_t offset = 0;
};

/// Splits a command into words at blanks; '...' and "..." keep blanks, nothing else is special: no
/// shell ever sees it. Throws Error(bad_config) for an open quote.
std::vector<CommandWord> command_words(std::string_view command, const std::string& where);

/// The same without offsets.
std::vector<std::string> split_words(std::string_view command, const std::string& where);

}  // namespace sluice::oracle
