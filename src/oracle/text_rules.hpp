#pragma once

#include "queue/batch_reader.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sluice::oracle {

/// Text with placeholders: `{{name}}` or `{{name:.8f}}` (a std::format number form). Names are
/// those of the pool's inputs, and `item`, `row`, `id`, `seed`. Single braces stand for themselves,
/// so decks of ngspice and LAMMPS can be templates. Throws Error(bad_config) naming `where`
/// (FILE:LINE:COLUMN) and the nearest known name.
class Template {
  public:
    Template(std::string text, std::string where);

    /// The text with the item's values filled in; nothing else is interpreted.
    std::string render(const queue::TicketItem& item) const;

    /// Names used, without repeats.
    const std::vector<std::string>& names() const { return names_; }

  private:
    struct Piece {
        std::string text;  ///< literal, or the placeholder's name
        std::string form;  ///< number form after the colon
        bool is_placeholder = false;
    };
    std::vector<Piece> pieces_;
    std::vector<std::string> names_;
    std::string where_;
};

/// Splits a command into words at blanks; '...' and "..." keep blanks, nothing else is special: no
/// shell ever sees it. Throws Error(bad_config) for an open quote.
std::vector<std::string> split_words(std::string_view command, const std::string& where);

}  // namespace sluice::oracle
