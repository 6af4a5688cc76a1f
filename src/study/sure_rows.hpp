#pragma once

#include "kernels/committee_network.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace sluice::study {

/// A row that a committee labels itself.
struct SureRow {
    std::int64_t local = 0;  ///< its index among the rows judged
    std::int32_t class_index = 0;
};

/// The rows with open[i] not 0 whose entropy is below `delta`, at most `most`: the surest ones,
/// ties to the lower row; ascending. As in a campaign, see model::PseudoRules. \param features
/// [n,D]
std::vector<SureRow> sure_rows(const std::shared_ptr<const kernels::CommitteeNetwork>& network,
                               std::span<const float> features, std::span<const std::uint8_t> open,
                               double delta, std::int64_t most);

}  // namespace sluice::study
