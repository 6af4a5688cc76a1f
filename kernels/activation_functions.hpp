#pragma once

#include "kernels/activation.hpp"
#include "kernels/canonical_math.hpp"

/// The activations of canonical arithmetic, one source for every instruction set and the device.
/// The bounds are what tests/kernels/activation_test establishes against float64.
namespace sluice::kernels {

/// x / (1 + e^-x), within 4 ulp, below -87 (where e^x is denormal) within 2e-43; NaN for NaN.
template <class Value>
SLUICE_LANE Value canonical_silu(Value x) {
    const Value bounded = larger(Value(-200.0F), x);  // e^-200 is 0 already
    const Value decay = canonical_exp(smaller(bounded, Value(0.0F) - bounded));
    const Value share = select(x < Value(0.0F), decay, Value(1.0F));
    return bounded * (share / (Value(1.0F) + decay));
}

/// Hyperbolic tangent, within 3 ulp and at most 1; NaN for NaN.
/// \source tanh x = E / (E + 2), E = e^2x - 1.
template <class Value>
SLUICE_LANE Value canonical_tanh(Value x) {
    const Value size = smaller(Value(10.0F), larger(Value(0.0F) - x, x));  // tanh 10 is 1 rounded
    const Value grown = canonical_exp_pair(size + size, Value(0.0F)).minus_one;
    const Value result = grown / (grown + Value(2.0F));
    return select(x < Value(0.0F), Value(0.0F) - result, result);
}

/// cos x, off by at most 1.5e-7 for |x| <= 1e4; some number in [-1, 1] for larger finite ones, NaN
/// for NaN and infinities.
/// \source x = n pi + r with pi in two parts (Cody and Waite), of which the first step is exact;
///         the polynomial is the minimax one of degree 10 on |r| <= pi / 2, off by 5e-10.
template <class Value>
SLUICE_LANE Value canonical_cos(Value x) {
    const Value shifted = multiply_add(x, Value(0x1.45f306p-2F), Value(integer_magic));
    const Value count = shifted - Value(integer_magic);
    Value r = multiply_add(count, Value(-0x1.921fb6p+1F), x);
    r = multiply_add(count, Value(0x1.777a5cp-24F), r);
    r = larger(Value(-1.6F), smaller(Value(1.6F), r));
    const Value square = r * r;
    const Value cosine = horner(square, Value(-0x1.196accp-22F), 0x1.9f931cp-16F, -0x1.6c14b8p-10F,
                                0x1.555550p-5F, -0.5F, 1.0F);
    // An odd count turns the sign.
    const auto odd = bits_of(shifted) & IntegerOf<Value>(1U);
    return select(equal(float_of_integer(odd), Value(0.0F)), cosine, Value(0.0F) - cosine);
}

/// What a layer does to a sum. A sum that is not a number leaves relu as 0.
struct Identity {
    template <class Value>
    SLUICE_LANE static Value of(Value x) {
        return x;
    }
};
struct Relu {
    template <class Value>
    SLUICE_LANE static Value of(Value x) {
        return larger(x, Value(0.0F));
    }
};
struct Silu {
    template <class Value>
    SLUICE_LANE static Value of(Value x) {
        return canonical_silu(x);
    }
};
struct Tanh {
    template <class Value>
    SLUICE_LANE static Value of(Value x) {
        return canonical_tanh(x);
    }
};
struct Cosine {
    template <class Value>
    SLUICE_LANE static Value of(Value x) {
        return canonical_cos(x);
    }
};

/// visitor(Identity()), visitor(Relu()), ...: the one that `activation` names, chosen once for many
/// sums.
template <class Visitor>
SLUICE_LANE void with_activation(Activation activation, const Visitor& visitor) {
    switch (activation) {
        case Activation::identity:
            return visitor(Identity());
        case Activation::relu:
            return visitor(Relu());
        case Activation::silu:
            return visitor(Silu());
        case Activation::tanh:
            return visitor(Tanh());
        case Activation::cosine:
            return visitor(Cosine());
    }
}

/// What a layer does to one sum.
template <class Value>
SLUICE_LANE Value activate(Activation activation, Value x) {
    switch (activation) {
        case Activation::relu:
            return Relu::of(x);
        case Activation::silu:
            return Silu::of(x);
        case Activation::tanh:
            return Tanh::of(x);
        case Activation::cosine:
            return Cosine::of(x);
        case Activation::identity:
            break;
    }
    return x;
}

}  // namespace sluice::kernels
