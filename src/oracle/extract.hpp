#pragma once

#include "oracle/rules.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::oracle {

/// What an oracle says in result.json, or in one line of jsonl mode.
struct Reply {
    std::string source;   ///< `result.json` or `the answer`, for reasons
    std::string problem;  ///< why there is no reply; empty if there is one
    nlohmann::json object = nlohmann::json::object();

    const nlohmann::json* find(const char* key) const;
    std::string reason() const;   ///< empty if it gives none
    std::string quality() const;  ///< all that has no meaning of its own, as a JSON object or empty
};

/// Parses one JSON object. NaN, Infinity and numbers beyond double's range, which some writers of
/// JSON produce, are read as null.
Reply parse_reply(std::string_view text, const std::string& source);

/// Its status if that is known.
std::optional<queue::ItemStatus> reply_status(const Reply& reply);

/// What the reply says against its own label; `needs_converged`: nothing else vouches for it.
enum class Convergence { must_be_said, may_be_silent };
std::optional<Complaint> complaint_of(const Reply& reply, Convergence convergence);

struct Label {
    std::vector<double> y;
    std::vector<std::string> units;  ///< as many, or none
};

/// Where a label may come from.
struct LabelSources {
    const ProcessOutcome& outcome;
    const std::string& scratch;
    const Reply& reply;
};

/// Fills in the label, checked: complete, finite, of the right shape and units, within bounds.
std::optional<Complaint> extract_label(const Spec& spec, const LabelSources& sources, Label& label);

}  // namespace sluice::oracle
