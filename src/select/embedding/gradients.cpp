#include "select/embedding/makers.hpp"
#include "select/member_probabilities.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace sluice::select {
namespace {

// Classes of the error, 1 for a regression.
std::int64_t num_errors(const model::LastLayer& layer) {
    return layer.outputs ? layer.outputs->outputs() : 1;
}

class GradientEmbedder : public Embedder {
  public:
    GradientEmbedder(model::LastLayer layer, Sketch sketch)
        : Embedder(layer.hidden->dim(), sketch.to()),
          layer_(std::move(layer)),
          sketch_(std::move(sketch)),
          width_(layer_.hidden->outputs()),
          members_(layer_.hidden->members()),
          errors_(num_errors(layer_)),
          factor_(sketch_.scale() / std::sqrt(static_cast<float>(members_))) {}

    void embed(std::span<const float> values, std::span<float> out) const override {
        const std::int64_t rows = std::ssize(values) / inputs();
        std::vector<float> hidden(static_cast<std::size_t>(rows * members_ * width_));
        layer_.hidden->run(values.data(), rows, hidden.data());
        const std::vector<float> errors = errors_of(values);
        std::fill(out.begin(), out.end(), 0.0F);
        for (std::int64_t i = 0; i < rows; ++i) {
            float* const row = out.data() + i * dim();
            for (std::int64_t m = 0; m < members_; ++m)
                add_member(m, hidden.data() + (i * members_ + m) * width_,
                           errors.data() + (i * members_ + m) * errors_, row);
            for (std::int64_t k = 0; k < dim(); ++k)
                row[k] *= factor_;
        }
    }

    std::int64_t held_bytes() const override { return sketch_.memory_bytes(); }
    std::int64_t row_bytes() const override {
        return members_ * (width_ + errors_) * std::int64_t{sizeof(float)};
    }

  private:
    // [rows, M, errors] p - onehot of the most probable class, the first of several.
    std::vector<float> errors_of(std::span<const float> values) const {
        const std::int64_t rows = std::ssize(values) / inputs();
        if (layer_.outputs == nullptr)
            return std::vector<float>(static_cast<std::size_t>(rows * members_), 1.0F);
        std::vector<float> errors = model_probabilities(*layer_.outputs, values);
        for (auto own = errors.begin(); own != errors.end(); own += errors_)
            *std::max_element(own, own + errors_) -= 1.0F;
        return errors;
    }

    void add_member(std::int64_t member, const float* hidden, const float* errors,
                    float* out) const {
        std::int64_t number = member * (width_ + 1) * errors_;
        for (std::int64_t d = 0; d <= width_; ++d) {
            const float value = d < width_ ? hidden[d] : 1.0F;  // the bias's input is 1
            for (std::int64_t c = 0; c < errors_; ++c)
                sketch_.add(number++, value * errors[c], out);
        }
    }

    model::LastLayer layer_;
    Sketch sketch_;
    std::int64_t width_;
    std::int64_t members_;
    std::int64_t errors_;
    float factor_;
};

}  // namespace

std::int64_t gradient_size(const model::LastLayer& layer) {
    return layer.hidden->members() * (layer.hidden->outputs() + 1) * num_errors(layer);
}

std::unique_ptr<Embedder> gradient_embedder(model::LastLayer layer, Sketch sketch) {
    return std::make_unique<GradientEmbedder>(std::move(layer), std::move(sketch));
}

}  // namespace sluice::select
