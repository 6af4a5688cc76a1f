#pragma once

#include "kernels/committee_network.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace sluice::kernels {

/// What is done to one of the nets' outputs.
struct OutputColumn {
    float factor = 1.0F;
    float offset = 0.0F;
    bool is_variance = false;
};

/// For output `column` of a member.
OutputColumn output_column(const NetworkDefinition& definition, std::int64_t column);

/// False if all outputs leave as the nets give them.
bool has_output_map(const NetworkDefinition& definition);

/// make_committee_network for one back end, of a definition that has been checked.
std::shared_ptr<const CommitteeNetwork> make_committee_network_cpu(
    const NetworkDefinition& definition);

/// Throws Error(unavailable) in a build without CUDA, or if the device fails.
std::shared_ptr<const CommitteeNetwork> make_committee_network_cuda(
    const NetworkDefinition& definition);

/// The scorer that leaves what the committee says on the device, for score `index` of
/// kernels/scores/list.hpp; null if the committee runs elsewhere. Throws as above.
std::unique_ptr<Scorer> make_committee_scorer_cuda(
    const std::shared_ptr<const CommitteeNetwork>& network, std::size_t index);

namespace cuda {
struct RowSlot;
}

/// For features that lie in `slot.values` on the device already: makes room for scoring `rows` of
/// them, false without memory; then queues their scores, of what a committee of the CUDA back end
/// says of them, into `slot.results`. In builds with CUDA only.
bool reserve_committee_scores(const CommitteeNetwork& network, std::size_t index,
                              cuda::RowSlot& slot, std::int64_t rows);
void queue_committee_scores(const CommitteeNetwork& network, std::size_t index, cuda::RowSlot& slot,
                            std::int64_t rows);

}  // namespace sluice::kernels
