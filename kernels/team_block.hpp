#pragma once

#include "kernels/score_concept.hpp"
#include "kernels/score_staging.hpp"
#include "kernels/scores/bald.hpp"
#include "kernels/team_row.hpp"

#include <cstdint>

/// Scores of long rows, each computed by a block of threads: what is one chain of operations in
/// the score functors stays one chain here, in their order and by their own functions, so that the
/// bits are theirs; chains that do not depend on each other (classes, members, runs of classes) are
/// taken by different threads.
namespace sluice::kernels {

/// Scores that have this form: of a softmax, of the members' mean, or of a sum over classes.
template <class Score>
concept SoftmaxScore = requires(const SoftmaxSums<float>& sums) {
    Score::of_softmax(sums);
};
template <class Score>
concept MeanTopScore = requires(const MeanTop<float>& mean) {
    Score::of_mean_top(mean);
};
template <class Score>
concept MeanLogScore = requires(const MeanProbability<float>& mean) {
    Score::log_of_mean(mean);
};
template <class Score>
concept RatioScore = requires(const CommitteeRatios<float>& committee,
                              CommitteeTotal<float> total) {
    Score::of_class(committee, 0, committee.class_mean(0));
    Score::of_sum(0.0F, total, 1);
};

template <class Score, ScoreInput input>
inline constexpr bool has_team = (input == ScoreInput::logits && SoftmaxScore<Score>) ||
                                 (input == ScoreInput::committee_logits &&
                                  (MeanTopScore<Score> || MeanLogScore<Score> ||
                                   RatioScore<Score>));

namespace team_detail {

/// The largest and the smallest logit of each member. (Which zero of two is told makes no
/// difference to any score; a NaN spoils its row wherever it stands.)
template <class Block>
SLUICE_LANE void find_ends(Block& block, const TeamRow& team) {
    const auto members = static_cast<std::uint32_t>(team.row.members);
    const std::uint32_t shares = num_shares<Block>(members);
    each_item(block, std::int64_t{members} * shares, [&](std::uint32_t item) {
        LogitEnds<float> ends;
        for (std::int64_t c = item % shares; c < team.row.classes; c += shares) {
            const float x = team.row.get(item / shares, c);
            ends.add(x, x);
        }
        team.parts[2 * item] = ends.highest;
        team.parts[2 * item + 1] = ends.lowest;
    });
    each_item(block, members, [&](std::uint32_t m) {
        LogitEnds<float> ends;
        for (std::uint32_t share = m * shares; share < (m + 1) * shares; ++share)
            ends.add(team.parts[2 * share], team.parts[2 * share + 1]);
        team.fact(m, highest) = ends.highest;
        team.fact(m, lowest) = ends.lowest;
    });
}

/// Leaves e of a logit in the tile, with a minus sign where it is the largest.
SLUICE_LANE void keep_term(const RowView<float>& row, std::int64_t member, std::int64_t column,
                           float largest, const SoftmaxScale<float>& scale) {
    const float x = row.get(member, column);
    const float e = FarLogits::term(x, scale);
    row.put(member, column, equal(x, largest) ? -e : e);
}

/// Takes the sign away again; whether there was one.
struct MarkedTerm {
    float e;
    bool is_largest;
};
SLUICE_LANE MarkedTerm take_term(const RowView<float>& row, std::int64_t member,
                                 std::int64_t column) {
    const float e = row.get(member, column);
    if (!(e < 0.0F)) return {e, false};
    row.put(member, column, -e);
    return {-e, true};
}

/// CommitteeSoftmax::prepare; in a member's `highest` in the end 0, or NaN if it breaks its
/// contract.
template <class Block>
SLUICE_LANE void prepare_softmax(Block& block, const TeamRow& team) {
    const RowView<float>& row = team.row;
    const auto classes = static_cast<std::uint32_t>(row.classes);
    const auto runs = static_cast<std::uint32_t>(TeamRow::num_runs(classes, run_length));
    find_ends(block, team);
    each_item(block, row.members, [&](std::uint32_t m) {
        const auto scale = softmax_scale(team.fact(m, highest), team.fact(m, lowest));
        team.fact(m, origin) = scale.origin;
        team.fact(m, exponent) = scale.exponent;
    });
    each_item(block, row.members * row.classes, [&](std::uint32_t item) {
        const std::uint32_t m = item / classes;
        keep_term(row, m, item % classes, team.fact(m, highest),
                  {team.fact(m, origin), team.fact(m, exponent)});
    });
    each_item(block, row.members * runs, [&](std::uint32_t item) {
        const std::int64_t begin = item % runs * run_length;
        MemberSoftmax<float> run;
        for (std::int64_t c = begin; c < run_end(begin, row.classes); ++c) {
            const MarkedTerm term = take_term(row, item / runs, c);
            run.total = run.total + term.e;
            run.rest = add_where(!term.is_largest, run.rest, term.e);
        }
        team.parts[2 * item] = run.total;
        team.parts[2 * item + 1] = run.rest;
    });
    each_item(block, row.members, [&](std::uint32_t m) {
        const float* const sums = team.parts + 2 * m * runs;
        const float total =
            nan_unless<float>(-infinity < team.fact(m, lowest), long_sum(sums, runs, 2));
        const bool valid =
            CommitteeSoftmax<float>{row}.keep_member(m, {total, long_sum(sums + 1, runs, 2)});
        team.fact(m, highest) = valid ? 0.0F : not_a_number;
    });
}

/// What the preparations leave in the members' facts.
SLUICE_LANE bool all_valid(const TeamRow& team) {
    bool valid = true;
    for (std::int64_t m = 0; m < team.row.members; ++m)
        valid = both(valid, equal(team.fact(m, highest), 0.0F));
    return valid;
}

/// Of the members' mean, class by class, in the classes' scratch: its probability, and what
/// `second` makes of it.
template <class Block, class Second>
SLUICE_LANE void keep_means(Block& block, const TeamRow& team, const Second& second) {
    const CommitteeSoftmax<float> committee{team.row};
    each_item(block, team.row.classes, [&](std::uint32_t c) {
        const MeanProbability<float> mean = mean_probability(committee, c);
        *team.row.class_scratch(c, 0) = mean.probability;
        *team.row.class_scratch(c, 1) = second(mean);
    });
}

/// The two largest means of each run; top_of_runs merges them.
template <class Block>
SLUICE_LANE void find_mean_tops(Block& block, const TeamRow& team) {
    const RowView<float>& row = team.row;
    const std::int64_t runs = TeamRow::num_runs(row.classes, run_length);
    each_item(block, runs, [&](std::uint32_t r) {
        MeanTop<float> found;
        const std::int64_t begin = r * run_length;
        for (std::int64_t c = begin; c < run_end(begin, row.classes); ++c) {
            const float mean = *row.class_scratch(c, 0);
            found.complement =
                select(found.top.first < mean, *row.class_scratch(c, 1), found.complement);
            found.top.add(mean);
        }
        team.parts[3 * r] = found.top.first;
        team.parts[3 * r + 1] = found.top.second;
        team.parts[3 * r + 2] = found.complement;
    });
}

SLUICE_LANE MeanTop<float> top_of_runs(const TeamRow& team) {
    MeanTop<float> all;
    const std::int64_t runs = TeamRow::num_runs(team.row.classes, run_length);
    for (std::int64_t r = 0; r < runs; ++r) {
        all.complement =
            select(all.top.first < team.parts[3 * r], team.parts[3 * r + 2], all.complement);
        all.top.add(team.parts[3 * r]);
        all.top.second = larger(all.top.second, team.parts[3 * r + 1]);
    }
    return all;
}

/// The sum of mean times logarithm of each run.
template <class Block>
SLUICE_LANE void sum_logs(Block& block, const TeamRow& team) {
    const RowView<float>& row = team.row;
    const std::int64_t runs = TeamRow::num_runs(row.classes, run_length);
    each_item(block, runs, [&](std::uint32_t r) {
        const std::int64_t begin = r * run_length;
        float run = 0.0F;
        for (std::int64_t c = begin; c < run_end(begin, row.classes); ++c)
            run = multiply_add(*row.class_scratch(c, 0), *row.class_scratch(c, 1), run);
        team.parts[r] = run;
    });
}

/// CommitteeRatios::prepare; S in of_row(), and as prepare_softmax.
template <class Block>
SLUICE_LANE void prepare_ratios(Block& block, const TeamRow& team) {
    const CommitteeRatios<float> committee{team.row};
    const RowView<float>& row = team.row;
    constexpr std::int64_t length = CommitteeRatios<float>::short_run;
    const auto runs = static_cast<std::uint32_t>(TeamRow::num_runs(row.classes, length));
    find_ends(block, team);
    each_item(block, row.members, [&](std::uint32_t m) {
        team.fact(m, floor_of_logits) = committee.floor_below(team.fact(m, highest));
        *row.scratch(m, 0) = team.fact(m, highest);
    });
    each_item(block, row.classes, [&](std::uint32_t c) {
        for (std::int64_t m = 0; m < row.members; ++m)
            row.put(m, c, larger(team.fact(m, floor_of_logits), row.get(m, c)));
        committee.keep_pivot(c);
    });
    one_thread(block, [&] { team.of_row() = long_sum(row.class_scratch(0, 0), row.classes, 3); });
    each_item(block, row.members * runs, [&](std::uint32_t item) {
        const auto sums = committee.relate_run(item / runs, item % runs * length);
        team.parts[2 * item] = sums.whole;
        team.parts[2 * item + 1] = sums.lost;
    });
    each_item(block, row.members, [&](std::uint32_t m) {
        const float* const sums = team.parts + 2 * m * runs;
        const bool valid = committee.keep_sums(
            m, team.of_row(), {long_sum(sums, runs, 2), long_sum(sums + 1, runs, 2)});
        team.fact(m, highest) = valid && -infinity < team.fact(m, lowest) ? 0.0F : not_a_number;
    });
}

/// What softmax_sums looks at first, in the facts; the second largest logit in the scratch.
template <class Block>
SLUICE_LANE void find_range(Block& block, const TeamRow& team) {
    const RowView<float>& row = team.row;
    const std::uint32_t shares = num_shares<Block>(1);
    each_item(block, shares, [&](std::uint32_t share) {
        LogitRange<float> range;
        for (std::int64_t c = share; c < row.classes; c += shares)
            range.add(row.get(0, c));
        team.parts[3 * share] = range.top.first;
        team.parts[3 * share + 1] = range.top.second;
        team.parts[3 * share + 2] = range.lowest;
    });
    one_thread(block, [&] {
        LogitRange<float> range;
        for (std::uint32_t i = 0; i < shares; ++i)
            range.merge({{team.parts[3 * i], team.parts[3 * i + 1]}, team.parts[3 * i + 2]});
        const SoftmaxScale<float> scale = softmax_scale(range.top.first, range.lowest);
        team.fact(0, highest) = range.top.first;
        team.fact(0, lowest) = range.lowest;
        team.fact(0, origin) = scale.origin;
        team.fact(0, exponent) = scale.exponent;
        *row.scratch(0, 0) = range.top.second;
    });
}

/// The sums of softmax_sums of each run: rest, spread, and how many are the largest.
template <class Block>
SLUICE_LANE void sum_softmax(Block& block, const TeamRow& team) {
    const RowView<float>& row = team.row;
    each_item(block, row.classes, [&](std::uint32_t c) {
        const float largest = team.fact(0, highest);
        team.differences[c] = FarLogits::difference(row.get(0, c), largest);
        keep_term(row, 0, c, largest, {team.fact(0, origin), team.fact(0, exponent)});
    });
    each_item(block, TeamRow::num_runs(row.classes, run_length), [&](std::uint32_t r) {
        const std::int64_t begin = r * run_length;
        float run[3] = {0.0F, 0.0F, 0.0F};
        for (std::int64_t c = begin; c < run_end(begin, row.classes); ++c) {
            const MarkedTerm term = take_term(row, 0, c);
            run[0] = add_where(!term.is_largest, run[0], term.e);
            run[1] = multiply_add(term.e, team.differences[c], run[1]);
            run[2] = add_where(term.is_largest, run[2], 1.0F);
        }
        for (int i = 0; i < 3; ++i)
            team.parts[3 * r + i] = run[i];
    });
}

SLUICE_LANE SoftmaxSums<float> softmax_of_runs(const TeamRow& team) {
    const std::int64_t runs = TeamRow::num_runs(team.row.classes, run_length);
    float ties = -1.0F;
    for (std::int64_t r = 0; r < runs; ++r)
        ties = ties + team.parts[3 * r + 2];
    return finish_softmax<float>(
        {{team.fact(0, highest), *team.row.scratch(0, 0)}, team.fact(0, lowest)},
        {team.fact(0, origin), team.fact(0, exponent)}, ties,
        {false, 0.0F, 0.0F, long_sum(team.parts, runs, 3),
         0.0F - long_sum(team.parts + 1, runs, 3)});
}

}  // namespace team_detail

/// The score of a row in the memory of its team. `Block` is a block of any number of threads that
/// keep a TeamThread each.
template <class Score, ScoreInput input, class Block>
SLUICE_LANE void team_score(Block& block, const TeamRow& team, float& score) {
    using namespace team_detail;
    const RowView<float>& row = team.row;
    if constexpr (input == ScoreInput::logits) {
        find_range(block, team);
        sum_softmax(block, team);
        one_thread(block, [&] {
            const SoftmaxSums<float> sums = softmax_of_runs(team);
            score = nan_unless<float>(sums.valid, Score::of_softmax(sums));
        });
    } else if constexpr (MeanTopScore<Score>) {
        prepare_softmax(block, team);
        keep_means(block, team, [](const MeanProbability<float>& mean) { return mean.complement; });
        find_mean_tops(block, team);
        one_thread(block, [&] {
            score = nan_unless<float>(all_valid(team), Score::of_mean_top(top_of_runs(team)));
        });
    } else if constexpr (MeanLogScore<Score>) {
        prepare_softmax(block, team);
        keep_means(block, team,
                   [](const MeanProbability<float>& mean) { return Score::log_of_mean(mean); });
        sum_logs(block, team);
        one_thread(block, [&] {
            const std::int64_t runs = TeamRow::num_runs(row.classes, run_length);
            score = nan_unless<float>(all_valid(team), 0.0F - long_sum(team.parts, runs, 1));
        });
    } else {
        static_assert(RatioScore<Score>);
        prepare_ratios(block, team);
        const CommitteeRatios<float> committee{row};
        each_item(block, row.classes, [&](std::uint32_t c) {
            *row.class_scratch(c, 0) = Score::of_class(committee, c, committee.class_mean(c));
        });
        one_thread(block, [&] {
            score =
                Score::of_sum(long_sum(row.class_scratch(0, 0), row.classes, 3),
                              CommitteeTotal<float>{all_valid(team), team.of_row()}, row.members);
        });
    }
}

}  // namespace sluice::kernels
