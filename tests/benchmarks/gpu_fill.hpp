#pragma once

#include "core/philox.hpp"
#include "kernels/cuda/device.hpp"

#include <cstdint>

namespace sluice::bench {

/// Logits of a fairly sure committee: -3 to 3, by place and seed.
SLUICE_HD inline float random_value(std::uint64_t seed, std::int64_t place) {
    const Philox4 words =
        random_words(seed, RandomPurpose::pool_values, 0, static_cast<std::uint64_t>(place), 0);
    return 6.0F * unit_float(words.word[0]) - 3.0F;
}

/// values[i] = random_value(seed, i).
void fill_on_device(kernels::cuda::DeviceBuffer& values, std::uint64_t seed,
                    const kernels::cuda::Stream& stream);

/// The same, rounded to IEEE binary16.
void fill_on_device(kernels::cuda::DeviceArray<std::uint16_t>& halves, std::uint64_t seed,
                    const kernels::cuda::Stream& stream);

}  // namespace sluice::bench
