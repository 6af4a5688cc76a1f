#include "select/embedding/makers.hpp"
#include "select/member_probabilities.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace sluice::select {
namespace {

class CovarianceEmbedder : public Embedder {
  public:
    CovarianceEmbedder(Sayings sayings, Sketch sketch)
        : Embedder(sayings.network ? sayings.network->dim() : sayings.members * sayings.outputs,
                   sketch.to()),
          sayings_(std::move(sayings)),
          sketch_(std::move(sketch)),
          factor_(sketch_.scale() / std::sqrt(static_cast<float>(sayings_.members))) {}

    void embed(std::span<const float> values, std::span<float> out) const override {
        const std::vector<float> said = say(values);
        std::fill(out.begin(), out.end(), 0.0F);
        const std::int64_t size = sayings_.members * sayings_.outputs;
        const std::int64_t rows = std::ssize(said) / size;
        for (std::int64_t i = 0; i < rows; ++i)
            deviate(said.data() + i * size, out.data() + i * dim());
    }

    std::int64_t held_bytes() const override { return sketch_.memory_bytes(); }
    std::int64_t row_bytes() const override {
        return sayings_.members * sayings_.outputs * std::int64_t{sizeof(float)};
    }

  private:
    std::vector<float> say(std::span<const float> values) const {
        if (sayings_.network == nullptr) {
            std::vector<float> said(values.begin(), values.end());
            if (is_logit(sayings_.input)) softmax(said, sayings_.outputs);
            return said;
        }
        if (speaks_of_classes(sayings_.input))
            return model_probabilities(*sayings_.network, values);
        const std::int64_t rows = std::ssize(values) / inputs();
        std::vector<float> said(
            static_cast<std::size_t>(rows * sayings_.members * sayings_.outputs));
        sayings_.network->run(values.data(), rows, said.data());
        return said;
    }

    void deviate(const float* said, float* out) const {
        const std::int64_t counted = sayings_.counted();
        for (std::int64_t t = 0; t < counted; ++t) {
            float sum = 0.0F;
            for (std::int64_t m = 0; m < sayings_.members; ++m)
                sum += said[m * sayings_.outputs + t];
            const float mean = sum / static_cast<float>(sayings_.members);
            for (std::int64_t m = 0; m < sayings_.members; ++m)
                sketch_.add(m * counted + t, said[m * sayings_.outputs + t] - mean, out);
        }
        for (std::int64_t k = 0; k < dim(); ++k)
            out[k] *= factor_;
    }

    Sayings sayings_;
    Sketch sketch_;
    float factor_;
};

}  // namespace

std::unique_ptr<Embedder> covariance_embedder(Sayings sayings, Sketch sketch) {
    return std::make_unique<CovarianceEmbedder>(std::move(sayings), std::move(sketch));
}

}  // namespace sluice::select
