#pragma once

#include "pool/pool.hpp"
#include "select/diversity.hpp"
#include "select/feature_score.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sluice::select {

/// The name in a score expression of what SimilarTo makes of a row.
inline constexpr const char* similarity_name = "similarity";

/// Vectors that chosen rows are to be like.
struct SimilarTo {
    std::vector<float> values;  ///< [rows, dim]; of unit length under the cosine metric
    std::int64_t dim = 0;
    std::string path;  ///< where they come from, for messages
};

/// How like a row is to the nearest of the vectors: 1 / (1 + distance), or (1 + cosine) / 2; 1 for
/// an equal row, never below 0. Exact, by canonical float32 distances. NaN for a row that can take
/// part in no distance. `like` must outlive it.
std::unique_ptr<FeatureScore> make_similarity(const SimilarTo& like, Metric metric);

}  // namespace sluice::select
