#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sluice::campaign {

/// What stop rules and curves know of a finished round.
struct RoundRecord {
    std::int64_t round = 0;
    std::int64_t labels = 0;                ///< that a model has been trained on
    double cost = 0.0;                      ///< of all items asked for, in the unit of the pool's
                                            ///< `cost`; without one, their number
    double seconds = 0.0;                   ///< that the rounds up to here took, as recorded
    double oracle_seconds = 0.0;            ///< that oracles ran up to here, as recorded
    std::int64_t candidates_left = 0;       ///< rows that may still be asked for
    std::map<std::string, double> metrics;  ///< NAME or NAME.TARGET -> value; may be empty
    std::optional<std::int64_t> pseudo_labels;  ///< that it was trained on beside them
    std::optional<double> kappa;    ///< agreement with the model of the round before, on
    std::optional<double> delta_f;  ///< the stop set: see agreement.hpp
    std::optional<double> change;
    std::optional<double> uncertainty;  ///< mean over the stop set
};

/// A metric that has reached a value.
struct TargetRule {
    std::string metric;
    double value = 0.0;
};

/// The best of the last `window` rounds is less than `epsilon` times |best before| better than the
/// best before.
struct PlateauRule {
    std::string metric;
    std::int64_t window = 3;
    double epsilon = 0.01;
};

/// A threshold for the last `window` rounds.
struct WindowRule {
    double threshold = 0.0;
    std::int64_t window = 3;
};

/// When a campaign ends. Rules that are not set never hold.
struct StopRules {
    enum class Combine { any, all };

    std::int64_t rounds = 0;         ///< always ends the campaign; 0 = no limit
    Combine combine = Combine::any;  ///< of the rules below
    std::optional<std::int64_t> labels;
    std::optional<double> cost;
    std::optional<double> hours;         ///< sum over the rounds
    std::optional<double> oracle_hours;  ///< summed over oracles that ran at the same time
    std::optional<TargetRule> target;
    std::optional<PlateauRule> plateau;
    /// Mean of the last kappas at least the threshold. \source Bloodgood and Vijay-Shanker, "A
    /// Method for Stopping Active Learning Based on Stabilizing Predictions", CoNLL 2009.
    std::optional<WindowRule> kappa;
    /// All of the last delta-F below the threshold. \source Altschuler and Bloodgood, "Stopping
    /// Active Learning based on Predicted Change of F Measure for Text Classification", ICSC 2019.
    std::optional<WindowRule> delta_f;
    std::optional<double> change;  ///< at most this share of predictions changed
    /// The mean uncertainty is below this. \source Zhu, Wang and Hovy, "Multi-Criteria-Based
    /// Strategy to Stop Active Learning for Data Annotation", COLING 2008 (overall uncertainty).
    std::optional<double> uncertainty;
};

/// What one rule says after the last round of a history.
struct RuleOutcome {
    std::string name;
    bool holds = false;
    std::string text;  ///< `labels: 520 of 500`; what is missing if it cannot be judged yet
};

/// Every rule that is set, in a fixed order; `rounds` and `pool` (nothing left to ask for) first.
/// Pure: the same history gives the same outcome, whoever asks and whenever.
std::vector<RuleOutcome> judge_rules(const StopRules& rules,
                                     const std::vector<RoundRecord>& history);

/// Why the campaign ends after the last round of `history`; nothing if it goes on.
std::optional<std::string> decide(const StopRules& rules, const std::vector<RoundRecord>& history);

/// The first round after which decide() ends the campaign, by its number.
std::optional<std::int64_t> first_stop(const StopRules& rules,
                                       const std::vector<RoundRecord>& history);

}  // namespace sluice::campaign
