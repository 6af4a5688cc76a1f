#include "select/embedding/product_sketch.hpp"

#include "core/philox.hpp"

namespace sluice::select {
namespace {

constexpr std::uint32_t of_products = 1;  // the other sketches' random numbers are of round 0
constexpr std::int64_t bits_at_once = 128;

// `size` or -size at random, [to].
void draw_signs(std::uint64_t seed, std::uint64_t vector, float size, std::int64_t to, float* out) {
    for (std::int64_t k = 0; k < to; k += bits_at_once) {
        const Philox4 words = random_words(seed, RandomPurpose::embedding_sketch, of_products,
                                           vector, static_cast<std::uint32_t>(k / bits_at_once));
        for (std::int64_t bit = 0; bit < bits_at_once && k + bit < to; ++bit)
            out[k + bit] = (words.word[bit / 32] >> (bit % 32) & 1U) != 0 ? -size : size;
    }
}

}  // namespace

ProductSketch::ProductSketch(const Shape& shape, std::uint64_t seed, std::int64_t number)
    : shape_(shape), last_(static_cast<std::size_t>(shape.to)) {
    std::uint64_t vector = static_cast<std::uint64_t>(number) << 24;
    const auto draw = [&](std::int64_t count, float size, kernels::DensePanels& panels) {
        std::vector<float> signs(static_cast<std::size_t>(count * shape_.to));
        for (std::int64_t i = 0; i < count; ++i)
            draw_signs(seed, vector++, size, shape_.to, signs.data() + i * shape_.to);
        panels.pack(signs.data(), count, shape_.to);
    };
    draw(shape.left, shape.left_factor, left_);
    draw_signs(seed, vector++, 1.0F, shape.to, last_.data());
    draw(shape.right, 1.0F, right_);
}

void ProductSketch::add(const float* left, const float* right, std::int64_t rows,
                        float* sketches) const {
    kernels::AlignedFloats both;
    const std::int64_t count = rows * shape_.to;
    float* const x = both.reserve(2 * count);
    float* const y = x + count;
    kernels::multiply({left, rows, shape_.left}, left_, last_.data(), kernels::Activation::identity,
                      x, shape_.to);
    kernels::multiply({right, rows, shape_.right}, right_, nullptr, kernels::Activation::identity,
                      y, shape_.to);
    for (std::int64_t i = 0; i < count; ++i)
        sketches[i] += x[i] * y[i];
}

std::int64_t ProductSketch::memory_bytes() const {
    const std::int64_t columns = left_.num_panels() * kernels::DensePanels::panel_width;
    return (shape_.left + 1 + shape_.right) * columns * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace sluice::select
