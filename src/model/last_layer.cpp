#include "model/last_layer.hpp"

#include "core/error.hpp"

#include <utility>

namespace sluice::model {
namespace {

// x as it is: to what linear heads read, the features, there is no layer.
Layer same(std::int64_t dim) {
    Layer layer;
    layer.inputs = dim;
    layer.outputs = dim;
    layer.weight.assign(static_cast<std::size_t>(dim * dim), 0.0F);
    layer.bias.assign(static_cast<std::size_t>(dim), 0.0F);
    for (std::int64_t k = 0; k < dim; ++k)
        layer.weight[static_cast<std::size_t>(k * dim + k)] = 1.0F;
    return layer;
}

// The committee with what its last layers read as predictions.
Committee without_last_layers(Committee committee, const std::string& where) {
    for (Network& network : committee.networks) {
        require(!network.layers.empty(), ExitCode::bad_data, where + ": a member has no layers");
        network.layers.pop_back();
        if (network.layers.empty()) network.layers.push_back(same(committee.dim));
    }
    const std::int64_t width = committee.networks.front().layers.back().outputs;
    for (const Network& network : committee.networks) {
        const std::int64_t other = network.layers.back().outputs;
        require(other == width, ExitCode::bad_data,
                where + ": the members' last layers read " + std::to_string(width) + " and " +
                    std::to_string(other) + " values; give a model whose members are alike");
    }
    committee.task = Task::regression;
    committee.predicts_variance = false;
    committee.outputs = width;
    committee.target = {};
    return committee;
}

}  // namespace

LastLayer last_layer(const Committee& committee, kernels::Backend backend,
                     const std::string& where) {
    require(!committee.networks.empty(), ExitCode::bad_data, where + ": the model has no members");
    Committee nets = committee;
    nets.dropout.reset();
    LastLayer result;
    if (nets.task == Task::classification) result.outputs = run_network(nets, backend, where);
    result.hidden = run_network(without_last_layers(std::move(nets), where), backend, where);
    return result;
}

}  // namespace sluice::model
