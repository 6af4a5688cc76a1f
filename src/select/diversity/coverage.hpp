#pragma once

#include "select/diversity/candidate_gains.hpp"
#include "select/diversity/coverage_panel.hpp"
#include "select/diversity/greedy_rounds.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// Facility location over the shortlist: the gain of a candidate j is the sum over all rows i of
/// weight_i x max(0, s_ij - c_i), c_i the similarity of i to the nearest centre or pick. Rows of
/// all ranks are in every rank's memory, the candidates are the rank's own.
///
/// The picks are those of the plain greedy, in rounds. In a round the candidates of the largest
/// bounds are brought up to date until some of them are above all others, a panel; each is told to
/// all ranks as the list of what it still gives to. Lists only get shorter, so that every rank can
/// run the same lazy greedy among them for as long as its best is above all outside. Columns of
/// similarities never travel. Panels grow with the number of picks, as lists become shorter and
/// gains nearer to each other, so that 500 picks take some 5 to 20 rounds.
/// \source Minoux 1978, Accelerated greedy algorithms for maximizing submodular set functions.
class Coverage {
  public:
    /// Of the rows `all` that gather_all_rows has gathered; weights [all rows] >= 0. \collective
    Coverage(const ShortlistShare& share, const DiversityOptions& options, const AllRows& all,
             const Similarity& similarity, std::vector<double> weights, comm::Communicator& world);

    /// Greedy picks. The value of a pick is its gain. \collective
    DiverseBatch pick();

    static DiversityForecast forecast(const DiversitySizes& sizes);

  private:
    std::int64_t num_left() const { return num_picks_ - std::ssize(batch_.picks); }
    std::int64_t own_part(std::int64_t wanted) const;
    Gain gain(std::int64_t local) const;
    template <typename Wanted>
    std::vector<BoundOfRow> free_candidates(const Wanted& wanted) const;
    Gain refresh_best(std::int64_t count);
    std::vector<std::int64_t> leave_out(Gain& floor) const;
    CoveragePanel tell(const std::vector<std::int64_t>& locals) const;
    void pick_among(CoveragePanel& panel, const Gain& floor);

    const ShortlistShare& share_;
    const DiversityOptions& options_;
    comm::Communicator& world_;
    std::int64_t all_rows_;
    std::int64_t num_picks_;
    Cover cover_;
    CandidateGains gains_;
    std::vector<std::int64_t> seen_;   // [own rows] picks that the gain accounts for
    std::vector<std::uint8_t> taken_;  // [own rows]
    DiverseBatch batch_;
};

}  // namespace sluice::select
