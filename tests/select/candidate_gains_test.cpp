/// Gains of candidates, whatever is kept of them, against sums over all rows.

#include "select/diversity/candidate_gains.hpp"

#include "diversity_lists.hpp"
#include "kernels/similarity_rows.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <numeric>

namespace sluice::select {
namespace {

using test::List;

AllRows all_of(const List& list) {
    AllRows all;
    all.dim = list.dim;
    all.features = list.features;
    all.scores = list.scores;
    for (std::int64_t i = 0; i < list.size(); ++i)
        all.rows.push_back(List::row(i));
    return all;
}

struct Similar {
    const AllRows& all;
    SimilarityRows rows;

    Similar(const AllRows& of, const Similarity& similarity) : all(of), rows(of, similarity) {}

    std::vector<float> operator()(std::int64_t place) const {
        std::vector<float> similar(all.rows.size());
        rows.fill(all.view().row(place), similar);
        return similar;
    }
};

// Every row of `first`, ..., all covered by row after row.
void expect_plain_gains(const List& list, const Similarity& similarity, std::int64_t first,
                        std::int64_t most_bytes) {
    const AllRows all = all_of(list);
    const Similar similar(all, similarity);
    ShortlistShare share;
    share.rows = std::span(all.rows).subspan(static_cast<std::size_t>(first));
    share.features = {list.at(first), list.size() - first, list.dim};
    Cover cover{std::vector<float>(all.rows.size(), 0.0F), {}};
    for (std::size_t i = 0; i < all.rows.size(); ++i) {
        cover.weights.push_back(i % 5 == 3 ? 0.0 : double{list.scores[i]});
        if (i % 5 == 3) cover.covered[i] = std::numeric_limits<float>::infinity();
    }
    CandidateGains gains(share, all, similarity, 2, most_bytes);
    std::vector<std::int64_t> locals(share.rows.size());
    std::iota(locals.begin(), locals.end(), std::int64_t{0});
    gains.look_at_all(cover);
    for (std::int64_t step = 0; step < 12; ++step) {
        const std::vector<UncoveredRows> lists = gains.lists(locals, cover);
        for (const std::int64_t local : locals) {
            const auto i = static_cast<std::size_t>(local);
            const double expected =
                kernels::uncovered_sum(similar(first + local), cover.covered, cover.weights);
            ASSERT_EQ(gains.gain(local), expected) << local << ", step " << step;
            ASSERT_EQ(uncovered_sum(lists[i], cover.covered, cover.weights), expected) << local;
            ASSERT_LE(std::ssize(lists[i]), gains.list_size(local));
            if (step == 5) {  // the list alone covers as the candidate does
                std::vector<float> by_list = cover.covered;
                cover_by(lists[i], by_list);
                const std::vector<float> own = similar(first + local);
                for (std::size_t j = 0; j < own.size(); ++j)
                    ASSERT_EQ(by_list[j], std::max(cover.covered[j], own[j]));
            }
        }
        const std::vector<float> next = similar(step * 31 % list.size());
        for (std::size_t i = 0; i < next.size(); ++i)
            cover.covered[i] = std::max(cover.covered[i], next[i]);
        gains.refresh(locals, cover);
    }
}

TEST(CandidateGains, are_the_plain_sums_whatever_is_kept) {
    const Similarity gaussian{Similarity::Kernel::gaussian, 1.1F};
    const Similarity ball{Similarity::Kernel::ball, 1.5F};
    constexpr std::int64_t row_bytes = 203 * 4;
    for (const auto& [size, first] :
         {std::pair{203, 0}, std::pair{203, 150}, std::pair{203, 203}}) {
        const std::int64_t own = size - first;
        for (const std::int64_t bytes :
             {std::int64_t{0}, own * row_bytes / 9, own * row_bytes / 2, own * row_bytes}) {
            expect_plain_gains(test::make_list(size, 3, 11, 0, 0), gaussian, first, bytes);
            expect_plain_gains(test::make_list(size, 2, 12, 4, 0), gaussian, first, bytes);
            expect_plain_gains(test::make_list(size, 3, 13, 0, 0), ball, first, bytes);
        }
    }
}

TEST(CandidateGains, of_one_chain_fill_a_list_as_well) {
    std::vector<float> covered(40, 0.5F);
    std::vector<float> similar(40, 0.25F);
    const std::vector<double> weights(40, 2.0);
    for (std::size_t i = 3; i < similar.size(); i += 4)
        similar[i] = 0.75F;
    std::vector<std::uint64_t> above(1);
    const kernels::Uncovered marked = kernels::mark_uncovered(similar, covered, weights, above);
    UncoveredRows list = list_uncovered(above, marked.longest_chain, similar);
    EXPECT_EQ(list.size(), 40U);
    EXPECT_EQ(uncovered_sum(list, covered, weights), 5.0);
    covered[3] = covered[39] = 0.75F;
    std::span<SimilarRow> rest(list);
    EXPECT_EQ(uncovered_sum_of_rest(rest, covered, weights), 4.0);
    EXPECT_EQ(rest.size(), 32U);
    EXPECT_EQ(uncovered_sum(rest, covered, weights), 4.0);
}

}  // namespace
}  // namespace sluice::select
