#include "kernels/square_bounds_tile.hpp"

namespace sluice::kernels {
namespace {

struct Plain {
    struct Type {
        float lane[panel_rows];
    };
    static constexpr int lanes = panel_rows;
    static constexpr int max_vectors = 1;
    static constexpr int max_panels = 1;

    static Type zero() { return {}; }
    static Type load(const float* from) {
        return of_lanes([&](int j) { return from[j]; });
    }
    static Type broadcast(const float* from) {
        return of_lanes([&](int) { return *from; });
    }
    static Type multiply(const Type& a, const Type& b) {
        return of_lanes([&](int j) { return a.lane[j] * b.lane[j]; });
    }
    static Type multiply_add(const Type& a, const Type& b, const Type& c) {
        return of_lanes([&](int j) { return a.lane[j] * b.lane[j] + c.lane[j]; });
    }
    static Type add(const Type& a, const Type& b) {
        return of_lanes([&](int j) { return a.lane[j] + b.lane[j]; });
    }
    static Type subtract(const Type& a, const Type& b) {
        return of_lanes([&](int j) { return a.lane[j] - b.lane[j]; });
    }
    static Type absolute(const Type& a) {
        return of_lanes([&](int j) { return a.lane[j] < 0.0F ? -a.lane[j] : a.lane[j]; });
    }
    static Type positive_part(const Type& a) {
        return of_lanes([&](int j) { return a.lane[j] > 0.0F ? a.lane[j] : 0.0F; });
    }
    static Type add_where(const Type& seen, const Type& number, const Type& sum, const Type& part) {
        return of_lanes([&](int j) {
            return seen.lane[j] <= number.lane[j] ? sum.lane[j] + part.lane[j] : sum.lane[j];
        });
    }
    static void store(float* to, const Type& values) {
        for (int j = 0; j < lanes; ++j)
            to[j] = values.lane[j];
    }
    static void transpose(const float* const* rows, std::int64_t k, float* to) {
        for (int i = 0; i < 8; ++i) {
            for (int j = 0; j < panel_rows; ++j)
                to[i * panel_rows + j] = rows[j][k + i];
        }
    }

  private:
    template <typename Lane>
    static Type of_lanes(const Lane& lane) {
        Type result;
        for (int j = 0; j < lanes; ++j)
            result.lane[j] = lane(j);
        return result;
    }
};

}  // namespace

const SquareInstructions squares_baseline = instructions_of<Plain>();

}  // namespace sluice::kernels
