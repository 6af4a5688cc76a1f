#include "pool/made_committee.hpp"

#include "pool/made_math.hpp"
#include "pool/made_random.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::pool {
namespace {

// Tables of a pool's fixed structure, apart from those of the features (made_kinds.cpp).
enum Table : std::uint32_t {
    projection_table = 16,
    class_table,
    member_table,
    wave_table,
    wave_member_table,
    wave_phase_table
};

constexpr std::size_t num_factors = MadeCommittee::num_factors;

// Standard deviation of a logit over the rows: from sure (a gap of 6) to undecided.
constexpr float logit_spread = 3.0F;
// How far members lie from the common model, as a share of its weights.
constexpr float member_spread = 0.35F;
// Turns of a prediction's wave for one standard deviation of a factor.
constexpr float wave_turns = 0.12F;

// out[r, j] = sum over k of factors[r, k] * weights[k, j]; the sum in the order of k.
void multiply(std::span<const float> factors, std::span<const float> weights,
              std::span<float> out) {
    const std::size_t width = weights.size() / num_factors;
    const std::size_t num_rows = factors.size() / num_factors;
    for (std::size_t r = 0; r < num_rows; ++r) {
        const float* const factor = factors.data() + r * num_factors;
        float* const result = out.data() + r * width;
        for (std::size_t j = 0; j < width; ++j) {
            float sum = 0.0F;
            for (std::size_t k = 0; k < num_factors; ++k) {
                sum += factor[k] * weights[k * width + j];
            }
            result[j] = sum;
        }
    }
}

// Weights [num_factors, members * width]: the common [num_factors, width] plus each member's own.
std::vector<float> perturbed(const std::vector<float>& common, std::int64_t members,
                             std::span<const float> own) {
    const std::size_t width = common.size() / num_factors;
    std::vector<float> weights;
    for (std::size_t k = 0; k < num_factors; ++k) {
        for (std::size_t m = 0; m < static_cast<std::size_t>(members); ++m) {
            for (std::size_t j = 0; j < width; ++j) {
                weights.push_back(common[k * width + j] + member_spread * own[weights.size()]);
            }
        }
    }
    return weights;
}

// Class weights [num_factors, C]: along the class's own group where there is one, else random.
// Each class's weights get the length that gives its logits their spread.
std::vector<float> class_weights(const MadeShape& shape, const std::vector<float>& centers) {
    const auto classes = static_cast<std::size_t>(shape.classes);
    std::vector<float> weights =
        normal_table(shape.seed, class_table, MadeCommittee::num_factors * shape.classes);
    const std::size_t with_center = std::min(classes, centers.size() / num_factors);
    for (std::size_t c = 0; c < classes; ++c) {
        double squares = 0.0;
        for (std::size_t k = 0; k < num_factors; ++k) {
            float& weight = weights[k * classes + c];
            if (c < with_center) weight = centers[c * num_factors + k];
            squares += double{weight} * double{weight};
        }
        const auto scale = static_cast<float>(logit_spread / std::sqrt(squares + 1e-30));
        for (std::size_t k = 0; k < num_factors; ++k)
            weights[k * classes + c] *= scale;
    }
    return weights;
}

}  // namespace

MadeCommittee::MadeCommittee(const MadeShape& shape, const CommitteeShape& committee,
                             const FeatureMaker& features)
    : shape_(shape), committee_(committee) {
    const std::int64_t members = committee.members;
    projection_ = normal_table(shape.seed, projection_table, shape.dim * num_factors);
    aim_projection(features.centers());
    scale_projection(features);
    class_weights_ = class_weights(shape, factors(features.centers()));
    std::vector<float> own =
        normal_table(shape.seed, member_table, num_factors * members * shape.classes);
    const float typical = logit_spread / std::sqrt(static_cast<float>(num_factors));
    for (float& value : own)
        value *= typical;
    member_weights_ = perturbed(class_weights_, members, own);

    std::vector<float> waves =
        normal_table(shape.seed, wave_table, num_factors * committee.outputs);
    for (float& value : waves)
        value *= wave_turns;
    own = normal_table(shape.seed, wave_member_table, num_factors * members * committee.outputs);
    for (float& value : own)
        value *= wave_turns;
    wave_weights_ = perturbed(waves, members, own);
    wave_phases_ = uniform_table(shape.seed, wave_phase_table, committee.outputs);
}

// Where the rows form groups, a factor points to one group's centre instead of anywhere, so that
// classes can be told apart by the factors.
void MadeCommittee::aim_projection(std::span<const float> centers) {
    const auto dim = static_cast<std::size_t>(shape_.dim);
    const std::size_t num_aimed = std::min(pool::num_factors, centers.size() / dim);
    for (std::size_t d = 0; d < dim; ++d) {
        for (std::size_t k = 0; k < num_aimed; ++k) {
            projection_[d * num_factors + k] = centers[k * dim + d];
        }
    }
}

// Gives the factors unit variance, measured on rows that every pool of this shape begins with.
void MadeCommittee::scale_projection(const FeatureMaker& features) {
    constexpr RowId num_probes = 256;
    std::vector<float> probes(static_cast<std::size_t>(num_probes * shape_.dim));
    features.fill({0, num_probes}, probes);
    const std::vector<float> projected = factors(probes);
    double squares = 0.0;
    for (const float value : projected)
        squares += double{value} * double{value};
    const double scale = 1.0 / std::sqrt(squares / static_cast<double>(projected.size()));
    for (float& value : projection_)
        value = static_cast<float>(value * scale);
}

std::vector<float> MadeCommittee::factors(std::span<const float> features) const {
    const auto dim = static_cast<std::size_t>(shape_.dim);
    std::vector<float> result(features.size() / dim * num_factors);
    for (std::size_t r = 0; r * dim < features.size(); ++r) {
        float sums[num_factors] = {};
        for (std::size_t d = 0; d < dim; ++d) {
            const float value = features[r * dim + d];
            for (std::size_t k = 0; k < num_factors; ++k) {
                sums[k] += value * projection_[d * num_factors + k];
            }
        }
        std::copy_n(sums, num_factors, result.data() + r * num_factors);
    }
    return result;
}

void MadeCommittee::fill_logits(std::span<const float> factors, std::span<float> out) const {
    multiply(factors, class_weights_, out);
}

void MadeCommittee::fill_member_logits(std::span<const float> factors, std::span<float> out) const {
    multiply(factors, member_weights_, out);
}

void MadeCommittee::fill_predictions(std::span<const float> factors, std::span<float> out) const {
    multiply(factors, wave_weights_, out);
    const std::size_t outputs = wave_phases_.size();
    for (std::size_t first = 0; first < out.size(); first += outputs) {
        for (std::size_t t = 0; t < outputs; ++t) {
            out[first + t] = made_sine_cosine(out[first + t] + wave_phases_[t]).sine;
        }
    }
}

void softmax_rows(std::span<float> values, std::int64_t classes) {
    const auto width = static_cast<std::size_t>(classes);
    for (std::size_t first = 0; first < values.size(); first += width) {
        float* const row = values.data() + first;
        const float largest = *std::max_element(row, row + width);
        for (std::size_t c = 0; c < width; ++c)
            row[c] = made_exp(row[c] - largest);
        double sum = 0.0;  // in float64, so that the rounded shares add up to 1 within 1e-6
        for (std::size_t c = 0; c < width; ++c)
            sum += row[c];
        const auto scale = static_cast<float>(1.0 / sum);
        for (std::size_t c = 0; c < width; ++c)
            row[c] *= scale;
    }
}

}  // namespace sluice::pool
