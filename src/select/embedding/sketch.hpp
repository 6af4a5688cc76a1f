#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// A random projection of long vectors to short ones that keeps inner products: each number of a
/// vector is added, with random signs, to one number of each of 4 (or `to`, if less) parts of the
/// short one. The mean of <Sx, Sy> over seeds is <x, y>, its variance at most
/// 2 |x|^2 |y|^2 / `to`.
/// \source Kane and Nelson, "Sparser Johnson-Lindenstrauss Transforms", J. ACM 61 (2014), section
///         3, the block construction; counter-based random numbers of (seed, place).
class Sketch {
  public:
    /// From `from` numbers to `to`; to == from keeps the vector as it is.
    Sketch(std::int64_t from, std::int64_t to, std::uint64_t seed);

    std::int64_t from() const { return from_; }
    std::int64_t to() const { return to_; }

    /// Adds number `i` of a vector to its sketch [to], not yet scaled.
    void add(std::int64_t i, float value, float* sketch) const {
        if (places_.empty()) {
            sketch[i] += value;
            return;
        }
        const std::uint32_t* const places = places_.data() + i * parts_;
        for (std::int64_t part = 0; part < parts_; ++part) {
            const std::uint32_t place = places[part];
            sketch[place >> 1] += (place & 1U) != 0 ? -value : value;
        }
    }

    /// What a sketch is multiplied by in the end.
    float scale() const { return scale_; }

    std::int64_t memory_bytes() const { return memory_bytes(from_, to_); }
    static std::int64_t memory_bytes(std::int64_t from, std::int64_t to);

  private:
    std::int64_t from_;
    std::int64_t to_;
    std::int64_t parts_ = 1;
    float scale_ = 1.0F;
    std::vector<std::uint32_t> places_;  // [from, parts] place and, in the lowest bit, sign
};

}  // namespace sluice::select
