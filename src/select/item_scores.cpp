#include "select/item_scores.hpp"

#include "core/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

namespace sluice::select {

void ItemScores::add(RowRange rows, std::span<const float> scores,
                     std::span<const std::int64_t> numbers, std::span<const std::int64_t> codes,
                     std::vector<EndedItem>& ended) {
    for (std::size_t i = 0; i < scores.size(); ++i) {
        const RowId row = rows.begin + static_cast<RowId>(i);
        if (item_.rows.empty() || numbers[i] != item_.number) {
            end_item(ended);
            item_.number = numbers[i];
            item_.rows.begin = row;
        }
        item_.rows.end = row + 1;
        if (!std::isnan(scores[i]))
            add_score({scores[i], row}, codes.empty() ? no_class : codes[i]);
    }
}

void ItemScores::finish(std::vector<EndedItem>& ended) {
    end_item(ended);
}

void ItemScores::add_score(Candidate scored, std::int64_t code) {
    if (item_.num_scored == 0) item_.first = scored.score;
    if (item_.num_scored++ == 0 || better(scored, item_.best)) {
        item_.best = scored;
        item_.code = code;
    }
    item_.sum += static_cast<double>(scored.score);
    if (plan_.items.kind != ItemRule::Kind::top_mean) return;
    item_.top.push_back(scored.score);
    std::push_heap(item_.top.begin(), item_.top.end(), std::greater<>());
    if (std::ssize(item_.top) <= plan_.items.top) return;
    std::pop_heap(item_.top.begin(), item_.top.end(), std::greater<>());
    item_.top.pop_back();
}

double ItemScores::reduced() const {
    if (plan_.score.is_plain() && plan_.score.sources.front() == "random")
        return static_cast<double>(item_.first);
    if (plan_.items.kind == ItemRule::Kind::max) return static_cast<double>(item_.best.score);
    if (plan_.items.kind == ItemRule::Kind::sum) return item_.sum;
    if (plan_.items.kind == ItemRule::Kind::mean)
        return item_.sum / static_cast<double>(item_.num_scored);
    // Best first: a heap's own order depends on the order that the scores came in.
    std::vector<float> top = item_.top;
    std::sort(top.begin(), top.end(), std::greater<>());
    double sum = 0.0;
    for (const float score : top)
        sum += static_cast<double>(score);
    return sum / static_cast<double>(top.size());
}

bool ItemScores::is_taken() const {
    const auto first = std::lower_bound(taken_.begin(), taken_.end(), item_.rows.begin);
    return first != taken_.end() && *first < item_.rows.end;
}

// What an item with that score is ranked by.
Candidate ItemScores::ranked(float score) const {
    Candidate candidate{score, item_.best.row};
    if (plan_.randomization.kind == Randomization::Kind::power ||
        plan_.randomization.kind == Randomization::Kind::softmax) {
        perturb_scores(plan_.randomization, plan_.seed, plan_.round, candidate.row,
                       {&candidate.score, 1});
    }
    require(std::isfinite(score) && !std::isnan(candidate.score), ExitCode::bad_data,
            fmt::format("--groups {}: the item of rows {} to {} scores {}, which {}",
                        plan_.items.text(), item_.rows.begin, item_.rows.end - 1, score,
                        std::isfinite(score) ? "has no logarithm for --randomize power"
                                             : "is too large for float32"));
    return candidate;
}

void ItemScores::end_item(std::vector<EndedItem>& ended) {
    if (item_.num_scored > 0 && is_taken()) {
        ended.push_back({item_.best, item_.rows, item_.code, true});
    } else if (item_.num_scored > 0) {
        ++num_candidates_;
        const auto score = static_cast<float>(reduced());
        const Candidate candidate = ranked(score);
        if (score > plan_.trust.high) ++num_beyond_trust_;
        if (score <= plan_.trust.high && score >= plan_.trust.low)
            ended.push_back({candidate, item_.rows, item_.code});
    }
    item_.rows = {};
    item_.num_scored = 0;
    item_.sum = 0.0;
    item_.top.clear();
}

}  // namespace sluice::select
