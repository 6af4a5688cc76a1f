#pragma once

#include "kernels/worker_pool.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace sluice::bench {

/// A pool of [rows, dim] features for the k-center benchmark.
struct Features {
    std::int64_t rows = 0;
    std::int64_t dim = 0;
    std::vector<float> values;
};

inline const std::vector<std::string>& feature_kinds() {
    static const std::vector<std::string> kinds{"gaussian", "clusters", "subspace", "sphere",
                                                "manifold"};
    return kinds;
}

using Normal = std::function<float()>;
using FillRow = std::function<void(Normal&, std::mt19937_64&, float*)>;

/// [count, dim] standard normal numbers.
inline std::vector<float> normal_matrix(std::int64_t count, std::int64_t dim, unsigned seed) {
    std::mt19937_64 generator(seed);
    std::normal_distribution<float> normal;
    std::vector<float> values(static_cast<std::size_t>(count * dim));
    for (float& value : values)
        value = normal(generator);
    return values;
}

/// 512 clusters; `skewed` ones have sizes falling as 1 / (1 + j), others are equal.
inline FillRow cluster_rows(std::int64_t dim, float spread, bool skewed, bool on_sphere) {
    constexpr std::int64_t num_clusters = 512;
    std::vector<double> weights(num_clusters, 1.0);
    for (std::size_t j = 0; skewed && j < weights.size(); ++j)
        weights[j] = 1.0 / (1.0 + static_cast<double>(j));
    return [=, centers = normal_matrix(num_clusters, dim, 1),
            choose = std::discrete_distribution<std::int64_t>(weights.begin(), weights.end())](
               Normal& normal, std::mt19937_64& generator, float* row) mutable {
        const float* const center = centers.data() + choose(generator) * dim;
        float square = 0.0F;
        for (std::int64_t k = 0; k < dim; ++k) {
            row[k] = center[k] + spread * normal();
            square += row[k] * row[k];
        }
        for (std::int64_t k = 0; on_sphere && k < dim; ++k)
            row[k] /= std::sqrt(square);
    };
}

/// 16 normal coordinates, mapped linearly to `dim`, plus noise.
inline FillRow linear_rows(std::int64_t dim) {
    return [=, map = normal_matrix(16, dim, 2)](Normal& normal, std::mt19937_64&, float* row) {
        for (std::int64_t k = 0; k < dim; ++k)
            row[k] = 0.1F * normal();
        for (std::int64_t j = 0; j < 16; ++j) {
            const float coordinate = normal();
            for (std::int64_t k = 0; k < dim; ++k)
                row[k] += coordinate * map[j * dim + k];
        }
    };
}

/// A smooth surface of two coordinates: each feature is a wave in a random direction.
inline FillRow surface_rows(std::int64_t dim) {
    return [=, waves = normal_matrix(3, dim, 3)](Normal&, std::mt19937_64& generator, float* row) {
        std::uniform_real_distribution<float> uniform;
        const float u = uniform(generator);
        const float v = uniform(generator);
        for (std::int64_t k = 0; k < dim; ++k) {
            row[k] = std::sin(3.0F * (waves[k] * u + waves[dim + k] * v) + waves[2 * dim + k]);
        }
    };
}

inline FillRow row_maker(const std::string& kind, std::int64_t dim) {
    if (kind == "gaussian") {
        return [=](Normal& normal, std::mt19937_64&, float* row) {
            for (std::int64_t k = 0; k < dim; ++k)
                row[k] = normal();
        };
    }
    if (kind == "clusters") return cluster_rows(dim, 0.3F, true, false);
    if (kind == "subspace") return linear_rows(dim);
    if (kind == "sphere") return cluster_rows(dim, 0.5F, false, true);
    if (kind == "manifold") return surface_rows(dim);
    throw std::invalid_argument("unknown kind of data: " + kind);
}

/// The features of one kind; the same ones in every run.
inline Features make_features(const std::string& kind, std::int64_t rows, std::int64_t dim) {
    constexpr std::int64_t block = 4096;
    Features features{rows, dim, std::vector<float>(static_cast<std::size_t>(rows * dim))};
    kernels::parallel_for(2, (rows + block - 1) / block, [&](std::int64_t task) {
        FillRow fill = row_maker(kind, dim);
        std::mt19937_64 generator(1000 + static_cast<std::uint64_t>(task));
        std::normal_distribution<float> distribution;
        Normal normal = [&] { return distribution(generator); };
        for (std::int64_t i = task * block; i < std::min(rows, (task + 1) * block); ++i)
            fill(normal, generator, features.values.data() + i * dim);
    });
    return features;
}

}  // namespace sluice::bench
