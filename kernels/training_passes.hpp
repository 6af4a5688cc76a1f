#pragma once

#include <cstdint>

namespace sluice::kernels {

/// What one step of Adam multiplies with. \source Kingma and Ba, ICLR 2015, algorithm 1; weights
/// shrink apart from the gradient as in Loshchilov and Hutter, ICLR 2019 (AdamW).
struct AdamRates {
    float mean_rate = 0.1F;      ///< 1 - beta1
    float square_rate = 0.001F;  ///< 1 - beta2
    float step = 0.0F;           ///< learning rate / (1 - beta1^t)
    float square_scale = 1.0F;   ///< 1 / sqrt(1 - beta2^t)
    float epsilon = 1e-8F;
    float keep = 1.0F;     ///< 1 - learning rate * weight decay
    float penalty = 0.0F;  ///< added to the gradient for each unit of a weight
};

/// What Adam reads and changes.
struct AdamMemory {
    float* weights = nullptr;
    float* means = nullptr;
    float* squares = nullptr;
    const float* gradients = nullptr;
};

/// Passes of training over arrays, element by element, in canonical arithmetic: the same bits on
/// every instruction set. Arrays begin on a cache line and end with one: `count` is rounded up to
/// whole cache lines (16 floats). On the calling thread.
struct TrainingPasses {
    /// values = silu or tanh of the sums, slopes = its derivative there.
    void (*silu)(const float* sums, std::int64_t count, float* values, float* slopes);
    void (*tanh)(const float* sums, std::int64_t count, float* values, float* slopes);

    /// values = e^value, and values = ln value, as canonical_exp and canonical_log.
    void (*exponential)(float* values, std::int64_t count);
    void (*logarithm)(float* values, std::int64_t count);

    /// One step: gradients with the penalty go into means and squares, weights move.
    void (*adam)(const AdamRates& rates, const AdamMemory& memory, std::int64_t count);
};

/// The passes for the instruction set in use.
const TrainingPasses& training_passes();

}  // namespace sluice::kernels
