#pragma once

#include "kernels/activation.hpp"

#include <cstdint>

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

/// multiply() compiled for one instruction set, all with the same results.
using DenseFunction = void (*)(const DenseProduct& product);

void multiply_baseline(const DenseProduct& product);
void multiply_avx2(const DenseProduct& product);    ///< in builds for x86-64 only
void multiply_avx512(const DenseProduct& product);  ///< likewise

}  // namespace sluice::kernels
