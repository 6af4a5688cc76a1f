#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::select {

/// What candidates are told apart by, for quotas and balance.
struct ClassRule {
    enum class Kind {
        predicted,
        column,
        groups,
        cells  ///< what several rules say together
    };

    Kind kind = Kind::predicted;
    std::string text = "class";         ///< as parse_class_rule reads it
    std::string role;                   ///< dataset of a column or of groups
    std::vector<ClassRule> parts = {};  ///< of cells
};

/// Reads `class` (the class of the largest mean probability), `column:NAME` or `groups`. Throws
/// Error(usage).
ClassRule parse_class_rule(std::string_view text);

/// The cells of several rules, two at least.
ClassRule cells_of(std::vector<ClassRule> rules);

/// How many rows of a batch are of which class.
struct ClassMix {
    enum class Kind {
        none,
        quota,       ///< at least so many rows of each class named
        quota_each,  ///< at least so many rows of every class
        balance,     ///< shares of the classes named, the rest of any other class
        uniform,     ///< the same share of every class
        as_pool,     ///< the shares that classes have among the candidates
        catch_up,    ///< what their shares among labeled and issued rows lack of those in the pool
        several      ///< several balances at once
    };
    struct Target {
        std::string name;
        double amount = 0.0;  ///< rows, or a share of the batch

        friend bool operator==(const Target&, const Target&) = default;
    };

    Kind kind = Kind::none;
    std::vector<Target> targets;  ///< as named; of quota_each one, without a name

    bool is_quota() const { return kind == Kind::quota || kind == Kind::quota_each; }
    /// Whether the classes are those that the candidates have.
    bool takes_any_class() const {
        return kind == Kind::quota_each || kind == Kind::uniform || kind == Kind::as_pool ||
               kind == Kind::catch_up || kind == Kind::several;
    }

    /// As parse_quota or parse_balance reads it.
    std::string text() const;

    friend bool operator==(const ClassMix&, const ClassMix&) = default;
};

/// One of several balances of a batch.
struct Balance {
    std::string class_by = "class";  ///< as parse_class_rule reads it
    ClassMix mix;                    ///< balance, uniform or as_pool
    double weight = 1.0;             ///< > 0: how much it counts beside the others

    /// As in "column:weather: sunny=0.5, rain=0.5; weight 2".
    std::string text() const;

    friend bool operator==(const Balance&, const Balance&) = default;
};

/// Reads `each=ROWS` or NAME=ROWS [, ...]: whole numbers >= 1. Throws Error(usage).
ClassMix parse_quota(std::string_view text);

/// Reads `uniform`, `pool`, `catch-up` or NAME=SHARE [, ...]: shares > 0 that add up to at most 1.
/// Throws Error(usage).
ClassMix parse_balance(std::string_view text);

/// Whether shares are left for the classes that a balance does not name.
bool has_others(const ClassMix& mix);

/// What keeps the targets from being a mix: a name twice, shares above 1, rows that are no whole
/// numbers. Empty if nothing does.
std::string what_is_wrong(const ClassMix& mix);

/// The shares of a batch that catches up, by class: (share in the pool - share of the labeled)+,
/// where the pool is candidates and labeled rows; the candidates' shares where no class lacks any.
std::vector<double> shares_lacking(std::span<const std::int64_t> candidates,
                                   std::span<const std::int64_t> labeled);

/// `rows` dealt out by shares (>= 0, not all 0), by largest remainders: everyone gets the whole
/// part of share / sum x rows, and those with the largest rest one row more, ties to the earlier.
std::vector<std::int64_t> apportion(std::span<const double> shares, std::int64_t rows);

}  // namespace sluice::select
