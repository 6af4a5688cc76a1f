#include "select/similar_to.hpp"

#include "kernels/nearest_center.hpp"
#include "select/feature_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace sluice::select {
namespace {

class Similarity : public FeatureScore {
  public:
    Similarity(const SimilarTo& like, Metric metric) : like_(like), metric_(metric) {}

    void score(kernels::MatrixView features, RowId, std::span<float> scores) const override {
        std::vector<float> values(features.data, features.data + features.rows * features.dim);
        std::vector<char> is_good(scores.size(), 1);
        for (std::int64_t i = 0; i < features.rows; ++i) {
            if (why_no_distances(features.row(i), features.dim, metric_).empty()) continue;
            is_good[static_cast<std::size_t>(i)] = 0;
            std::fill_n(values.begin() + i * features.dim, features.dim, 1.0F);
        }
        if (metric_ == Metric::cosine)
            kernels::normalize_rows(values.data(), features.rows, features.dim);
        std::fill(scores.begin(), scores.end(), std::numeric_limits<float>::infinity());
        kernels::relax_nearest(
            kernels::Backend::cpu, {values.data(), features.rows, features.dim},
            {like_.values.data(), std::ssize(like_.values) / like_.dim, like_.dim}, scores, 1);
        for (std::size_t i = 0; i < scores.size(); ++i)
            scores[i] = is_good[i] != 0 ? of_distance(scores[i]) : std::nanf("");
    }

  private:
    float of_distance(float squared) const {
        if (metric_ == Metric::cosine) return std::max(0.0F, 1.0F - squared * 0.25F);
        return 1.0F / (1.0F + std::sqrt(squared));
    }

    const SimilarTo& like_;
    Metric metric_;
};

}  // namespace

std::unique_ptr<FeatureScore> make_similarity(const SimilarTo& like, Metric metric) {
    return std::make_unique<Similarity>(like, metric);
}

}  // namespace sluice::select
