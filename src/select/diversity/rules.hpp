#pragma once

#include "select/diversity.hpp"

/// The rules, each in a file of its name; diversity.cpp lists them.
namespace sluice::select {

DiversityDefinition k_center_rule();

}  // namespace sluice::select
