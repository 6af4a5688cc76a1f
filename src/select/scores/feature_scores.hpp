#pragma once

#include "select/feature_score.hpp"

/// One function for each feature score; feature_score.cpp lists them.
namespace sluice::select {

/// |x|, the length of the features.
FeatureScoreDefinition feature_norm();

/// Mean cosine of a row and all rows of the pool.
FeatureScoreDefinition information_density();

/// Variance that a linear model of the labeled rows leaves at a row.
FeatureScoreDefinition posterior_variance();

/// What a row's label takes from a linear model's expected error over the pool.
FeatureScoreDefinition expected_error_reduction();

/// Largest coefficient of a row in the labeled rows that span the most (MaxVol).
FeatureScoreDefinition extrapolation_grade();

/// 1 / mean distance to the nearest rows of a sample, and that distance.
FeatureScoreDefinition knn_density();
FeatureScoreDefinition knn_sparsity();

/// 1 / mean distance to the nearest rows of the row's cluster.
FeatureScoreDefinition typicality();

/// Loss that a model's loss head expects of a row's label.
FeatureScoreDefinition learning_loss();

}  // namespace sluice::select
