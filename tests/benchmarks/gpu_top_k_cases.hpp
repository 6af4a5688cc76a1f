#pragma once

#include "benchmarks/gpu_case.hpp"

#include <vector>

namespace sluice::bench {

/// G3 and G4.
std::vector<CaseDefinition> top_k_cases();

}  // namespace sluice::bench
