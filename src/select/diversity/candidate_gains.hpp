#pragma once

#include "kernels/large_floats.hpp"
#include "select/diversity/similarity.hpp"
#include "select/diversity/uncovered_rows.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// How well the rows of the whole shortlist are covered.
struct Cover {
    std::vector<float> covered;   ///< [all rows] similarity to the nearest centre or pick; infinite
                                  ///< where the weight is 0: such a row has nothing to give
    std::vector<double> weights;  ///< [all rows] >= 0
};

/// The gains of a rank's own candidates: candidate j has the sum over all rows i of
/// weight_i x max(0, s_ij - covered_i), one float64 chain (of four) in the order of rows, whoever
/// adds it up. Covers only grow, so no term rises, and rounded sums of terms that do not rise do
/// not either: a gain of earlier picks is an upper bound to the last bit.
///
/// At first a candidate has something to give to every row, after k picks on average to one of
/// k + 1 or less. So what is kept of a candidate is its similarities to all rows only as long as
/// those of all candidates find room, and a list of the rows that it still gives to once
/// that is short; of the others similarities are computed anew whenever they are looked at.
class CandidateGains {
  public:
    static constexpr std::int64_t usual_bytes = std::int64_t{512} << 20;

    /// `most_bytes`: of similarities that are kept; lists take at most half of that.
    CandidateGains(const ShortlistShare& share, const AllRows& all, const Similarity& similarity,
                   int num_threads, std::int64_t most_bytes = usual_bytes);

    /// Makes the gains of all candidates account for a cover.
    void look_at_all(const Cover& cover);

    /// The same for some candidates, by local index, after that.
    void refresh(std::span<const std::int64_t> locals, const Cover& cover);

    double gain(std::int64_t local) const { return gains_[static_cast<std::size_t>(local)]; }
    void set_gain(std::int64_t local, double gain) {
        gains_[static_cast<std::size_t>(local)] = gain;
    }

    /// Entries of its list at most.
    std::int64_t list_size(std::int64_t local) const {
        return sizes_[static_cast<std::size_t>(local)];
    }

    /// What some candidates still give to, of a cover that their gains account for.
    std::vector<UncoveredRows> lists(std::span<const std::int64_t> locals,
                                     const Cover& cover) const;

    /// Bytes of one rank.
    static std::int64_t memory(const DiversitySizes& sizes);

  private:
    enum class Kept : std::uint8_t { nothing, similarities, list };
    /// What one thread looks at a candidate with.
    struct Scratch;

    std::int64_t width() const { return all_rows_; }
    bool keeps_similarities() const { return room_ == width(); }
    float* place(std::int64_t local) { return kept_.data() + local * room_; }
    std::span<const float> kept_similarities(std::int64_t local) const;
    std::span<const SimilarRow> kept_list(std::int64_t local) const;
    void keep_all();
    void mirror(std::int64_t first, std::int64_t count);
    void look_at(std::int64_t local, std::span<const float> similar, const Cover& cover);
    void refresh_list(std::int64_t local, const Cover& cover);
    template <typename Work>
    void for_similarities(std::span<const std::int64_t> locals, const Work& work) const;

    const ShortlistShare& share_;
    SimilarityRows rows_;
    std::int64_t all_rows_;
    int num_threads_;
    std::int64_t room_;                ///< floats for what is kept of a candidate
    kernels::LargeFloats kept_;        ///< [own rows, room]: SimilarRow where it is a list
    std::vector<Kept> form_;           ///< [own rows]
    std::vector<std::int64_t> sizes_;  ///< [own rows] of lists, kept or not
    std::vector<double> gains_;        ///< [own rows]
};

}  // namespace sluice::select
