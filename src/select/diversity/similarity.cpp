#include "select/diversity/similarity.hpp"

#include "core/philox.hpp"
#include "kernels/canonical_math.hpp"
#include "kernels/similarity_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace sluice::select {
namespace {

std::vector<std::int64_t> numbers_to(std::int64_t count) {
    std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
    std::iota(numbers.begin(), numbers.end(), std::int64_t{0});
    return numbers;
}

float median_distance(const AllRows& all, const DiversityOptions& options) {
    constexpr std::uint32_t num_pairs = 1024;
    std::vector<float> squared;
    for (std::uint32_t i = 0; i < num_pairs && all.size() > 1; ++i) {
        const Philox4 words =
            random_words(options.seed, RandomPurpose::diversity_answer, options.round, 0, i);
        const auto size = static_cast<std::uint32_t>(all.size());
        const std::int64_t first = words.word[0] % size;
        const std::int64_t second = (first + 1 + words.word[1] % (size - 1)) % size;
        squared.push_back(
            kernels::squared_distance(all.view().row(first), all.view().row(second), all.dim));
    }
    if (squared.empty()) return 1.0F;
    const auto middle = squared.begin() + static_cast<std::ptrdiff_t>(squared.size() / 2);
    std::nth_element(squared.begin(), middle, squared.end());
    return *middle > 0.0F ? std::sqrt(*middle) : 1.0F;
}

}  // namespace

float Similarity::of(float squared) const {
    switch (kernel) {
        case Kernel::gaussian:
            return kernels::canonical_exp(squared / (-2.0F * length * length));
        case Kernel::cosine:
            return std::max(0.0F, 1.0F - 0.5F * squared);
        case Kernel::ball:
            return squared <= length * length ? 1.0F : 0.0F;
    }
    return 0.0F;
}

Similarity usual_similarity(const AllRows& all, const DiversityOptions& options) {
    if (options.metric == Metric::cosine) return {Similarity::Kernel::cosine, 1.0F};
    const double wanted = options.parameters.radius;
    return {Similarity::Kernel::gaussian,
            std::isnan(wanted) ? median_distance(all, options) : static_cast<float>(wanted)};
}

SimilarityRows::SimilarityRows(const AllRows& all, const Similarity& similarity)
    : places_(numbers_to(all.size())),
      packed_(all.view(), places_),
      similarity_(similarity),
      dim_(all.dim) {}

void Similarity::of_all(std::span<float> squared) const {
    if (kernel == Kernel::gaussian) {
        kernels::exponentials(squared, -2.0F * length * length);
        return;
    }
    for (float& value : squared)
        value = of(value);
}

void SimilarityRows::fill(const float* features, std::span<float> out) const {
    fill_rows({features, 1, dim_}, out);
}

void SimilarityRows::fill_rows(kernels::MatrixView features, std::span<float> out) const {
    fill_rows_from(0, features, out.data());
}

void SimilarityRows::fill_rows_from(std::int64_t first, kernels::MatrixView features,
                                    float* out) const {
    const std::int64_t width = std::ssize(places_);
    packed_.distances(features, {first, width}, out + first, width);
    for (std::int64_t i = 0; i < features.rows; ++i)
        similarity_.of_all({out + i * width + first, static_cast<std::size_t>(width - first)});
}

}  // namespace sluice::select
