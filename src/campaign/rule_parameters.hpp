#pragma once

#include "select/diversity.hpp"

#include <string>

namespace sluice::campaign {

/// Whether the diversity rule of that name goes by `strength`, `sigma` or `radius`.
bool takes_parameter(const std::string& diversity, const std::string& parameter);

/// Those of the numbers that the rule goes by; the others are its own choice.
select::DiversityParameters parameters_of(const std::string& diversity,
                                          const select::DiversityParameters& numbers);

}  // namespace sluice::campaign
