#include "kernels/row_products_tile.hpp"

namespace sluice::kernels {
namespace {

struct Plain {
    struct Type {
        double lane[panel_rows];
    };
    static constexpr int lanes = panel_rows;
    static constexpr int max_vectors = 1;
    static constexpr int max_panels = 1;

    static Type zero() { return {}; }
    static Type widen(const float* from) {
        return of_lanes([&](int j) { return static_cast<double>(from[j]); });
    }
    static Type broadcast(const double* from) {
        return of_lanes([&](int) { return *from; });
    }
    static Type multiply(const Type& a, const Type& b) {
        return of_lanes([&](int j) { return a.lane[j] * b.lane[j]; });
    }
    static Type load(const double* from) {
        return of_lanes([&](int j) { return from[j]; });
    }
    static Type divide(const Type& a, const Type& b) {
        return of_lanes([&](int j) { return a.lane[j] / b.lane[j]; });
    }
    static Type subtract_where(const Type& seen, const Type& number, const Type& value,
                               const Type& part) {
        return of_lanes([&](int j) {
            return seen.lane[j] <= number.lane[j] ? value.lane[j] - part.lane[j] : value.lane[j];
        });
    }
    static Type add(const Type& a, const Type& b) {
        return of_lanes([&](int j) { return a.lane[j] + b.lane[j]; });
    }
    static void store(double* to, const Type& values) {
        for (int j = 0; j < lanes; ++j)
            to[j] = values.lane[j];
    }
    static void transpose(const float* const* rows, std::int64_t k, float* to) {
        for (int i = 0; i < panel_rows; ++i) {
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

const ProductInstructions products_baseline = instructions_of<Plain>();

}  // namespace sluice::kernels
