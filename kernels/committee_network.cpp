#include "kernels/committee_network.hpp"

#include "core/error.hpp"
#include "kernels/committee_network_backends.hpp"

#include <string>

namespace sluice::kernels {

namespace {

void require_fit(bool fits, const std::string& what) {
    require(fits, ExitCode::bad_data, "committee: " + what);
}

void check_sizes(const std::vector<float>& values, std::int64_t expected, const char* what) {
    const auto size = static_cast<std::int64_t>(values.size());
    require_fit(size == 0 || size == expected, std::string(what) + " has " + std::to_string(size) +
                                                   " values, not " + std::to_string(expected));
}

void check_member(const NetworkDefinition& definition, std::size_t member) {
    const std::string name = "member " + std::to_string(member);
    std::int64_t width = definition.dim;
    for (std::size_t i = 0; i < definition.members[member].size(); ++i) {
        const DenseLayer& layer = definition.members[member][i];
        const std::string where = name + ", layer " + std::to_string(i);
        require_fit(layer.inputs == width, where + " takes " + std::to_string(layer.inputs) +
                                               " inputs, but gets " + std::to_string(width));
        require_fit(layer.outputs > 0, where + " has no outputs");
        require_fit(layer.weight != nullptr && layer.bias != nullptr,
                    where + " lacks its weight or bias");
        width = layer.outputs;
    }
    require_fit(!definition.members[member].empty(), name + " has no layers");
    require_fit(width == definition.outputs, name + " has " + std::to_string(width) +
                                                 " outputs, not " +
                                                 std::to_string(definition.outputs));
}

/// Whether one row of a member of `input` can have this many outputs, of these variances.
void check_output(const NetworkDefinition& definition) {
    const bool gaussian = definition.output == ScoreInput::gaussian_predictions;
    require_fit(definition.output != ScoreInput::none && definition.output != ScoreInput::features,
                "it has to say something of a row");
    require_fit(definition.members.size() == 1 || (definition.output != ScoreInput::logits &&
                                                   definition.output != ScoreInput::probabilities),
                "several members cannot give one row of logits or probabilities");
    require_fit(definition.first_variance >= 0 && definition.first_variance <= definition.outputs &&
                    2 * definition.first_variance >= definition.outputs,
                "of " + std::to_string(definition.outputs) + " outputs those from " +
                    std::to_string(definition.first_variance) + " on cannot be variances");
    require_fit(!gaussian || 2 * definition.first_variance == definition.outputs,
                "predictions and variances differ in number");
}

void check(const NetworkDefinition& definition) {
    require_fit(definition.dim > 0, "it takes no features");
    require_fit(!definition.members.empty(), "it has no members");
    check_sizes(definition.input_offset, definition.dim, "input_offset");
    check_sizes(definition.input_factor, definition.dim, "input_factor");
    check_sizes(definition.output_factor, definition.outputs, "output_factor");
    check_sizes(definition.output_offset, definition.outputs, "output_offset");
    check_output(definition);
    for (std::size_t m = 0; m < definition.members.size(); ++m)
        check_member(definition, m);
}

}  // namespace

OutputColumn output_column(const NetworkDefinition& definition, std::int64_t column) {
    OutputColumn map;
    map.is_variance = column >= definition.first_variance;
    const auto target =
        static_cast<std::size_t>(map.is_variance ? column - definition.first_variance : column);
    if (!definition.output_factor.empty()) map.factor = definition.output_factor[target];
    if (!definition.output_offset.empty()) map.offset = definition.output_offset[target];
    return map;
}

bool has_output_map(const NetworkDefinition& definition) {
    return !definition.output_factor.empty() || !definition.output_offset.empty() ||
           definition.first_variance < definition.outputs;
}

CommitteeNetwork::CommitteeNetwork(const NetworkDefinition& definition)
    : dim_(definition.dim),
      members_(static_cast<std::int64_t>(definition.members.size())),
      outputs_(definition.outputs),
      output_(definition.output) {}

std::shared_ptr<const CommitteeNetwork> make_committee_network(
    Backend backend, const NetworkDefinition& definition) {
    check(definition);
    if (backend == Backend::cuda) return make_committee_network_cuda(definition);
    return make_committee_network_cpu(definition);
}

}  // namespace sluice::kernels
