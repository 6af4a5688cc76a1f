#include "core/error.hpp"
#include "model/committee.hpp"

#include <cstddef>

namespace sluice::model {
namespace {

using kernels::ScoreInput;

ScoreInput output_kind(const Committee& committee) {
    if (committee.task == Task::regression) {
        return committee.predicts_variance ? ScoreInput::gaussian_predictions
                                           : ScoreInput::predictions;
    }
    return committee.num_members() == 1 ? ScoreInput::logits : ScoreInput::committee_logits;
}

std::vector<kernels::DenseLayer> views_of(const Network& network) {
    std::vector<kernels::DenseLayer> layers;
    for (const Layer& layer : network.layers) {
        layers.push_back({layer.inputs, layer.outputs, layer.weight.data(), layer.bias.data(),
                          layer.activation});
    }
    return layers;
}

// Logits over the temperature; predictions back from normalised targets.
void set_output_map(const Committee& committee, kernels::NetworkDefinition& definition) {
    const auto outputs = static_cast<std::size_t>(definition.outputs);
    if (committee.task == Task::classification) {
        if (committee.temperature == 1.0F) return;
        definition.output_factor.assign(outputs, 1.0F / committee.temperature);
        definition.output_offset.assign(outputs, 0.0F);
        return;
    }
    if (committee.target.mean.empty()) return;
    definition.output_factor.assign(outputs, 1.0F);
    definition.output_offset.assign(outputs, 0.0F);
    for (std::size_t t = 0; t < committee.target.mean.size(); ++t) {
        definition.output_factor[t] = committee.target.scale[t];
        definition.output_offset[t] = committee.target.mean[t];
    }
}

}  // namespace

std::shared_ptr<const kernels::CommitteeNetwork> run_network(const Committee& committee,
                                                             kernels::Backend backend,
                                                             const std::string& where) {
    const std::vector<Network> members = member_networks(committee);
    kernels::NetworkDefinition definition;
    definition.dim = committee.dim;
    definition.outputs = committee.predicts_variance ? 2 * committee.outputs : committee.outputs;
    definition.first_variance = committee.outputs;
    if (!committee.predicts_variance) definition.first_variance = definition.outputs;
    definition.input_offset = committee.input.mean;
    for (const float scale : committee.input.scale)
        definition.input_factor.push_back(1.0F / scale);
    for (const Network& member : members)
        definition.members.push_back(views_of(member));
    set_output_map(committee, definition);
    definition.output = output_kind(committee);
    try {
        return kernels::make_committee_network(backend, definition);
    } catch (const Error& error) {
        throw Error(error.code(), where + ": " + error.what());
    }
}

}  // namespace sluice::model
