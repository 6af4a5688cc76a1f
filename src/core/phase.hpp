#pragma once

#include <string>
#include <utility>
#include <vector>

namespace sluice {

/// Names what this process does from now on ("open pool", "score", "diversify", "publish", ...).
/// Time is booked to the phase; an error that no one described further names it. It is also the
/// place where tests inject a fault: SLUICE_FAULT=PHASE:RANK:throw|exit|kill|hang makes that rank
/// fail on entering the phase.
void enter_phase(const std::string& name);

/// The phase entered last; empty before the first.
const std::string& current_phase();

/// Seconds spent in each phase so far, in the order of first entry.
std::vector<std::pair<std::string, double>> phase_seconds();

/// Says which rank this process is, for SLUICE_FAULT. Call once after MPI starts.
void set_phase_rank(int rank);

}  // namespace sluice
