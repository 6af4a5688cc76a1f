// The forward pass against double precision, and what its results must not depend on.
#include "kernels/committee_network.hpp"

#include "core/error.hpp"
#include "network_fixture.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace sluice::kernels {
namespace {

std::shared_ptr<const CommitteeNetwork> on_cpu(const MadeNetwork& made) {
    return make_committee_network(Backend::cpu, made.definition);
}

void expect_within_bounds(const MadeNetwork& made, const std::vector<float>& features) {
    const auto network = on_cpu(made);
    const std::vector<float> out = outputs_of(*network, features);
    const auto elements = static_cast<std::size_t>(network->members() * network->outputs());
    for (std::size_t row = 0; row * elements < out.size(); ++row) {
        const auto expected = oracle_outputs(
            made.definition, features.data() + row * static_cast<std::size_t>(network->dim()));
        for (std::size_t e = 0; e < elements; ++e) {
            const auto got = static_cast<double>(out[row * elements + e]);
            ASSERT_TRUE(std::abs(got - expected[e].value) <= expected[e].error)
                << got << " is not " << expected[e].value << " within " << expected[e].error
                << ", row " << row << ", element " << e;
        }
    }
}

TEST(CommitteeNetwork, agrees_with_the_oracle_for_every_activation) {
    for (const std::string_view name : activation_names()) {
        SCOPED_TRACE(name);
        expect_within_bounds(make_network({19, {33, 17}, 10, 3, find_activation(name)}, 3),
                             random_floats(19 * 25, 4));
    }
}

}  // namespace
}  // namespace sluice::kernels
