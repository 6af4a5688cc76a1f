#include "select/feature_score.hpp"

#include "core/text.hpp"
#include "select/scores/feature_scores.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sluice::select {
namespace {

constexpr float largest_norm = 0x1p62F;  // its square, and a sum of four such, are floats

float largest_feature(std::span<const float> features) {
    float largest = 0.0F;
    for (const float x : features)
        largest = std::max(largest, std::fabs(x));
    return largest;
}

}  // namespace

const std::vector<FeatureScoreDefinition>& feature_score_definitions() {
    static const std::vector<FeatureScoreDefinition> definitions = {
        feature_norm(),
        information_density(),
        knn_density(),
        knn_sparsity(),
        typicality(),
        posterior_variance(),
        expected_error_reduction(),
        extrapolation_grade(),
        learning_loss(),
    };
    return definitions;
}

bool is_usable(std::span<const float> features) {
    double squares = 0.0;  // NaN and infinity stay in it
    for (const float x : features)
        squares += static_cast<double>(x) * static_cast<double>(x);
    return squares <= static_cast<double>(largest_norm) * static_cast<double>(largest_norm);
}

std::string describe_unusable(std::span<const float> features) {
    for (std::size_t k = 0; k < features.size(); ++k) {
        if (!std::isfinite(features[k]))
            return "feature " + std::to_string(k) + " is " + number_text(features[k]) +
                   " (must be finite)";
    }
    if (!is_usable(features))
        return "features as large as " + number_text(largest_feature(features)) +
               " overflow a squared distance in float32; scale the features, e.g. to unit variance";
    return "all features are 0, which has no direction";
}

}  // namespace sluice::select
