#pragma once

#include <cstdint>

namespace sluice::kernels {

/// Numbers side by side in a plain array: the vector that panels of rows are worked on with where
/// there is none of the processor's. Derived classes add what only they need.
template <class Number, int count>
struct PlainLanes {
    struct Type {
        Number lane[count];
    };
    static constexpr int lanes = count;
    static constexpr int max_vectors = 1;
    static constexpr int max_panels = 1;

    static Type zero() { return {}; }
    static Type load(const Number* from) {
        return of_lanes([&](int j) { return from[j]; });
    }
    static Type broadcast(const Number* from) {
        return of_lanes([&](int) { return *from; });
    }
    static Type multiply(const Type& a, const Type& b) {
        return of_lanes([&](int j) { return a.lane[j] * b.lane[j]; });
    }
    static Type add(const Type& a, const Type& b) {
        return of_lanes([&](int j) { return a.lane[j] + b.lane[j]; });
    }
    static void store(Number* to, const Type& values) {
        for (int j = 0; j < lanes; ++j)
            to[j] = values.lane[j];
    }

    /// Elements k to k + 7 of `count` rows, side by side.
    static void transpose(const float* const* rows, std::int64_t k, float* to) {
        for (int i = 0; i < 8; ++i) {
            for (int j = 0; j < count; ++j)
                to[i * count + j] = rows[j][k + i];
        }
    }

  protected:
    template <typename Lane>
    static Type of_lanes(const Lane& lane) {
        Type result;
        for (int j = 0; j < lanes; ++j)
            result.lane[j] = lane(j);
        return result;
    }
};

}  // namespace sluice::kernels
