#include "select/class_mix.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <set>

namespace sluice::select {
namespace {

constexpr std::string_view column_prefix = "column:";
constexpr double rounding = 1e-9;  // of a sum of shares

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

[[noreturn]] void refuse(const std::string& option, std::string_view text,
                         const std::string& what) {
    throw Error(ExitCode::usage, "--" + option + ": '" + printable(text) + "' " + what);
}

// NAME=NUMBER [, ...]; a name may hold any sign but a comma.
std::vector<ClassMix::Target> read_targets(const std::string& option, std::string_view text) {
    std::vector<ClassMix::Target> targets;
    for (std::string_view rest = text;;) {
        const std::size_t comma = rest.find(',');
        const std::string_view one = trimmed(rest.substr(0, comma));
        const std::size_t sign = one.rfind('=');
        if (sign == std::string_view::npos || trimmed(one.substr(0, sign)).empty())
            refuse(option, text, "names no class; write NAME=NUMBER, NAME=NUMBER");
        const std::string_view number = trimmed(one.substr(sign + 1));
        ClassMix::Target target{std::string(trimmed(one.substr(0, sign))), 0.0};
        const auto [stop, error] =
            std::from_chars(number.data(), number.data() + number.size(), target.amount);
        if (error != std::errc() || stop != number.data() + number.size())
            refuse(option, text,
                   "has no number for '" + printable(target.name) + "'; write NAME=NUMBER");
        targets.push_back(std::move(target));
        if (comma == std::string_view::npos) return targets;
        rest.remove_prefix(comma + 1);
    }
}

std::string wrong_amount(const ClassMix& mix, const ClassMix::Target& target) {
    const bool is_number = std::isfinite(target.amount) && target.amount > 0.0;
    const bool is_whole = target.amount == std::floor(target.amount) && target.amount < 0x1p48;
    const std::string of_class = target.name.empty() ? "" : " of class '" + target.name + "'";
    if (mix.is_quota() && !(is_number && is_whole))
        return number_text(target.amount) + " rows" + of_class + "; give a whole number >= 1";
    if (!mix.is_quota() && !is_number)
        return "a share of " + number_text(target.amount) + of_class + "; give a number > 0";
    return {};
}

}  // namespace

ClassRule parse_class_rule(std::string_view text) {
    ClassRule rule;
    rule.text = std::string(trimmed(text));
    if (rule.text == "class") return rule;
    if (rule.text == "groups") {
        rule.kind = ClassRule::Kind::groups;
        rule.role = "groups";
        return rule;
    }
    if (!rule.text.starts_with(column_prefix) || rule.text.size() == column_prefix.size())
        refuse("class-by", text, "tells no rows apart; choose class, column:NAME or groups");
    rule.kind = ClassRule::Kind::column;
    rule.role = "columns/" + rule.text.substr(column_prefix.size());
    return rule;
}

ClassRule cells_of(std::vector<ClassRule> rules) {
    ClassRule cells;
    cells.kind = ClassRule::Kind::cells;
    cells.text.clear();
    for (const ClassRule& rule : rules)
        cells.text += (cells.text.empty() ? "" : " + ") + rule.text;
    cells.parts = std::move(rules);
    return cells;
}

std::string Balance::text() const {
    return class_by + ": " + mix.text() + (weight == 1.0 ? "" : "; weight " + number_text(weight));
}

std::string ClassMix::text() const {
    if (kind == Kind::none) return "none";
    if (kind == Kind::uniform) return "uniform";
    if (kind == Kind::as_pool) return "pool";
    if (kind == Kind::catch_up) return "catch-up";
    if (kind == Kind::several) return "several";
    if (kind == Kind::quota_each) return "each=" + number_text(targets.front().amount);
    std::string text;
    for (const Target& target : targets)
        text += (text.empty() ? "" : ", ") + target.name + "=" + number_text(target.amount);
    return text;
}

ClassMix parse_quota(std::string_view text) {
    ClassMix mix{ClassMix::Kind::quota, read_targets("quota", text)};
    if (mix.targets.size() == 1 && mix.targets.front().name == "each") {
        mix.kind = ClassMix::Kind::quota_each;
        mix.targets.front().name.clear();
    }
    const std::string wrong = what_is_wrong(mix);
    if (!wrong.empty()) refuse("quota", text, "asks for " + wrong);
    return mix;
}

ClassMix parse_balance(std::string_view text) {
    if (trimmed(text) == "uniform") return {ClassMix::Kind::uniform, {}};
    if (trimmed(text) == "pool") return {ClassMix::Kind::as_pool, {}};
    if (trimmed(text) == "catch-up") return {ClassMix::Kind::catch_up, {}};
    ClassMix mix{ClassMix::Kind::balance, read_targets("balance", text)};
    const std::string wrong = what_is_wrong(mix);
    if (!wrong.empty()) refuse("balance", text, "asks for " + wrong);
    return mix;
}

bool has_others(const ClassMix& mix) {
    double sum = 0.0;
    for (const ClassMix::Target& target : mix.targets)
        sum += target.amount;
    return mix.kind == ClassMix::Kind::balance && sum < 1.0 - rounding;
}

std::string what_is_wrong(const ClassMix& mix) {
    std::set<std::string> names;
    double sum = 0.0;
    for (const ClassMix::Target& target : mix.targets) {
        const std::string wrong = wrong_amount(mix, target);
        if (!wrong.empty()) return wrong;
        if (!names.insert(target.name).second)
            return "class '" + printable(target.name) + "' twice; name it once";
        sum += target.amount;
    }
    if (!mix.is_quota() && sum > 1.0 + rounding)
        return "shares that add up to " + number_text(sum) + "; they must not exceed 1";
    return {};
}

std::vector<double> shares_lacking(std::span<const std::int64_t> candidates,
                                   std::span<const std::int64_t> labeled) {
    const auto sum = [](std::span<const std::int64_t> counts) {
        return static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
    };
    const double num_labeled = std::max(sum(labeled), 1.0);
    const double num_rows = sum(candidates) + sum(labeled);
    std::vector<double> shares;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const auto rows = static_cast<double>(candidates[i] + labeled[i]);
        const double lacks = rows / num_rows - static_cast<double>(labeled[i]) / num_labeled;
        shares.push_back(candidates[i] > 0 ? std::max(lacks, 0.0) : 0.0);
    }
    if (std::any_of(shares.begin(), shares.end(), [](double share) { return share > 0.0; }))
        return shares;
    return {candidates.begin(), candidates.end()};
}

std::vector<std::int64_t> apportion(std::span<const double> shares, std::int64_t rows) {
    const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
    std::vector<std::int64_t> counts;
    std::vector<double> rests;
    for (const double share : shares) {
        const double exact = share / sum * static_cast<double>(rows);
        counts.push_back(static_cast<std::int64_t>(std::floor(exact)));
        rests.push_back(exact - std::floor(exact));
    }
    std::vector<std::size_t> order(shares.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t left, std::size_t right) {
        return rests[left] > rests[right];
    });
    std::int64_t left = rows - std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
    for (std::size_t i = 0; left > 0; i = (i + 1) % order.size(), --left)
        ++counts[order[i]];
    return counts;
}

}  // namespace sluice::select
