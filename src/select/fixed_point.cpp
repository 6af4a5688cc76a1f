#include "select/fixed_point.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace sluice::select {
namespace {

constexpr int weight_bits = 20;
constexpr int most_bits = 30;  // beyond float32 there is nothing to keep

// Bits of the magnitude order as the magnitude does, and travel as whole numbers.
std::int64_t magnitude_bits(float x) {
    return std::bit_cast<std::uint32_t>(std::fabs(x));
}

}  // namespace

std::vector<std::int64_t> whole_weights(std::span<const float> weights, comm::Communicator& world) {
    double largest = 0.0;
    for (const float weight : weights)
        largest = std::max(largest, static_cast<double>(weight));
    largest = world.max(largest);
    std::vector<std::int64_t> result(weights.size(), 1);
    if (largest == 0.0) return result;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const double share = static_cast<double>(weights[i]) / largest;
        result[i] = std::llrint(share * double(1 << weight_bits));
        if (weights[i] > 0.0F) result[i] = std::max<std::int64_t>(1, result[i]);
    }
    return result;
}

FixedPoint::FixedPoint(kernels::MatrixView features, std::int64_t num_rows,
                       comm::Communicator& world)
    : bits_(std::min(most_bits,
                     62 - weight_bits -
                         static_cast<int>(std::bit_width(static_cast<std::uint64_t>(num_rows))))) {
    std::vector<std::int64_t> largest(static_cast<std::size_t>(features.dim), 0);
    for (std::int64_t i = 0; i < features.rows; ++i) {
        for (std::int64_t k = 0; k < features.dim; ++k) {
            std::int64_t& bound = largest[static_cast<std::size_t>(k)];
            bound = std::max(bound, magnitude_bits(features.row(i)[k]));
        }
    }
    world.max(largest);
    for (const std::int64_t bound : largest) {
        const float magnitude = std::bit_cast<float>(static_cast<std::uint32_t>(bound));
        scale_.push_back(magnitude == 0.0F ? 1.0
                                           : std::ldexp(1.0, bits_ - 1 - std::ilogb(magnitude)));
    }
}

// Whole numbers below 2^51 in magnitude come out of a sum with `magic` as its last bits, rounded to
// even as llrint does, and many at a time. A rounded feature is at most 2^30, times a weight 2^50.
void FixedPoint::add(const float* x, std::int64_t weight, std::int64_t* sums) const {
    constexpr double magic = 0x1.8p52;
    const auto factor = static_cast<double>(weight);
    for (std::size_t k = 0; k < scale_.size(); ++k) {
        const double rounded = (static_cast<double>(x[k]) * scale_[k] + magic) - magic;
        sums[k] += std::bit_cast<std::int64_t>(rounded * factor + magic) -
                   std::bit_cast<std::int64_t>(magic);
    }
}

void FixedPoint::mean(const std::int64_t* sums, std::int64_t weight, float* result) const {
    for (std::size_t k = 0; k < scale_.size(); ++k) {
        result[k] = static_cast<float>(static_cast<double>(sums[k]) / static_cast<double>(weight) /
                                       scale_[k]);
    }
}

}  // namespace sluice::select
