#pragma once

#include "kernels/large_floats.hpp"
#include "select/diversity/row_greedy.hpp"
#include "select/diversity/similarity.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// Facility location over the shortlist: the gain of a candidate j is the sum over all rows i of
/// weight_i x max(0, s_ij - c_i), c_i the similarity of i to the nearest centre or pick. Rows of
/// all ranks are in every rank's memory, the candidates are the rank's own: each sum is one float64
/// chain (of four) in the order of rows, whoever adds it up.
/// No c_i ever falls, so no term rises, and rounded sums of terms that do not rise do not either:
/// a gain of earlier picks is an upper bound to the last bit, and only candidates whose bound is
/// the best are looked at again. The picks are those of the plain greedy.
/// \source Minoux 1978, Accelerated greedy algorithms for maximizing submodular set functions.
class Coverage {
  public:
    /// Of the rows `all` that gather_all_rows has gathered. Similarities of own candidates are kept
    /// while they take at most 512 MiB. \collective
    Coverage(const ShortlistShare& share, const DiversityOptions& options, AllRows all,
             const Similarity& similarity, comm::Communicator& world);

    const AllRows& all() const { return all_; }

    /// Greedy picks; weights [all rows] >= 0. The value of a pick is its gain. \collective
    DiverseBatch pick(std::span<const double> weights);

    static DiversityForecast forecast(const DiversitySizes& sizes);

  private:
    double gain(std::int64_t local, std::span<const double> weights, std::span<float> scratch);
    std::span<float> kept_row(std::int64_t local);
    void cover_by(std::span<const float> similarities);
    template <typename Work>
    void by_blocks(std::int64_t num_rows, const Work& work) const;
    void keep_all();
    void look_at_all(std::span<const double> weights);
    Gain best_candidate(std::span<const double> weights);
    void refresh(std::span<Gain> stale, std::span<const double> weights);

    const ShortlistShare& share_;
    const DiversityOptions& options_;
    comm::Communicator& world_;
    AllRows all_;
    Similarity similarity_;
    SimilarityRows rows_;
    std::vector<float> covered_;       // [all rows] c_i
    kernels::LargeFloats kept_;        // [own rows, all rows], or none
    std::vector<Gain> bounds_;         // of free candidates, a heap
    std::vector<std::int64_t> fresh_;  // [own rows] picks that the bound accounts for
    std::vector<float> scratch_;
    std::int64_t num_picked_ = 0;
    std::int64_t num_refreshed_ = 0;
};

}  // namespace sluice::select
