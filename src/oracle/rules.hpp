#pragma once

#include "oracle/process.hpp"
#include "oracle/spec.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::oracle {

/// A decimal number with a point; a leading `+` and Fortran's exponents (`1.0D-3`) are read too.
/// The whole text counts and no locale is consulted. Infinite if beyond the range of double,
/// nothing if it is no number.
std::optional<double> real_number(std::string_view text);

/// A regular expression (ECMAScript without back references) applied to text line by line; lines
/// end with a newline or a carriage return and are cut at 64 KiB. It runs in bounded stack and
/// steps whatever the text.
class LinePattern {
  public:
    /// Throws Error(bad_config) naming `where` for an expression that is none, or that has fewer
    /// than `num_groups` groups.
    LinePattern(const std::string& expression, int num_groups, const std::string& where);
    ~LinePattern();
    LinePattern(LinePattern&&) noexcept;

    enum class Match { first, last };

    /// The first group (the whole match without groups) of the first or last match. Throws
    /// Error(bad_data) when the search takes too many steps.
    std::optional<std::string> find(std::string_view text, Match which) const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// A text an oracle left behind; `problem` says why there is none (`no file b.dat`).
struct OracleText {
    std::optional<std::string> text;
    std::string problem;
    bool is_absent = false;  ///< nothing of that name, rather than something not to be read
};

/// `stdout`, `stderr` or a file in the scratch directory: regular, this user's, at most 64 MiB,
/// reached without following links.
OracleText oracle_text(const std::string& file, const ProcessOutcome& outcome,
                       const std::string& scratch);

/// Why an item is no label.
struct Complaint {
    queue::ItemStatus status = queue::ItemStatus::oracle_error;
    std::string reason;  ///< the same for items that fail alike
    std::string detail;  ///< what differs between them; goes before the log's tail
};

/// The first broken check of those that `counts` names.
std::optional<Complaint> broken_check(const Spec& spec, const ProcessOutcome& outcome,
                                      const std::string& scratch,
                                      const std::function<bool(const CheckRule&)>& counts);

}  // namespace sluice::oracle
