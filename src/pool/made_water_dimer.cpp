#include "pool/made_inputs.hpp"
#include "pool/made_precise.hpp"
#include "pool/sobol.hpp"

#include <algorithm>
#include <array>
#include <functional>

namespace sluice::pool {
namespace {

// The gas-phase molecule.
constexpr double bond_length = 0.9572;  // angstrom
constexpr double half_angle = 52.26;    // degrees

// The nearest pairs are beyond what the molecule's model describes: a few percent of the rows are
// there for the oracle to refuse.
constexpr double nearest_oxygens = 1.5;  // angstrom
constexpr double farthest_oxygens = 6.0;

struct Parameters {
    double distance;  // R, angstrom
    double angle;     // a, degrees
    double tilt;      // b
    double turn;      // t
};

// O1 H1 H2 O2 H3 H4.
using Dimer = std::array<Atom, 6>;

Dimer place(const Parameters& parameters) {
    Dimer atoms{};
    const PreciseSineCosine first = precise_sine_cosine(parameters.angle);
    const PreciseSineCosine second = precise_sine_cosine(parameters.angle + 2.0 * half_angle);
    atoms[1] = {bond_length * first.sine, 0.0, bond_length * first.cosine};
    atoms[2] = {bond_length * second.sine, 0.0, bond_length * second.cosine};
    atoms[3] = {0.0, 0.0, parameters.distance};
    const PreciseSineCosine half = precise_sine_cosine(half_angle);
    const PreciseSineCosine tilt = precise_sine_cosine(parameters.tilt);
    const PreciseSineCosine turn = precise_sine_cosine(parameters.turn);
    for (const std::size_t hydrogen : {std::size_t{4}, std::size_t{5}}) {
        const double x = (hydrogen == 4 ? -1.0 : 1.0) * bond_length * half.sine;
        const double y = bond_length * half.cosine * tilt.sine;
        const double z = bond_length * half.cosine * tilt.cosine;
        atoms[hydrogen] = {x * turn.cosine - y * turn.sine, x * turn.sine + y * turn.cosine,
                           parameters.distance + z};
    }
    return atoms;
}

void describe(const Dimer& atoms, float* features) {
    features[0] = inverse_distance(atoms[0], atoms[3]);
    std::size_t next = 1;
    for (const std::size_t hydrogen : {std::size_t{4}, std::size_t{5}})
        features[next++] = inverse_distance(atoms[0], atoms[hydrogen]);
    for (const std::size_t hydrogen : {std::size_t{1}, std::size_t{2}})
        features[next++] = inverse_distance(atoms[hydrogen], atoms[3]);
    for (const std::size_t left : {std::size_t{1}, std::size_t{2}}) {
        for (const std::size_t right : {std::size_t{4}, std::size_t{5}})
            features[next++] = inverse_distance(atoms[left], atoms[right]);
    }
    std::sort(features + 1, features + 5, std::greater<>());
    std::sort(features + 5, features + 9, std::greater<>());
}

std::vector<InputColumn> dimer_columns() {
    std::vector<InputColumn> columns = {
        {"R", "angstrom"}, {"a", "degree"}, {"b", "degree"}, {"t", "degree"}};
    for (const std::string atom : {"O1", "H1", "H2", "O2", "H3", "H4"}) {
        for (const char* axis : {"_x", "_y", "_z"})
            columns.push_back({atom + axis, "angstrom"});
    }
    return columns;
}

class WaterDimer : public InputMaker {
  public:
    explicit WaterDimer(const MadeShape& shape)
        : InputMaker(dimer_columns(), water_dimer_features), points_(4, shape.seed) {}

    void fill_cases(RowRange rows, std::span<double> inputs,
                    std::span<float> features) const override {
        std::vector<double> points(static_cast<std::size_t>(rows.size()) * 4);
        points_.fill(rows, points);
        double* input = inputs.data();
        float* feature = features.data();
        for (std::size_t at = 0; at < points.size(); at += 4) {
            const Parameters parameters = {
                nearest_oxygens + (farthest_oxygens - nearest_oxygens) * points[at],
                360.0 * (points[at + 1] - 0.5), 360.0 * (points[at + 2] - 0.5),
                360.0 * (points[at + 3] - 0.5)};
            const Dimer atoms = place(parameters);
            for (const double value :
                 {parameters.distance, parameters.angle, parameters.tilt, parameters.turn})
                *input++ = value;
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

std::unique_ptr<FeatureMaker> make_water_dimer(const MadeShape& shape) {
    return std::make_unique<WaterDimer>(shape);
}

}  // namespace sluice::pool
