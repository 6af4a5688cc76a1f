#pragma once

#include "core/philox.hpp"
#include "select/plan.hpp"
#include "select/two_stage.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <vector>

namespace sluice::select::test {

/// What rows are chosen from, in memory.
struct PlainPool {
    std::int64_t dim = 0;
    std::vector<float> features;
    std::vector<float> scores;
    std::vector<std::int64_t> classes;
    std::vector<RowId> centers;     // labeled
    std::vector<RowId> candidates;  // ascending
    // Of items, each of which one row stands for:
    std::vector<RowId> drawn_by;        // the row whose chance counts, by row; empty: its own
    std::vector<RowId> labeled_counts;  // what counts as labeled; empty: the centers
};

/// A batch in parts, chosen the plain way: full sorts, one pick after the other, no ranks.
class PlainParts {
  public:
    PlainParts(const PlainPool& pool, const PlanRequest& request)
        : pool_(pool), request_(request) {}

    std::vector<Selected> run() {
        const auto share =
            std::floor(request_.random_share * static_cast<double>(request_.batch_size) + 0.5);
        const auto random_rows = static_cast<std::int64_t>(share);
        draw(
            random_rows, "random share", [](RowId) { return true; }, true);
        choose_classes(request_.batch_size - random_rows);
        draw(
            left(), is_short_ ? "refill" : "", [](RowId) { return true; }, false);
        return explained();
    }

  private:
    using Wanted = std::function<bool(RowId)>;

    std::int64_t left() const { return request_.batch_size - std::ssize(batch_); }

    const float* row(RowId index) const { return pool_.features.data() + index * pool_.dim; }

    float squared(RowId left, RowId right) const {
        float sum = 0.0F;
        for (std::int64_t k = 0; k < pool_.dim; ++k) {
            const float difference = row(left)[k] - row(right)[k];
            sum = std::fma(difference, difference, sum);
        }
        return sum;
    }

    std::int64_t class_of(RowId index) const {
        return pool_.classes[static_cast<std::size_t>(index)];
    }

    void choose_classes(std::int64_t rows) {
        const ClassMix& mix = request_.class_mix;
        std::map<std::int64_t, std::int64_t> census;
        for (const RowId candidate : pool_.candidates)
            ++census[class_of(candidate)];
        std::vector<std::pair<std::int64_t, double>> parts;
        for (const ClassMix::Target& target : mix.targets)
            if (!target.name.empty()) parts.emplace_back(std::stoll(target.name), target.amount);
        const double each =
            mix.kind == ClassMix::Kind::quota_each ? mix.targets.front().amount : 1.0;
        if (mix.takes_any_class())
            for (const auto& [code, count] : census)
                parts.emplace_back(
                    code, mix.kind == ClassMix::Kind::as_pool ? static_cast<double>(count) : each);
        if (mix.kind == ClassMix::Kind::catch_up) {
            const auto rows_of = [&](const std::vector<RowId>& of, std::int64_t code) {
                return static_cast<double>(std::count_if(
                    of.begin(), of.end(), [&](RowId index) { return class_of(index) == code; }));
            };
            const std::vector<RowId>& counted =
                pool_.labeled_counts.empty() ? pool_.centers : pool_.labeled_counts;
            const auto labeled = static_cast<double>(counted.size());
            const double all = labeled + static_cast<double>(pool_.candidates.size());
            for (auto& [code, amount] : parts) {
                const double of_labeled = rows_of(counted, code);
                const double of_pool = of_labeled + rows_of(pool_.candidates, code);
                amount = std::max(0.0, of_pool / all - of_labeled / labeled);
            }
        }
        std::vector<double> amounts;
        for (const auto& part : parts)
            amounts.push_back(part.second);
        const double named = std::accumulate(amounts.begin(), amounts.end(), 0.0);
        const bool has_rest = mix.kind == ClassMix::Kind::balance && named < 1.0 - 1e-9;
        if (has_rest) amounts.push_back(1.0 - named);
        if (!mix.is_quota() && !amounts.empty()) amounts = dealt(amounts, rows);
        const std::string word = mix.is_quota() ? "quota " : "balance ";
        for (std::size_t i = 0; i < amounts.size(); ++i) {
            const auto wanted = std::min(static_cast<std::int64_t>(amounts[i]), left());
            const bool is_rest = i == parts.size();
            const auto of_part = [&](RowId candidate) {
                if (!is_rest) return class_of(candidate) == parts[i].first;
                return std::none_of(parts.begin(), parts.end(), [&](const auto& part) {
                    return part.first == class_of(candidate);
                });
            };
            const std::string name = is_rest ? "others" : std::to_string(parts[i].first);
            const std::int64_t got = draw(wanted, word + name, of_part, false);
            is_short_ = is_short_ || (got < wanted && !mix.is_quota());
        }
    }

    // Largest remainders in whole steps: the row that lacks most of its share comes next.
    static std::vector<double> dealt(const std::vector<double>& shares, std::int64_t rows) {
        const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
        std::vector<double> counts;
        for (const double share : shares)
            counts.push_back(std::floor(share / sum * static_cast<double>(rows)));
        while (std::accumulate(counts.begin(), counts.end(), 0.0) < static_cast<double>(rows)) {
            std::size_t next = 0;
            for (std::size_t i = 1; i < counts.size(); ++i) {
                const auto lacks = [&](std::size_t which) {
                    return shares[which] / sum * static_cast<double>(rows) - counts[which];
                };
                if (lacks(i) > lacks(next)) next = i;
            }
            ++counts[next];
        }
        return counts;
    }

