// Long rows, each scored by a block of threads: what the device computes, run on the CPU thread by
// thread, and, where a device is there, on it, against the CPU back end.
#include "kernels/cuda/device.hpp"
#include "kernels/scores/list.hpp"
#include "kernels/team_block.hpp"
#include "score_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace sluice::kernels {
namespace {

std::vector<std::uint32_t> bits_of_all(const std::vector<float>& values) {
    std::vector<std::uint32_t> bits;
    for (const float value : values)
        bits.push_back(std::isnan(value) ? 0x7fc00000U : std::bit_cast<std::uint32_t>(value));
    return bits;
}

/// Logits of all kinds: a row for each way that softmax can be difficult, and some that are bad.
Rows difficult_logits(ScoreInput input, std::int64_t members, std::int64_t classes) {
    constexpr std::int64_t count = 24;
    Rows rows = random_logits(count, members, classes, 71);
    rows.input = input;
    const auto value = [&](std::int64_t row, std::int64_t element) -> float& {
        return rows.values[static_cast<std::size_t>(row * rows.elements() + element)];
    };
    const float inf = std::numeric_limits<float>::infinity();
    for (std::int64_t e = 0; e < rows.elements(); ++e) {
        value(1, e) = e % 2 == 0 ? 0.0F : -0.0F;  // zeros of both signs, all tied
        value(2, e) = -std::fabs(value(2, e));    // the largest is a zero
        value(3, e) *= 1e6F;                      // far out
        value(4, e) *= 1e36F;                     // differences overflow
        value(5, e) = 50.0F;                      // tied
        value(6, e) = value(6, e % classes) + 1e-6F * static_cast<float>(e % 3);  // nearly agree
        value(7, e) = e % classes == 0 ? 300.0F : -300.0F;  // e is 0 for all but one
        value(8, e) *= 60.0F;
    }
    value(2, rows.elements() - 1) = -0.0F;
    value(2, rows.elements() / 2) = 0.0F;
    value(10, 0) = value(11, rows.elements() - 1) = std::nanf("");
    value(12, rows.elements() / 2) = inf;
    value(13, rows.elements() - 1) = -inf;
    value(14, 0) = inf;
    value(14, rows.elements() - 1) = -inf;
    return rows;
}

template <class Score, ScoreInput input, int num_threads>
std::vector<float> scores_by_teams(const Rows& rows) {
    const ScoreBlock block = rows.block();
    std::vector<float> scores;
    for (std::int64_t row = 0; row < rows.count(); ++row) {
        std::vector<float> memory(static_cast<std::size_t>(TeamRow::floats(block, num_threads)),
                                  std::nanf(""));
        for (int thread = 0; thread < num_threads; ++thread)
            stage_values(rows.values.data() + row * rows.elements(), rows.elements(), thread,
                         num_threads, memory.data());
        SerialBlock<TeamThread, num_threads> team;
        float score = -1.0F;
        team_score<Score, input>(team, TeamRow::in(memory.data(), block), score);
        scores.push_back(score);
    }
    return scores;
}

template <class Score, ScoreInput input>
void expect_bits_of_cpu() {
    if constexpr (has_team<Score, input>) {
        for (const std::int64_t members : {1, 2, 8, 40})
            for (const std::int64_t classes : {2, 5, 16, 63, 64, 65, 131, 300}) {
                const bool is_single = input == ScoreInput::logits;
                if (is_single ? members > 1 : members < Score::min_members) continue;
                SCOPED_TRACE(testing::Message()
                             << Score::name << " of " << members << " x " << classes);
                const Rows rows = difficult_logits(input, members, classes);
                const auto expected = bits_of_all(scores_of(Score::name, rows));
                EXPECT_EQ(bits_of_all(scores_by_teams<Score, input, 128>(rows)), expected);
                EXPECT_EQ(bits_of_all(scores_by_teams<Score, input, 32>(rows)), expected);
            }
    }
}

template <class Score>
class TeamTwin : public testing::Test {};
using TeamScores = testing::Types<LeastConfidence, Margin, Ratio, Entropy, Bald>;
TYPED_TEST_SUITE(TeamTwin, TeamScores);

TYPED_TEST(TeamTwin, gives_the_bits_of_the_cpu) {
    static_assert(has_team<TypeParam, ScoreInput::committee_logits>);
    expect_bits_of_cpu<TypeParam, ScoreInput::committee_logits>();
    expect_bits_of_cpu<TypeParam, ScoreInput::logits>();
}

TYPED_TEST(TeamTwin, gives_the_bits_of_the_cpu_on_a_device) {
    if (cuda::num_devices() == 0) GTEST_SKIP() << "no CUDA device";
    for (const std::int64_t classes : {131, 1000, 9000}) {
        const Rows rows = difficult_logits(ScoreInput::committee_logits, 3, classes);
        std::vector<float> scores(static_cast<std::size_t>(rows.count()));
        make_scorer(Backend::cuda, find_score(TypeParam::name), 1, 0)->score(rows.block(), scores);
        EXPECT_EQ(bits_of_all(scores), bits_of_all(scores_of(TypeParam::name, rows))) << classes;
    }
}

}  // namespace
}  // namespace sluice::kernels
