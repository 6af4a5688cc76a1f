#pragma once

#include "select/diversity.hpp"

/// The rules, each in a file of its name; diversity.cpp lists them.
namespace sluice::select {

DiversityDefinition k_center_rule();
DiversityDefinition kmeanspp_rule();
DiversityDefinition badge_rule();
DiversityDefinition maxdet_rule();
DiversityDefinition max_diag_rule();
DiversityDefinition lcmd_rule();
DiversityDefinition facility_location_rule();
DiversityDefinition gist_rule();
DiversityDefinition prob_cover_rule();
DiversityDefinition graph_cut_rule();
DiversityDefinition usdm_rule();
DiversityDefinition bait_rule();
DiversityDefinition bait_forward_rule();
DiversityDefinition batchbald_rule();
DiversityDefinition bait_classes_rule();
DiversityDefinition firal_rule();
DiversityDefinition error_reduction_rule();
DiversityDefinition kmeans_rule();
DiversityDefinition typiclust_rule();
DiversityDefinition cluster_margin_rule();

}  // namespace sluice::select
