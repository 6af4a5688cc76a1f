#include "core/error.hpp"
#include "model/layer_gradients.hpp"
#include "select/embedding/makers.hpp"
#include "select/embedding/product_sketch.hpp"
#include "select/member_probabilities.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace sluice::select {
namespace {

using Shape = model::LayerGradients::Shape;

constexpr std::int64_t chunk_rows = 64;  // whose numbers stay in cache

// Of weights: as if they were small numbers times the root of the layer's inputs.
float factor_of(const Shape& layer) {
    return 1.0F / std::sqrt(static_cast<float>(layer.inputs));
}

class AllGradientsEmbedder : public Embedder {
  public:
    AllGradientsEmbedder(const model::Committee& committee,
                         std::shared_ptr<const kernels::CommitteeNetwork> outputs,
                         SketchLength length)
        : Embedder(committee.dim, length.to),
          mean_(committee.input.mean),
          outputs_(std::move(outputs)),
          num_predictions_(committee.outputs),
          is_sketched_(length.to != length.from) {
        for (const float scale : committee.input.scale)
            factor_.push_back(1.0F / scale);
        for (const model::Network& net : committee.networks) {
            nets_.emplace_back(net);
            if (!is_sketched_) continue;
            for (const Shape& layer : nets_.back().shapes())
                sketches_.emplace_back(
                    ProductSketch::Shape{layer.inputs, layer.outputs, length.to, factor_of(layer)},
                    length.seed, std::ssize(sketches_));
        }
        const auto terms = static_cast<float>(nets_.size());
        scale_ = 1.0F / std::sqrt(is_sketched_ ? terms * static_cast<float>(length.to) : terms);
    }

    void embed(std::span<const float> values, std::span<float> out) const override {
        const std::int64_t rows = std::ssize(values) / inputs();
        for (std::int64_t begin = 0; begin < rows; begin += chunk_rows) {
            const std::int64_t count = std::min(chunk_rows, rows - begin);
            const auto part = [&](auto all, std::int64_t width) {
                return all.subspan(static_cast<std::size_t>(begin * width),
                                   static_cast<std::size_t>(count * width));
            };
            embed_chunk(part(values, inputs()), part(out, dim()));
        }
    }

    std::int64_t held_bytes() const override {
        std::int64_t bytes = 0;
        for (const model::LayerGradients& net : nets_)
            bytes += net.memory_bytes();
        for (const ProductSketch& sketch : sketches_)
            bytes += sketch.memory_bytes();
        return bytes;
    }
    std::int64_t row_bytes() const override {
        return nets_.front().row_bytes() +
               (inputs() + 2 * dim()) * static_cast<std::int64_t>(sizeof(float));
    }

  private:
    void embed_chunk(std::span<const float> values, std::span<float> out) const {
        const std::int64_t rows = std::ssize(values) / inputs();
        const std::vector<float> x = normalized(values);
        std::vector<float> classes;
        if (outputs_ != nullptr) classes = errors_of_classes(values);
        std::fill(out.begin(), out.end(), 0.0F);
        std::int64_t at = 0;
        std::size_t sketch = 0;
        for (std::size_t m = 0; m < nets_.size(); ++m) {
            const std::vector<float> errors = errors_of(m, classes, rows);
            const std::vector<model::LayerGradient> layers = nets_[m].of(x.data(), rows, errors);
            for (std::size_t l = 0; l < layers.size(); ++l) {
                const Shape& shape = nets_[m].shapes()[l];
                if (is_sketched_) {
                    sketches_[sketch++].add(layers[l].reads.data(), layers[l].slopes.data(), rows,
                                            out.data());
                } else {
                    write(layers[l], shape, rows, out.data() + at);
                }
                at += (shape.inputs + 1) * shape.outputs;
            }
        }
        for (float& number : out)
            number *= scale_;
        spoil_rows(values, out);
    }

    std::vector<float> normalized(std::span<const float> values) const {
        std::vector<float> x(values.begin(), values.end());
        if (mean_.empty()) return x;
        for (std::size_t i = 0; i < x.size(); ++i)
            x[i] = (x[i] - mean_[i % mean_.size()]) * factor_[i % mean_.size()];
        return x;
    }

    // [rows, M, C] p - onehot of the most probable class, the first of several.
    std::vector<float> errors_of_classes(std::span<const float> values) const {
        const std::int64_t classes = outputs_->outputs();
        std::vector<float> errors = model_probabilities(*outputs_, values);
        for (auto own = errors.begin(); own != errors.end(); own += classes)
            *std::max_element(own, own + classes) -= 1.0F;
        return errors;
    }

    // [rows, outputs of the net]; of a regression 1 for each prediction and 0 for each variance.
    std::vector<float> errors_of(std::size_t member, std::span<const float> classes,
                                 std::int64_t rows) const {
        const std::int64_t width = nets_[member].shapes().back().outputs;
        std::vector<float> errors(static_cast<std::size_t>(rows * width), 0.0F);
        const auto members = static_cast<std::int64_t>(nets_.size());
        for (std::int64_t i = 0; i < rows; ++i) {
            float* const own = errors.data() + i * width;
            if (outputs_ == nullptr) {
                std::fill_n(own, num_predictions_, 1.0F);
            } else {
                const std::int64_t from = (i * members + static_cast<std::int64_t>(member)) * width;
                std::copy_n(classes.data() + from, width, own);
            }
        }
        return errors;
    }

    void write(const model::LayerGradient& layer, const Shape& shape, std::int64_t rows,
               float* out) const {
        const float factor = factor_of(shape);
        for (std::int64_t i = 0; i < rows; ++i) {
            const float* const slopes = layer.slopes.data() + i * shape.outputs;
            float* to = out + i * dim();
            for (std::int64_t d = 0; d <= shape.inputs; ++d) {
                const float read =
                    d < shape.inputs ? layer.reads.data()[i * shape.inputs + d] * factor : 1.0F;
                for (std::int64_t c = 0; c < shape.outputs; ++c)
                    *to++ = read * slopes[c];
            }
        }
    }

    // relu makes a number of what is none.
    void spoil_rows(std::span<const float> values, std::span<float> out) const {
        const std::int64_t rows = std::ssize(values) / inputs();
        for (std::int64_t i = 0; i < rows; ++i) {
            const float* const row = values.data() + i * inputs();
            if (std::all_of(row, row + inputs(), [](float x) { return std::isfinite(x); }))
                continue;
            std::fill_n(out.data() + i * dim(), dim(), std::numeric_limits<float>::quiet_NaN());
        }
    }

    std::vector<float> mean_;
    std::vector<float> factor_;
    std::shared_ptr<const kernels::CommitteeNetwork> outputs_;  // of classes; else null
    std::int64_t num_predictions_;
    bool is_sketched_;
    std::vector<model::LayerGradients> nets_;
    std::vector<ProductSketch> sketches_;  // one for each layer of each net; none if not sketched
    float scale_ = 1.0F;
};

}  // namespace

std::int64_t all_gradients_size(const model::Committee& committee) {
    std::int64_t size = 0;
    for (const model::Network& net : committee.networks) {
        for (const Shape& layer : model::LayerGradients::shapes_of(net))
            size += (layer.inputs + 1) * layer.outputs;
    }
    return size;
}

std::unique_ptr<Embedder> all_gradients_embedder(
    const model::Committee& committee, std::shared_ptr<const kernels::CommitteeNetwork> outputs,
    SketchLength length) {
    return std::make_unique<AllGradientsEmbedder>(committee, std::move(outputs), length);
}

}  // namespace sluice::select
