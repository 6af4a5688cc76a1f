// Scores straight from features: those of the committee's outputs written out, bit for bit.
#include "core/error.hpp"
#include "network_fixture.hpp"
#include "support/expect_error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace sluice::kernels {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

std::vector<std::uint32_t> bits_of_all(const std::vector<float>& values) {
    std::vector<std::uint32_t> bits;
    for (const float value : values)
        bits.push_back(std::bit_cast<std::uint32_t>(value));
    return bits;
}

struct Committee {
    MadeNetwork made;
    std::shared_ptr<const CommitteeNetwork> network;
};

Committee committee_of(ScoreInput output, std::size_t members = 3) {
    Committee committee{make_network({9, {21}, 4, members}, 5), nullptr};
    NetworkDefinition& definition = committee.made.definition;
    definition.output = output;
    if (output == ScoreInput::gaussian_predictions) definition.first_variance = 2;
    committee.network = make_committee_network(Backend::cpu, definition);
    return committee;
}

std::vector<float> scores_of_features(const Committee& committee, const ScoreDefinition& definition,
                                      const std::vector<float>& features) {
    const std::int64_t dim = committee.network->dim();
    const auto rows = static_cast<std::int64_t>(features.size()) / dim;
    std::vector<float> scores(static_cast<std::size_t>(rows));
    make_committee_scorer(Backend::cpu, committee.network, definition)
        ->score({features.data(), {100, 100 + rows}, 1, dim, ScoreInput::features}, scores);
    return scores;
}

std::vector<float> scores_in_two_steps(const Committee& committee,
                                       const ScoreDefinition& definition,
                                       const std::vector<float>& features) {
    const CommitteeNetwork& network = *committee.network;
    const std::vector<float> outputs = outputs_of(network, features);
    const auto rows =
        static_cast<std::int64_t>(outputs.size()) / network.members() / network.outputs();
    std::vector<float> scores(static_cast<std::size_t>(rows));
    make_scorer(Backend::cpu, definition, 0, 0)
        ->score({outputs.data(),
                 {100, 100 + rows},
                 network.members(),
                 network.outputs(),
                 network.output()},
                scores);
    return scores;
}

TEST(CommitteeScorer, gives_the_bits_of_scoring_the_outputs) {
    std::vector<float> features = random_floats(9 * 700, 8);
    features[9 * 650 + 2] = nan;
    int compared = 0;
    for (const ScoreInput output : {ScoreInput::committee_logits, ScoreInput::predictions,
                                    ScoreInput::gaussian_predictions}) {
        const Committee committee = committee_of(output);
        for (const ScoreDefinition& definition : score_definitions()) {
            if (std::find(definition.inputs.begin(), definition.inputs.end(), output) ==
                definition.inputs.end())
                continue;
            EXPECT_EQ(bits_of_all(scores_of_features(committee, definition, features)),
                      bits_of_all(scores_in_two_steps(committee, definition, features)))
                << definition.name;
            ++compared;
        }
    }
    EXPECT_GE(compared, 18);  // the scores that read such outputs; others may join
}

TEST(CommitteeScorer, a_bad_feature_spoils_its_own_row_alone) {
    const Committee committee = committee_of(ScoreInput::committee_logits);
    const std::vector<float> features = random_floats(9 * 20, 9);
    const auto clean = scores_of_features(committee, find_score("bald"), features);
    for (const float bad : {nan, infinity, -infinity})
        for (std::size_t e = 0; e < 9; ++e) {
            std::vector<float> broken = features;
            broken[9 * 6 + e] = bad;
            auto scores = scores_of_features(committee, find_score("bald"), broken);
            EXPECT_TRUE(std::isnan(scores[6])) << bad << " in feature " << e;
            scores[6] = clean[6];
            EXPECT_EQ(scores, clean);
        }
}

TEST(CommitteeScorer, refuses_what_the_committee_cannot_say) {
    const Committee one = committee_of(ScoreInput::committee_logits, 1);
    const auto make = [](const Committee& committee, const char* score) {
        make_committee_scorer(Backend::cpu, committee.network, find_score(score));
    };
    test::expect_error(ExitCode::usage, "needs 2 members, the committee has 1",
                       [&] { make(one, "bald"); });
    test::expect_error(ExitCode::usage, "--score committee_std",
                       [&] { make(one, "committee_std"); });
    test::expect_error(ExitCode::usage, "--score random", [&] { make(one, "random"); });
    EXPECT_NO_THROW(make(one, "entropy"));
}

TEST(DescribeBadRow, names_the_feature) {
    const std::vector<float> features = {1.0F, 2.0F, 3.0F, nan, infinity, 0.0F, 1.0F, 2.0F};
    const ScoreBlock block{features.data(), {7, 9}, 1, 4, ScoreInput::features};
    EXPECT_EQ(describe_bad_row(block, 7), "feature 3 is nan (must be finite)");
    EXPECT_EQ(describe_bad_row(block, 8), "feature 0 is inf (must be finite)");
}

TEST(DescribeBadRow, names_the_variance) {
    const std::vector<float> outputs = {1.0F, 2.0F, 0.5F, -1.0F, 1.0F, nan, 0.5F, 0.0F};
    const ScoreBlock block{outputs.data(), {0, 2}, 1, 4, ScoreInput::gaussian_predictions};
    EXPECT_EQ(describe_bad_row(block, 0), "member 0, component 1 has variance -1 (must be >= 0)");
    EXPECT_EQ(describe_bad_row(block, 1),
              "member 0, component 1 has prediction nan (must be finite)");
}

}  // namespace
}  // namespace sluice::kernels
