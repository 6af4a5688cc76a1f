#include "pool/made_inputs.hpp"

#include <cmath>

namespace sluice::pool {

void InputMaker::fill(RowRange rows, std::span<float> out) const {
    std::vector<double> inputs(static_cast<std::size_t>(rows.size()) * columns_.size());
    fill_cases(rows, inputs, out);
}

float inverse_distance(const Atom& left, const Atom& right) {
    constexpr double nearest = 1e-6;  // keeps the features finite
    const double x = left.x - right.x;
    const double y = left.y - right.y;
    const double z = left.z - right.z;
    const double distance = std::sqrt(x * x + y * y + z * z);
    return static_cast<float>(1.0 / (distance > nearest ? distance : nearest));
}

}  // namespace sluice::pool
