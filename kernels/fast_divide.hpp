#pragma once

#include "kernels/simd/lane.hpp"

#include <cstdint>

namespace sluice::kernels {

/// Division of numbers below 2^16 by one divisor, 1 to 2^16 - 1, without dividing.
/// \source Granlund and Montgomery, "Division by Invariant Integers using Multiplication", 1994:
///         with m = floor(2^32 / d) + 1 the quotient is exact while n (m d - 2^32) < 2^32.
class FastDivide {
  public:
    SLUICE_HD explicit FastDivide(std::uint32_t divisor)
        : divisor_(divisor), factor_((std::uint64_t{1} << 32) / divisor + 1) {}

    SLUICE_LANE std::uint32_t quotient(std::uint32_t number) const {
        return static_cast<std::uint32_t>((number * factor_) >> 32);
    }
    SLUICE_LANE std::uint32_t remainder(std::uint32_t number) const {
        return number - quotient(number) * divisor_;
    }

  private:
    std::uint32_t divisor_;
    std::uint64_t factor_;
};

}  // namespace sluice::kernels
