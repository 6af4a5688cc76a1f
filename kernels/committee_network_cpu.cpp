#include "kernels/aligned_floats.hpp"
#include "kernels/committee_network_backends.hpp"
#include "kernels/dense.hpp"
#include "kernels/network_values.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::kernels {

namespace {

constexpr std::int64_t block_rows = 128;

struct Layer {
    DensePanels weight;
    std::vector<float> bias;
    Activation activation;
};

class CpuNetwork : public CommitteeNetwork {
  public:
    explicit CpuNetwork(const NetworkDefinition& definition)
        : CommitteeNetwork(definition), definition_(definition) {
        widest_ = dim();
        for (const std::vector<DenseLayer>& layers : definition.members) {
            std::vector<Layer>& own = members_.emplace_back();
            for (const DenseLayer& layer : layers) {
                own.push_back({{}, {layer.bias, layer.bias + layer.outputs}, layer.activation});
                own.back().weight.pack_transposed(layer.weight, layer.outputs, layer.inputs);
                widest_ = std::max(widest_, layer.outputs);
            }
        }
        definition_.members.clear();
    }

    void run(const float* features, std::int64_t rows, float* out) const override {
        for (std::int64_t begin = 0; begin < rows; begin += block_rows) {
            const std::int64_t count = std::min(block_rows, rows - begin);
            run_block(features + begin * dim(), count, out + begin * members() * outputs());
        }
    }

  private:
    void run_block(const float* features, std::int64_t rows, float* out) const {
        thread_local AlignedFloats buffers[3];
        float* input = buffers[0].reserve(rows * dim());
        for (std::int64_t i = 0; i < rows * dim(); ++i)
            input[i] = prepared(features[i], static_cast<std::size_t>(i % dim()));
        for (std::size_t m = 0; m < members_.size(); ++m) {
            DenseRows left{input, rows, dim()};
            for (std::size_t l = 0; l < members_[m].size(); ++l) {
                const Layer& layer = members_[m][l];
                float* to = buffers[1 + l % 2].reserve(rows * widest_);
                multiply(left, layer.weight, layer.bias.data(), layer.activation, to,
                         layer.weight.columns());
                left = {to, rows, layer.weight.columns()};
            }
            for (std::int64_t i = 0; i < rows; ++i)
                for (std::int64_t j = 0; j < outputs(); ++j)
                    out[(i * members() + static_cast<std::int64_t>(m)) * outputs() + j] =
                        finished(left.values[i * left.stride + j], j);
        }
        for (std::int64_t i = 0; i < rows; ++i)
            if (!std::all_of(features + i * dim(), features + (i + 1) * dim(),
                             [](float x) { return std::isfinite(x); }))
                std::fill_n(out + i * members() * outputs(), members() * outputs(), not_a_number);
    }

    float prepared(float feature, std::size_t k) const {
        const NetworkDefinition& d = definition_;
        return network_input(feature, d.input_offset.empty() ? 0.0F : d.input_offset[k],
                             d.input_factor.empty() ? 1.0F : d.input_factor[k]);
    }

    float finished(float value, std::int64_t output) const {
        const NetworkDefinition& d = definition_;
        const bool is_variance = output >= d.first_variance;
        const auto j = static_cast<std::size_t>(is_variance ? output - d.first_variance : output);
        const float factor = d.output_factor.empty() ? 1.0F : d.output_factor[j];
        const float offset = d.output_offset.empty() ? 0.0F : d.output_offset[j];
        return number_or_nan(is_variance ? network_variance(value, factor)
                                         : network_prediction(value, factor, offset));
    }

    NetworkDefinition definition_;
    std::vector<std::vector<Layer>> members_;
    std::int64_t widest_;
};

}  // namespace

std::shared_ptr<const CommitteeNetwork> make_committee_network_cpu(
    const NetworkDefinition& definition) {
    return std::make_shared<CpuNetwork>(definition);
}

}  // namespace sluice::kernels
