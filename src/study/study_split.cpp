#include "study/study_split.hpp"

#include "core/error.hpp"
#include "core/philox.hpp"
#include "core/text.hpp"
#include "select/distinct.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <utility>

namespace sluice::study {
namespace {

// What the random numbers of a split are for.
enum class Draw : std::uint32_t { test_part = 0, start = 1 };

std::uint64_t draw(std::uint64_t seed, RowId row, Draw purpose) {
    const Philox4 words =
        random_words(seed, RandomPurpose::study_split, 0, static_cast<std::uint64_t>(row),
                     static_cast<std::uint32_t>(purpose));
    return (std::uint64_t{words.word[0]} << 32) | words.word[1];
}

// Items in random order; those of equal draws (a group's) stay together, ascending.
std::vector<std::int64_t> shuffled(std::vector<std::int64_t> items,
                                   const std::vector<std::uint64_t>& draws) {
    std::stable_sort(items.begin(), items.end(), [&](std::int64_t left, std::int64_t right) {
        return draws[static_cast<std::size_t>(left)] < draws[static_cast<std::size_t>(right)];
    });
    return items;
}

std::int64_t wanted_test_rows(const StudyPool& pool, const SplitRules& rules) {
    if (rules.test_rows > 0) return rules.test_rows;
    return static_cast<std::int64_t>(
        std::ceil(rules.test_share * static_cast<double>(pool.size())));
}

std::vector<std::int64_t> all_items(const StudyPool& pool) {
    std::vector<std::int64_t> items(static_cast<std::size_t>(pool.size()));
    for (std::size_t i = 0; i < items.size(); ++i)
        items[i] = static_cast<std::int64_t>(i);
    return items;
}

// Whole groups in random order until there are enough rows.
void cut_test_part(const StudyPool& pool, const SplitRules& rules, std::uint64_t seed,
                   StudySplit& split) {
    std::vector<std::uint64_t> draws;
    for (const std::int64_t group : pool.group)
        draws.push_back(draw(seed, pool.rows[static_cast<std::size_t>(group)], Draw::test_part));
    const std::vector<std::int64_t> order = shuffled(all_items(pool), draws);
    const std::int64_t wanted = wanted_test_rows(pool, rules);
    std::int64_t last_group = -1;
    for (const std::int64_t item : order) {
        const std::int64_t group = pool.group[static_cast<std::size_t>(item)];
        const bool tests =
            static_cast<std::int64_t>(split.test.size()) < wanted || group == last_group;
        (tests ? split.test : split.pool).push_back(item);
        if (tests) last_group = group;
    }
    std::sort(split.test.begin(), split.test.end());
    std::sort(split.pool.begin(), split.pool.end());
}

}  // namespace

StudySplit split_items(const StudyPool& pool, const SplitRules& rules, std::uint64_t seed,
                       const HiddenLabels& labels) {
    StudySplit split;
    cut_test_part(pool, rules, seed, split);
    const auto num_left = static_cast<std::int64_t>(split.pool.size());
    require(!split.test.empty() && num_left >= rules.start, ExitCode::usage,
            pool.name + ": " + count_text(pool.size()) + " labeled rows cannot be cut into " +
                count_text(static_cast<std::int64_t>(split.test.size())) + " for the test and " +
                count_text(rules.start) +
                " labels at the start; lower --start, --test-share or --test-rows");
    std::vector<std::uint64_t> draws;
    for (const RowId row : pool.rows)
        draws.push_back(draw(seed, row, Draw::start));
    split.start_order = shuffled(split.pool, draws);
    if (rules.start_by == StartBy::classes) {
        split.start_order = labels.class_by_class(split.start_order, num_left);
    }
    return split;
}

std::vector<std::int64_t> groups_of_copies(const StudyPool& pool) {
    std::map<select::RowDigest, std::int64_t> first;
    std::vector<std::int64_t> groups;
    for (std::int64_t item = 0; item < pool.size(); ++item) {
        const select::RowDigest digest =
            select::row_digest({pool.row(item), static_cast<std::size_t>(pool.dim)});
        groups.push_back(first.try_emplace(digest, item).first->second);
    }
    return groups;
}

}  // namespace sluice::study
