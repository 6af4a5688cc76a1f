#pragma once

#include "select/diversity.hpp"

/// The rules, each in a file of its name; diversity.cpp lists them.
namespace sluice::select {

DiversityDefinition k_center_rule();
DiversityDefinition kmeans_rule();
DiversityDefinition typiclust_rule();
DiversityDefinition cluster_margin_rule();
DiversityDefinition batchbald_rule();

}  // namespace sluice::select
