#pragma once

#include "pool/made_kinds.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace sluice::pool {

/// One column of `inputs`, what a simulation is given.
struct InputColumn {
    std::string name;
    std::string unit;
    std::string range = {};  ///< `LOW,HIGH,SCALE` where the features are the inputs, scaled
};

/// A kind whose rows are cases for a simulation: it has `inputs` beside its features, and one width
/// of both.
class InputMaker : public FeatureMaker {
  public:
    InputMaker(std::vector<InputColumn> columns, std::int64_t num_features)
        : columns_(std::move(columns)), num_features_(num_features) {}

    /// The P columns of `inputs`.
    const std::vector<InputColumn>& columns() const { return columns_; }

    /// Makes the rows' inputs [rows.size(), P] and features [rows.size(), D].
    virtual void fill_cases(RowRange rows, std::span<double> inputs,
                            std::span<float> features) const = 0;

    void fill(RowRange rows, std::span<float> out) const final;

  protected:
    std::int64_t num_features() const { return num_features_; }

  private:
    std::vector<InputColumn> columns_;
    std::int64_t num_features_;
};

/// A point in space, in angstrom.
struct Atom {
    double x;
    double y;
    double z;
};

/// One over the distance of two atoms; a largest value stands for atoms at one place.
float inverse_distance(const Atom& left, const Atom& right);

// Widths of the kinds' features.
constexpr std::int64_t water_dimer_features = 9;
constexpr std::int64_t lj_cluster_features = 21;
constexpr std::int64_t amplifier_features = 5;

/// Two rigid water molecules, for a code that computes their energy. Parameters: the distance R of
/// the oxygens, the angle a of the first molecule in the plane through both oxygens, the tilt b of
/// the second and its turn t about the axis through the oxygens. The features do not change when
/// the pair is moved, turned or mirrored, the molecules change places, or the hydrogens of a
/// molecule do: one over the distances between the molecules, O-O, then the four O-H and the four
/// H-H, each from near to far.
/// \source sorted interatomic quantities as descriptors: Rupp et al., "Fast and Accurate Modeling
///         of Molecular Atomization Energies with Machine Learning", Physical Review Letters 2012;
///         Montavon et al., "Learning Invariant Representations of Molecules for Atomization Energy
///         Prediction", NIPS 2012
std::unique_ptr<FeatureMaker> make_water_dimer(const MadeShape& shape);

/// Seven argon atoms: the pentagonal bipyramid that has the lowest Lennard-Jones energy, scaled by
/// a common factor and each atom moved at random. Atoms drawn freely in a box would nearly all
/// overlap or be apart. The features do not change when the cluster is moved, turned or mirrored or
/// atoms change places: one over the 21 distances, from near to far.
/// \source geometry: Hoare and Pal, "Physical cluster mechanics: statics and energy surfaces for
///         monatomic systems", Advances in Physics 1971; features: as water-dimer
std::unique_ptr<FeatureMaker> make_lj_cluster(const MadeShape& shape);

/// A common-source amplifier of one transistor: channel width w and length l, load resistor rd,
/// bias vgg, load capacitor cl. Features: the parameters scaled to (-1, 1), all but vgg by their
/// logarithm; there is no symmetry to respect.
std::unique_ptr<FeatureMaker> make_amplifier(const MadeShape& shape);

}  // namespace sluice::pool
