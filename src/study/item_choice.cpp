#include "study/item_choice.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <set>

namespace sluice::study {
namespace {

// Sums in float64 in the order of rows; those of the best in the order of scores.
double reduced(const std::vector<Candidate>& rows, const select::ItemRule& rule) {
    std::vector<float> scores;
    for (const Candidate& row : rows)
        scores.push_back(row.score);
    if (rule.kind == select::ItemRule::Kind::max)
        return static_cast<double>(*std::max_element(scores.begin(), scores.end()));
    const bool is_top = rule.kind == select::ItemRule::Kind::top_mean;
    if (is_top) {
        std::sort(scores.begin(), scores.end(), std::greater<>());
        scores.resize(std::min(scores.size(), static_cast<std::size_t>(rule.top)));
    }
    double sum = 0.0;
    for (const float score : scores)
        sum += static_cast<double>(score);
    return rule.kind == select::ItemRule::Kind::sum ? sum
                                                    : sum / static_cast<double>(scores.size());
}

}  // namespace

std::vector<Candidate> item_candidates(const ItemRows& rows, const select::ItemRule& rule,
                                       ItemScore how) {
    std::set<std::int64_t> taken;
    for (const RowId local : rows.labeled)
        taken.insert(rows.numbers[static_cast<std::size_t>(local)]);
    std::map<std::int64_t, std::vector<Candidate>> items;
    for (std::size_t i = 0; i < rows.open.size(); ++i) {
        if (rows.open[i] == 0 || taken.contains(rows.numbers[i])) continue;
        items[rows.numbers[i]].push_back({rows.scores[i], static_cast<RowId>(i)});
    }
    std::vector<Candidate> candidates;
    for (const auto& [number, own] : items) {
        Candidate item = *std::min_element(own.begin(), own.end(), better);
        item.score =
            how == ItemScore::of_first ? own.front().score : static_cast<float>(reduced(own, rule));
        candidates.push_back(item);
    }
    std::sort(candidates.begin(), candidates.end(),
              [](const Candidate& left, const Candidate& right) { return left.row < right.row; });
    return candidates;
}

std::vector<std::int64_t> rows_of_items(const ItemRows& rows, std::span<const std::int64_t> best,
                                        std::int64_t most_rows) {
    std::map<std::int64_t, std::vector<std::int64_t>> items;
    for (const std::int64_t local : best)
        items[rows.numbers[static_cast<std::size_t>(local)]];
    for (std::size_t i = 0; i < rows.open.size(); ++i) {
        const auto item = items.find(rows.numbers[i]);
        if (rows.open[i] != 0 && item != items.end())
            item->second.push_back(static_cast<std::int64_t>(i));
    }
    std::vector<std::int64_t> chosen;
    for (const std::int64_t local : best) {
        const auto& own = items[rows.numbers[static_cast<std::size_t>(local)]];
        if (std::ssize(chosen) + std::ssize(own) > most_rows) continue;
        chosen.insert(chosen.end(), own.begin(), own.end());
    }
    return chosen;
}

}  // namespace sluice::study
