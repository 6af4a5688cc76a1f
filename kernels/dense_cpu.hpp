#pragma once

#include "kernels/activation.hpp"

#include <cstdint>
#include <vector>

namespace sluice::kernels {

/// multiply()'s arguments, its right-hand side as panels of 16 columns.
struct DenseProduct {
    const float* left = nullptr;
    std::int64_t rows = 0;
    std::int64_t left_stride = 0;
    const float* panels = nullptr;
    std::int64_t depth = 0;
    std::int64_t columns = 0;
    const float* bias = nullptr;  ///< [columns] or null
    Activation activation = Activation::identity;
    float* out = nullptr;
    std::int64_t out_stride = 0;
};

/// How a row's features become inputs of the nets. The arrays are [dim], padded to whole panels.
struct InputMap {
    std::int64_t dim = 0;
    const float* offset = nullptr;
    const float* factor = nullptr;
};

/// How a row's M * outputs values leave the nets. The arrays are as long, padded to whole panels.
struct OutputMap {
    std::int64_t columns = 0;
    const float* factor = nullptr;
    const float* offset = nullptr;
    const float* is_variance = nullptr;  ///< 1 where the value is a variance's logarithm, else 0
};

/// The forward pass compiled for one instruction set; all give the same results.
struct DenseInstructions {
    const char* name;
    void (*multiply)(const DenseProduct& product);
    /// Writes one row's inputs; false if a feature is not finite.
    bool (*prepare)(const InputMap& map, const float* features, float* inputs);
    /// Maps one row's values in place; a null `factor` leaves them as they are, but for NaN.
    void (*finish)(const OutputMap& map, float* values);
};

extern const DenseInstructions dense_baseline;
extern const DenseInstructions dense_avx2;    ///< in builds for x86-64 only
extern const DenseInstructions dense_avx512;  ///< likewise

/// Those that this processor can run, up to the level cpu_instruction_set() names.
std::vector<const DenseInstructions*> usable_dense_instructions();

/// The one that cpu_instruction_set() names.
const DenseInstructions& chosen_dense_instructions();

}  // namespace sluice::kernels
