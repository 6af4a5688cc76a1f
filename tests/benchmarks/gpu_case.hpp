#pragma once

#include "benchmarks/gpu_measure.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sluice::bench {

/// Seconds of one side of a case, in one turn.
struct Figure {
    std::string side;
    double seconds = 0.0;
    std::string what;
};

/// A line of the G table, with its data in memory: measured turn by turn, so that whoever it is
/// compared with has turns in between. Throws Error(bad_data) if the GPU's results are not the
/// CPU's.
class Case {
  public:
    virtual ~Case() = default;

    /// Runs each side once.
    virtual std::vector<Figure> turn() = 0;
};

struct CaseDefinition {
    std::string id;
    std::function<std::unique_ptr<Case>(Bench&)> open;
};

/// G1, G2 and G8.
std::vector<CaseDefinition> score_cases();

/// G3 and G4.
std::vector<CaseDefinition> top_k_cases();

/// G5, G6 and G7.
std::vector<CaseDefinition> select_cases();

}  // namespace sluice::bench
