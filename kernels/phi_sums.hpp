#pragma once

#include "kernels/canonical_math.hpp"

namespace sluice::kernels {

/// phi's terms of one class, summed over members: with r = 2^e (1 + f), f in [-1/4, 1/2],
/// phi(r) = 2^e f^2 Q(f) + e ln 2 r + (1 - 2^e), Q(f) = ((1 + f) ln(1 + f) - f) / f^2; for r
/// near 1 it is f^2 Q(f) alone. r enters as 1 + (r - 1), because r - 1 is the more accurate.
template <class Value>
struct PhiSums {
    Value curved{0.0F};  ///< sum of 2^e f^2 Q(f)
    Value powers{0.0F};  ///< sum of 2^e, less M
    Value linear{0.0F};  ///< sum of e r, in steps of a float's exponent field
    Value drift{0.0F};   ///< sum of r - 1

    /// `f` = r - 1 rounded once.
    SLUICE_LANE void add(Value f) {
        const Value r = f + Value(1.0F);
        // A mantissa of 1.5 and more counts to the next exponent.
        const auto power_bits =
            (bits_of(r) + IntegerOf<Value>(0x00400000U)) & IntegerOf<Value>(0x7f800000U);
        const Value power = float_of_bits(power_bits);
        const Value inverse = float_of_bits(IntegerOf<Value>(0x7f000000U) - power_bits);
        const Value exponent = float_of_integer(power_bits - IntegerOf<Value>(0x3f800000U));
        const Value reduced = multiply_add(f, inverse, inverse - Value(1.0F));
        constexpr float coefficients[8] = {0.5F,
                                           -0x1.5555740p-3F,
                                           0x1.55517a0p-4F,
                                           -0x1.9966920p-5F,
                                           0x1.11fcc60p-5F,
                                           -0x1.9213e60p-6F,
                                           0x1.21462c0p-6F,
                                           -0x1.fd579a0p-8F};
        const Value square = reduced * reduced;
        const Value q = polynomial7(reduced, square, coefficients);
        curved = multiply_add(power * square, q, curved);
        linear = multiply_add(r, exponent, linear);
        powers = powers + power;
        drift = drift + f;
    }

    /// Sum over members of phi(r).
    SLUICE_LANE Value total() const { return curved + whole(); }
    /// The same less M phi(mean r), for a mean near 1.
    SLUICE_LANE Value total_about_mean(float members) const {
        return whole() + multiply_add(drift * drift, Value(-0.5F / members), curved);
    }

  private:
    /// The terms that cancel: nearly exact each, their sum is rounded once.
    SLUICE_LANE Value whole() const {
        return multiply_add(linear, Value(ln2_per_exponent_bit), Value(0.0F) - powers);
    }
};

}  // namespace sluice::kernels
