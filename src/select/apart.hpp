#pragma once

#include "select/climb.hpp"
#include "select/input_box.hpp"

#include <cstdint>
#include <vector>

namespace sluice::select {

/// The starts of those ends that stay when of ends that are near each other only the best does,
/// ascending: in order of score, ties to the lower start, an end stays unless one that stays is
/// within `apart` of the range in every input (0: unless it is equal). Ends where the model says
/// nothing finite do not stay. The same on every machine. Cost: ends x those that stay.
std::vector<std::int64_t> ends_apart(const Climbs& climbs, const InputBox& box, float apart);

}  // namespace sluice::select