    float chance(RowId index) const {
        if (!pool_.drawn_by.empty()) index = pool_.drawn_by[static_cast<std::size_t>(index)];
        const Philox4 words = random_words(request_.seed, RandomPurpose::random_share,
                                           request_.round, static_cast<std::uint64_t>(index), 0);
        return -static_cast<float>(
            (static_cast<double>(words.word[0]) * 0x1p32 + words.word[1] + 0.5) * 0x1p-64);
    }

    std::vector<RowId> kept_apart() const {
        std::vector<RowId> rows = pool_.centers;
        for (const Selected& selected : batch_)
            rows.push_back(selected.row);
        return rows;
    }

    std::vector<RowId> shortlist(std::int64_t rows, const Wanted& wanted, bool by_chance) const {
        std::vector<RowId> order;
        for (const RowId candidate : pool_.candidates) {
            const bool is_chosen =
                std::any_of(batch_.begin(), batch_.end(),
                            [&](const Selected& selected) { return selected.row == candidate; });
            if (wanted(candidate) && !is_chosen) order.push_back(candidate);
        }
        std::stable_sort(order.begin(), order.end(), [&](RowId left, RowId right) {
            const auto key = [&](RowId index) {
                return by_chance ? chance(index) : pool_.scores[static_cast<std::size_t>(index)];
            };
            return key(left) > key(right);
        });
        const bool is_apart =
            !std::isnan(request_.distinct_within) || request_.copies == Copies::drop;
        const auto within = static_cast<float>(
            std::isnan(request_.distinct_within) ? 0.0 : request_.distinct_within);
        const bool is_best = by_chance || request_.diversity == "none";
        const double share = static_cast<double>(rows) / static_cast<double>(request_.batch_size);
        const bool is_whole = request_.shortlist_size >= std::ssize(pool_.candidates);
        const auto size = is_best    ? rows
                          : is_whole ? std::ssize(order)
                                     : static_cast<std::int64_t>(std::ceil(
                                           share * static_cast<double>(request_.shortlist_size)));
        std::vector<RowId> kept;
        std::vector<RowId> apart = kept_apart();
        for (const RowId candidate : order) {
            if (std::ssize(kept) == size) break;
            const bool is_near = std::any_of(apart.begin(), apart.end(), [&](RowId other) {
                return std::sqrt(squared(candidate, other)) <= within;
            });
            if (is_apart && is_near) continue;
            kept.push_back(candidate);
            apart.push_back(candidate);
        }
        return kept;
    }

    std::int64_t draw(std::int64_t rows, const std::string& reason, const Wanted& wanted,
                      bool by_chance) {
        if (rows <= 0) return 0;
        std::vector<RowId> free = shortlist(rows, wanted, by_chance);
        const std::size_t before = batch_.size();
        if (by_chance || request_.diversity == "none") {
            free.resize(std::min(free.size(), static_cast<std::size_t>(rows)));
            for (const RowId chosen : free)
                batch_.push_back({chosen, pool_.scores[static_cast<std::size_t>(chosen)],
                                  std::nanf(""), reason});
        } else {
            pick_farthest(free, rows, reason);
        }
        return static_cast<std::int64_t>(batch_.size() - before);
    }

    void pick_farthest(std::vector<RowId> free, std::int64_t rows, const std::string& reason) {
        const RowId start = free.empty() ? 0 : free.front();  // of best score
        std::sort(free.begin(), free.end());
        for (std::int64_t i = 0; i < rows && !free.empty(); ++i) {
            const std::vector<RowId> centers = kept_apart();
            std::size_t best = 0;
            float farthest = -1.0F;
            for (std::size_t at = 0; at < free.size(); ++at) {
                float nearest = std::numeric_limits<float>::infinity();
                for (const RowId center : centers)
                    nearest = std::min(nearest, squared(free[at], center));
                if (centers.empty() && free[at] != start) continue;
                if (nearest > farthest) {
                    farthest = nearest;
                    best = at;
                }
            }
            batch_.push_back({free[best], pool_.scores[static_cast<std::size_t>(free[best])],
                              std::sqrt(farthest), reason});
            free.erase(free.begin() + static_cast<std::ptrdiff_t>(best));
        }
    }

    std::vector<Selected> explained() {
        std::vector<RowId> centers = pool_.centers;
        for (std::size_t i = 0; i < batch_.size(); ++i) {
            Selected& selected = batch_[i];
            float nearest = std::numeric_limits<float>::infinity();
            if (request_.diversity != "none" || request_.min_distance > 0.0) {
                for (const RowId center : centers) {
                    if (!(squared(selected.row, center) < nearest)) continue;
                    nearest = squared(selected.row, center);
                    selected.nearest = center;
                    selected.nearest_distance = std::sqrt(nearest);
                }
            }
            if (selected.reason.empty())
                selected.reason = request_.diversity == "none" ? "score"
                                  : selected.nearest < 0       ? "start"
                                                               : request_.diversity;
            if (static_cast<double>(selected.nearest_distance) < request_.min_distance) {
                batch_.resize(i);
                break;
            }
            centers.push_back(selected.row);
        }
        return batch_;
    }

    const PlainPool& pool_;
    const PlanRequest& request_;
    std::vector<Selected> batch_;
    bool is_short_ = false;
};

}  // namespace sluice::select::test
