#include "kernels/dense.hpp"
#include "kernels/device_sample.hpp"
#include "select/scores/feature_scores.hpp"
#include "select/scores/pool_sample.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace sluice::select {
namespace {

constexpr std::size_t num_nearest = 20;
constexpr std::size_t num_looked_at = 2 * num_nearest;
static_assert(num_looked_at == kernels::DeviceSample::num_found);
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

float squared_norm(const float* row, std::int64_t dim) {
    double squares = 0.0;
    for (std::int64_t k = 0; k < dim; ++k)
        squares += static_cast<double>(row[k]) * static_cast<double>(row[k]);
    return static_cast<float>(squares);
}

double distance(const float* x, const float* y, std::int64_t dim) {
    double squares = 0.0;
    for (std::int64_t k = 0; k < dim; ++k) {
        const double difference = static_cast<double>(x[k]) - static_cast<double>(y[k]);
        squares += difference * difference;
    }
    return std::sqrt(squares);
}

// A row of the sample and how far it is, less the square that all share. Of equal ones the first
// is nearer.
struct Near {
    float value;
    std::int32_t index;

    friend bool operator<(const Near& left, const Near& right) {
        return left.value < right.value || (left.value == right.value && left.index < right.index);
    }
};

// The sample in memory, laid out for products.
struct Sample {
    std::vector<RowId> rows;
    std::vector<float> features;  // [rows, dim]
    std::vector<float> norms;     // squared
    std::int64_t dim = 0;
    kernels::DensePanels panels;
    std::unique_ptr<kernels::DeviceSample> device;  // where the products are made there
};

// Products with all rows of the sample say which few may be the nearest; their distances are then
// computed without the cancellation of |x|^2 + |y|^2 - 2 x y.
class MeanDistance : public FeatureScore {
  public:
    enum class Sense { dense, sparse };

    MeanDistance(Sample sample, Sense sense) : sample_(std::move(sample)), sense_(sense) {}

    void score(kernels::MatrixView features, RowId first, std::span<float> scores) const override {
        if (sample_.device) return score_on_device(features, first, scores);
        constexpr std::int64_t rows_at_once = 64;
        const std::int64_t count = std::ssize(sample_.rows);
        thread_local std::vector<float> products;
        products.resize(static_cast<std::size_t>(rows_at_once * count));
        for (std::int64_t begin = 0; begin < features.rows; begin += rows_at_once) {
            const std::int64_t rows = std::min(rows_at_once, features.rows - begin);
            kernels::multiply({features.row(begin), rows, features.dim}, sample_.panels, nullptr,
                              kernels::Activation::identity, products.data(), count);
            for (std::int64_t i = 0; i < rows; ++i)
                scores[static_cast<std::size_t>(begin + i)] =
                    score_of(features.row(begin + i),
                             nearest_of(first + begin + i, products.data() + i * count));
        }
    }

  private:
    void score_on_device(kernels::MatrixView features, RowId first, std::span<float> scores) const {
        thread_local std::vector<std::int32_t> found;
        found.resize(scores.size() * num_looked_at);
        sample_.device->search(features, first, found);
        for (std::size_t i = 0; i < scores.size(); ++i) {
            const auto places = std::span(found).subspan(i * num_looked_at, num_looked_at);
            const auto end = std::find(places.begin(), places.end(), -1);
            scores[i] = score_of(features.row(static_cast<std::int64_t>(i)), {places.begin(), end});
        }
    }

    float score_of(const float* row, std::span<const std::int32_t> near) const {
        if (!is_usable({row, static_cast<std::size_t>(sample_.dim)})) return not_a_number;
        const double mean = mean_distance(row, near);
        if (sense_ == Sense::sparse) return static_cast<float>(mean);
        return mean > 0.0
                   ? std::min(static_cast<float>(1.0 / mean), std::numeric_limits<float>::max())
                   : std::numeric_limits<float>::max();
    }

    double mean_distance(const float* row, std::span<const std::int32_t> near) const {
        double distances[num_looked_at];
        std::size_t count = 0;
        for (const std::int32_t place : near) {
            const float* other = sample_.features.data() + place * sample_.dim;
            distances[count++] = distance(row, other, sample_.dim);
        }
        std::sort(distances, distances + count);
        count = std::min(count, num_nearest);
        if (count == 0) return 0.0;
        return std::accumulate(distances, distances + count, 0.0) / static_cast<double>(count);
    }

    // Those that may be the nearest: a heap of the best so far, which few rows enter.
    std::vector<std::int32_t> nearest_of(RowId number, const float* products) const {
        std::vector<Near> heap;
        heap.reserve(num_looked_at);
        float bound = std::numeric_limits<float>::infinity();
        for (std::size_t j = 0; j < sample_.rows.size(); ++j) {
            const float value = sample_.norms[j] - 2.0F * products[j];
            if (!(value < bound) || sample_.rows[j] == number) continue;
            if (heap.size() == num_looked_at) {
                std::pop_heap(heap.begin(), heap.end());
                heap.pop_back();
            }
            heap.push_back({value, static_cast<std::int32_t>(j)});
            std::push_heap(heap.begin(), heap.end());
            if (heap.size() == num_looked_at) bound = heap.front().value;
        }
        std::vector<std::int32_t> places;
        for (const Near& one : heap)
            places.push_back(one.index);
        return places;
    }

    Sample sample_;
    Sense sense_;
};

Sample read_sample(const ScorePreparation& from) {
    PoolSample rows = read_pool_sample(from);
    Sample sample;
    sample.dim = from.features.dim();
    for (std::int64_t i = 0; i < std::ssize(rows.rows); ++i)
        sample.norms.push_back(squared_norm(rows.features.data() + i * sample.dim, sample.dim));
    sample.rows = std::move(rows.rows);
    sample.features = std::move(rows.features);
    if (from.backend == kernels::Backend::cuda) {
        sample.device = kernels::make_device_sample(
            {{sample.features.data(), std::ssize(sample.rows), sample.dim},
             sample.norms,
             sample.rows});
    } else {
        sample.panels.pack_transposed(sample.features.data(), std::ssize(sample.rows), sample.dim);
    }
    return sample;
}

template <MeanDistance::Sense sense>
std::unique_ptr<FeatureScore> prepare(const ScorePreparation& from) {
    return std::make_unique<MeanDistance>(read_sample(from), sense);
}

ScoreForecast forecast(const ScoreSizes& sizes) {
    return {.memory_bytes = sample_rows * (3 * sizes.dim * std::int64_t{sizeof(float)} + 16)};
}

}  // namespace

// \source Hacohen, Dekel and Weinshall, "Active Learning on a Budget: Opposite Strategies Suit High
//         and Low Budgets", ICML 2022, equation 1 (typicality, 20 neighbours at most).
FeatureScoreDefinition knn_density() {
    return {"knn_density",
            {"dense", "local_density"},
            "1 / mean distance to the 20 nearest of 4,096 sampled rows (exact for smaller pools); "
            "> 0",
            prepare<MeanDistance::Sense::dense>,
            forecast};
}

FeatureScoreDefinition knn_sparsity() {
    return {"knn_sparsity",
            {"sparse", "outlierness"},
            "mean distance to the 20 nearest of 4,096 sampled rows (exact for smaller pools); >= 0",
            prepare<MeanDistance::Sense::sparse>,
            forecast};
}

}  // namespace sluice::select
