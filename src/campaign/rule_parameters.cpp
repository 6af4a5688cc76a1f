#include "campaign/rule_parameters.hpp"

namespace sluice::campaign {

bool takes_parameter(const std::string& diversity, const std::string& parameter) {
    const std::string taken = " " + select::find_diversity(diversity).parameters + " ";
    return taken.find(" " + parameter + " ") != std::string::npos;
}

select::DiversityParameters parameters_of(const std::string& diversity,
                                          const select::DiversityParameters& numbers) {
    select::DiversityParameters taken;
    if (takes_parameter(diversity, "strength")) taken.strength = numbers.strength;
    if (takes_parameter(diversity, "sigma")) taken.sigma = numbers.sigma;
    if (takes_parameter(diversity, "radius")) taken.radius = numbers.radius;
    return taken;
}

}  // namespace sluice::campaign
