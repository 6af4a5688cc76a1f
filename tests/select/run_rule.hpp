#pragma once

#include "select/diversity.hpp"
#include "select/shared_shortlist.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace sluice::test {

/// What a diversity rule is asked, besides the shortlist.
struct RuleRequest {
    std::string rule;
    std::int64_t num_picks = 0;
    std::vector<float> centers = {};      ///< [n, D]
    std::vector<float> member_says = {};  ///< [rows, M, C]
    std::vector<float> center_says = {};  ///< [n, M, C]
    std::int64_t members = 0;
    std::int64_t classes = 0;
    select::DiversityParameters parameters = {};
    std::uint64_t seed = 1;
    int num_threads = 1;
};

/// What `pick(share, options)` makes of a shortlist shared out over the ranks.
template <typename Pick>
auto run_with(const WholeShortlist& list, const RuleRequest& request, Split split,
              const Pick& pick) {
    const Share share = share_of(list, split);
    const std::vector<float> says =
        share.part_of(request.member_says, request.members * request.classes);
    const std::int64_t num_centers = std::ssize(request.centers) / list.dim;
    select::ShortlistShare mine;
    mine.rows = share.rows;
    mine.scores = share.scores;
    mine.features = share.view();
    mine.member_says = says;
    mine.members = request.members;
    mine.classes = request.classes;
    mine.num_centers = num_centers;
    mine.visit_centers = [&](const auto& visit) {  // in two blocks
        const std::int64_t half = num_centers / 2;
        const float* const data = request.centers.data();
        if (half > 0) visit(kernels::MatrixView{data, half, list.dim});
        visit(kernels::MatrixView{data + half * list.dim, num_centers - half, list.dim});
    };
    mine.visit_saying_centers = [&](const auto& visit) {
        visit(kernels::MatrixView{request.centers.data(), num_centers, list.dim},
              std::span<const float>(request.center_says));
    };
    select::DiversityOptions options;
    options.num_picks = request.num_picks;
    options.seed = request.seed;
    options.parameters = request.parameters;
    options.num_threads = request.num_threads;
    return pick(mine, options);
}

/// Lets the rule pick from a shortlist shared out over the ranks.
inline select::DiverseBatch run_rule(const WholeShortlist& list, const RuleRequest& request,
                                     Split split) {
    return run_with(list, request, split, [&](const auto& share, const auto& options) {
        return select::find_diversity(request.rule).pick(share, options, world());
    });
}

inline std::vector<RowId> rows_of(const select::DiverseBatch& batch) {
    std::vector<RowId> rows;
    for (const select::DiversePick& pick : batch.picks)
        rows.push_back(pick.row);
    return rows;
}

inline std::vector<float> values_of(const select::DiverseBatch& batch) {
    std::vector<float> values;
    for (const select::DiversePick& pick : batch.picks)
        values.push_back(pick.value);
    return values;
}

/// What every rule promises: a full batch, no row twice, and one answer however rows are shared.
inline void expect_contract(const WholeShortlist& list, RuleRequest request) {
    const select::DiverseBatch alone = run_rule(list, request, Split::last_rank);
    const std::vector<RowId> rows = rows_of(alone);
    EXPECT_EQ(std::ssize(rows), std::min(request.num_picks, list.size()));
    EXPECT_EQ(std::set<RowId>(rows.begin(), rows.end()).size(), rows.size());
    for (const RowId row : rows) {
        EXPECT_EQ(row % 3, 1);
        EXPECT_LT(list.position(row), list.size());
    }
    request.num_threads = 2;
    for (const Split split : {Split::contiguous, Split::interleaved}) {
        const select::DiverseBatch shared = run_rule(list, request, split);
        EXPECT_EQ(rows_of(shared), rows);
        EXPECT_EQ(values_of(shared), values_of(alone));
    }
}

}  // namespace sluice::test
