#include "model/committee.hpp"

#include "core/philox.hpp"

#include <algorithm>
#include <cstddef>

namespace sluice::model {
namespace {

constexpr std::uint32_t layers_of_a_mask = 256;

bool keeps_unit(const Dropout& dropout, std::int64_t network, std::int64_t mask, std::int64_t layer,
                std::int64_t unit) {
    const auto index =
        static_cast<std::uint32_t>(mask) * layers_of_a_mask + static_cast<std::uint32_t>(layer);
    const Philox4 words =
        random_words(dropout.seed, RandomPurpose::dropout_masks,
                     static_cast<std::uint32_t>(network), static_cast<std::uint64_t>(unit), index);
    return unit_float(words.word[0]) >= dropout.rate;
}

// Weights that read a dropped unit become 0, the others grow: the layers before stay as they are.
void fold_mask(const Dropout& dropout, std::int64_t network, std::int64_t mask, Network& net) {
    const float factor = 1.0F / (1.0F - dropout.rate);
    for (std::size_t l = 0; l + 1 < net.layers.size(); ++l) {
        Layer& reader = net.layers[l + 1];
        for (std::int64_t unit = 0; unit < reader.inputs; ++unit) {
            const bool kept =
                keeps_unit(dropout, network, mask, static_cast<std::int64_t>(l), unit);
            for (std::int64_t o = 0; o < reader.outputs; ++o)
                reader.weight[static_cast<std::size_t>(o * reader.inputs + unit)] *=
                    kept ? factor : 0.0F;
        }
    }
}

}  // namespace

std::string_view task_name(Task task) {
    return task == Task::classification ? "classification" : "regression";
}

std::int64_t Committee::num_members() const {
    const auto nets = std::ssize(networks);
    return dropout ? nets * dropout->masks : nets;
}

std::vector<Network> member_networks(const Committee& committee) {
    if (!committee.dropout) return committee.networks;
    std::vector<Network> members;
    for (std::size_t n = 0; n < committee.networks.size(); ++n) {
        for (std::int64_t mask = 0; mask < committee.dropout->masks; ++mask) {
            members.push_back(committee.networks[n]);
            fold_mask(*committee.dropout, static_cast<std::int64_t>(n), mask, members.back());
        }
    }
    return members;
}

}  // namespace sluice::model
