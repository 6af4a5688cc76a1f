// Which back end is chosen, and that the CUDA one, where a device is there, gives the CPU's bits.
#include "kernels/backend.hpp"

#include "core/error.hpp"
#include "kernels/cuda/device.hpp"
#include "network_fixture.hpp"
#include "score_fixture.hpp"
#include "support/expect_error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::kernels {
namespace {

TEST(ChooseBackend, cpu_is_always_there) {
    EXPECT_EQ(choose_backend(DeviceChoice::cpu, 0), Backend::cpu);
}

TEST(ChooseBackend, without_a_device_automatic_falls_back_and_gpu_fails) {
    if (cuda::num_devices() > 0) GTEST_SKIP() << "this machine has a CUDA device";
    testing::internal::CaptureStderr();
    EXPECT_EQ(choose_backend(DeviceChoice::automatic, 0), Backend::cpu);
    const std::string log = testing::internal::GetCapturedStderr();
    EXPECT_THAT(log, testing::HasSubstr("running on the CPU"));
    EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1);
    try {
        choose_backend(DeviceChoice::gpu, 0);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::unavailable);
        EXPECT_THAT(error.what(), testing::HasSubstr("use --device cpu or auto"));
    }
}

TEST(CpuInstructionSet, is_one_of_three) {
    EXPECT_THAT(cpu_instruction_set(), testing::AnyOf("baseline", "avx2", "avx512"));
}

TEST(CudaScorer, is_refused_without_cuda) {
    if (cuda::is_built_in()) GTEST_SKIP() << "this build has CUDA";
    try {
        make_scorer(Backend::cuda, find_score("entropy"), 1, 0);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::unavailable);
    }
}

Rows rows_for(ScoreInput input, std::int64_t classes) {
    switch (input) {
        case ScoreInput::probabilities:
            return random_probabilities(1000, 1, classes, 31);
        case ScoreInput::committee_probabilities:
            return random_probabilities(1000, 3, classes, 31);
        case ScoreInput::logits:
            return random_logits(1000, 1, classes, 31);
        case ScoreInput::gaussian_predictions:
            return random_gaussians(1000, 3, classes, 31);
        default:
            break;
    }
    Rows rows = random_logits(1000, 3, classes, 31);
    rows.input = input;
    return rows;
}

TEST(CudaScorer, gives_the_same_bits_as_the_cpu) {
    if (cuda::num_devices() == 0) GTEST_SKIP() << "no CUDA device";
    for (const ScoreDefinition& definition : score_definitions())
        for (const ScoreInput input : definition.inputs)
            for (const std::int64_t classes : {2, 10, 1000}) {
                if (input == ScoreInput::none) continue;
                const Rows rows = rows_for(input, classes);
                const auto expected = scores_of(definition.name, rows);
                std::vector<float> scores(expected.size());
                make_scorer(Backend::cuda, definition, 1, 0)->score(rows.block(), scores);
                for (std::size_t i = 0; i < scores.size(); ++i)
                    ASSERT_EQ(std::bit_cast<std::uint32_t>(scores[i]),
                              std::bit_cast<std::uint32_t>(expected[i]))
                        << definition.name << ", " << classes << " classes, row " << i;
            }
}

TEST(CudaNetwork, is_refused_without_cuda) {
    if (cuda::is_built_in()) GTEST_SKIP() << "this build has CUDA";
    const MadeNetwork made = make_network({3, {4}, 2, 2}, 32);
    test::expect_error(ExitCode::unavailable, "built without CUDA",
                       [&] { make_committee_network(Backend::cuda, made.definition); });
}

void expect_same_bits(const std::vector<float>& got, const std::vector<float>& expected) {
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i)
        ASSERT_EQ(std::bit_cast<std::uint32_t>(got[i]), std::bit_cast<std::uint32_t>(expected[i]))
            << i;
}

/// A committee with everything in it: maps, variances, layers that are shared and ones that differ.
MadeNetwork made_for_comparison(Activation activation) {
    MadeNetwork made = make_network({37, {70, 20}, 6, 4, activation}, 33);
    made.definition.members[2][0] = made.definition.members[0][0];
    made.definition.input_offset = random_floats(37, 34);
    made.definition.input_factor = random_floats(37, 35);
    made.definition.output_factor = random_floats(6, 36);
    made.definition.first_variance = 3;
    made.definition.output = ScoreInput::gaussian_predictions;
    return made;
}

TEST(CudaNetwork, gives_the_same_bits_as_the_cpu) {
    if (cuda::num_devices() == 0) GTEST_SKIP() << "no CUDA device";
    std::vector<float> features = random_floats(37 * 1000, 37);
    features[37 * 500 + 36] = INFINITY;
    for (const std::string_view name : activation_names()) {
        SCOPED_TRACE(name);
        const MadeNetwork made = made_for_comparison(find_activation(name));
        expect_same_bits(
            outputs_of(*make_committee_network(Backend::cuda, made.definition), features),
            outputs_of(*make_committee_network(Backend::cpu, made.definition), features));
    }
}

TEST(CudaCommitteeScorer, gives_the_same_bits_as_the_cpu) {
    if (cuda::num_devices() == 0) GTEST_SKIP() << "no CUDA device";
    const MadeNetwork made = made_for_comparison(Activation::relu);
    const std::vector<float> features = random_floats(37 * 1000, 38);
    for (const char* name : {"total_std", "committee_std"}) {
        std::vector<float> scores[2];
        for (const Backend backend : {Backend::cpu, Backend::cuda}) {
            std::vector<float>& own = scores[backend == Backend::cuda ? 1 : 0];
            own.resize(1000);
            make_committee_scorer(backend, make_committee_network(backend, made.definition),
                                  find_score(name))
                ->score({features.data(), {0, 1000}, 1, 37, ScoreInput::features}, own);
        }
        expect_same_bits(scores[1], scores[0]);
    }
}

}  // namespace
}  // namespace sluice::kernels
