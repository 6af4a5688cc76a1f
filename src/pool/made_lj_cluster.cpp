#include "pool/made_inputs.hpp"
#include "pool/sobol.hpp"

#include <algorithm>
#include <array>
#include <functional>

namespace sluice::pool {
namespace {

constexpr std::size_t num_atoms = 7;
constexpr std::int64_t num_parameters = 1 + 3 * static_cast<std::int64_t>(num_atoms);

// The bipyramid in units of the atoms' diameter: radius of the pentagon, height of the tips.
constexpr double diameter = 3.4;  // argon: Rahman 1964; angstrom
constexpr double radius = 0.95620631 * diameter;
constexpr double height = 0.57387017 * diameter;

// So that about two rows of a hundred have atoms nearer than three quarters of a diameter, and one
// an atom outside a box of +-5.65 angstrom: both are for the oracle to refuse.
constexpr double least_scale = 0.95;
constexpr double most_scale = 1.6;
constexpr double most_moved = 0.7;  // angstrom, along each axis

using Cluster = std::array<Atom, num_atoms>;

// Cosines and sines of the fifths of a turn.
constexpr Cluster bipyramid = {{{radius, 0.0, 0.0},
                                {radius * 0.30901699437494742, radius * 0.95105651629515357, 0.0},
                                {radius * -0.80901699437494742, radius * 0.58778525229247313, 0.0},
                                {radius * -0.80901699437494742, radius * -0.58778525229247313, 0.0},
                                {radius * 0.30901699437494742, radius * -0.95105651629515357, 0.0},
                                {0.0, 0.0, height},
                                {0.0, 0.0, -height}}};

Cluster place(const double* point) {
    const double scale = least_scale + (most_scale - least_scale) * *point++;
    const auto moved = [&](double value) {
        return scale * value + most_moved * (2.0 * *point++ - 1.0);
    };
    Cluster atoms = bipyramid;
    for (Atom& atom : atoms) {
        atom.x = moved(atom.x);
        atom.y = moved(atom.y);
        atom.z = moved(atom.z);
    }
    return atoms;
}

void describe(const Cluster& atoms, float* features) {
    float* next = features;
    for (std::size_t left = 0; left < num_atoms; ++left) {
        for (std::size_t right = left + 1; right < num_atoms; ++right)
            *next++ = inverse_distance(atoms[left], atoms[right]);
    }
    std::sort(features, next, std::greater<>());
}

std::vector<InputColumn> cluster_columns() {
    std::vector<InputColumn> columns;
    for (std::size_t atom = 1; atom <= num_atoms; ++atom) {
        for (const char* axis : {"x", "y", "z"})
            columns.push_back({axis + std::to_string(atom), "angstrom"});
    }
    return columns;
}

class LjCluster : public InputMaker {
  public:
    explicit LjCluster(const MadeShape& shape)
        : InputMaker(cluster_columns(), lj_cluster_features), points_(num_parameters, shape.seed) {}

    void fill_cases(RowRange rows, std::span<double> inputs,
                    std::span<float> features) const override {
        const auto width = static_cast<std::size_t>(num_parameters);
        std::vector<double> points(static_cast<std::size_t>(rows.size()) * width);
        points_.fill(rows, points);
        double* input = inputs.data();
        float* feature = features.data();
        for (std::size_t at = 0; at < points.size(); at += width) {
            const Cluster atoms = place(points.data() + at);
            for (const Atom& atom : atoms) {
                for (const double value : {atom.x, atom.y, atom.z})
                    *input++ = value;
            }
            describe(atoms, feature);
            feature += num_features();
        }
    }

  private:
    SobolPoints points_;
};

}  // namespace

std::unique_ptr<FeatureMaker> make_lj_cluster(const MadeShape& shape) {
    return std::make_unique<LjCluster>(shape);
}

}  // namespace sluice::pool
