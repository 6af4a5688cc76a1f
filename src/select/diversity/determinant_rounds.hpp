#pragma once

#include "kernels/aligned_floats.hpp"
#include "select/diversity/covariance.hpp"
#include "select/diversity/determinant_rows.hpp"

#include <vector>

namespace sluice::select {

/// The greedy for log det(sigma^2 I + K), K the inner products of the picks' features times their
/// qualities, to the bit as with one pass over all rows for each pick. In a round the rows of the
/// largest bounds, a panel, are told to all ranks; there the greedy runs for as long as its best
/// row is above the best bound outside, among the best rows of the panel, whose variances see
/// every pick at once. Every rank makes the same picks, as each step on a row uses nothing but
/// what belongs to that row and to the picks.
/// \source Minoux 1978 for the stale bounds.
class DeterminantRounds {
  public:
    static constexpr std::int64_t most_panel_rows = 16384;

    /// `rows`: the share's, before any pick.
    DeterminantRounds(const ShortlistShare& share, const DiversityOptions& options,
                      std::vector<DeterminantRows::Row> rows, Covariance& covariance);

    /// \collective
    DiverseBatch pick(comm::Communicator& world);

  private:
    std::int64_t num_left() const { return num_picks_ - std::ssize(batch_.picks); }
    DeterminantRows::Model model() const;
    std::int64_t own_part(std::int64_t wanted) const;
    void pick_among(const std::vector<std::int64_t>& locals, const Gain& floor,
                    comm::Communicator& world);
    kernels::MatrixView tell(const std::vector<std::int64_t>& locals, comm::Communicator& world);
    void run_greedy(DeterminantRows& panel, const Gain& floor);
    void pick_inside(DeterminantRows& panel, const std::vector<std::int64_t>& locals,
                     const Gain& bar);
    Covariance::Look take(DeterminantRows& panel, std::int64_t local, const Gain& gain);

    const DiversityOptions& options_;
    Covariance& covariance_;
    Looks looks_;
    DeterminantRows rows_;
    std::int64_t num_rows_ = 0;
    std::int64_t num_picks_ = 0;
    std::int64_t panel_rows_ = rows_of_a_panel;
    kernels::AlignedFloats own_;
    kernels::AlignedFloats told_;
    DiverseBatch batch_;
};

}  // namespace sluice::select
