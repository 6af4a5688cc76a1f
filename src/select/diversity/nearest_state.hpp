#pragma once

#include "select/diversity.hpp"
#include "select/diversity/row_greedy.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// A share's rows, their squared distances to the nearest of centres and picks, and which are
/// taken: the state of objectives that pick by distance.
class NearestState {
  public:
    using Value = float;

    /// Distances to the centres. \collective
    NearestState(const ShortlistShare& share, const DiversityOptions& options);

    const ShortlistShare& share() const { return share_; }
    bool has_center() const { return has_center_; }
    std::span<const float> nearest() const { return nearest_; }
    float distance(std::size_t local) const {
        return distance_of(nearest_[local], options_.metric);
    }
    const DiversityOptions& options() const { return options_; }
    std::span<const std::uint8_t> taken() const { return taken_; }

    /// The free row with the best score.
    Gain best_scored() const;

    /// The features of a row.
    std::vector<float> say(std::int64_t local) const;

    /// Makes a picked row with these features a centre; `local` is -1 for another rank's row.
    void take(std::int64_t local, std::span<const float> features);

    /// All rows free again, at the distances `nearest`.
    void restart(std::vector<float> nearest);

  private:
    const ShortlistShare& share_;
    const DiversityOptions& options_;
    std::vector<float> nearest_;
    std::vector<std::uint8_t> taken_;
    bool has_center_;
};

/// score^strength of each row of a share, in float64. Throws AgreedError(usage) if a score is below
/// 0 and the strength is not. \collective
std::vector<double> score_weights(const ShortlistShare& share, double strength,
                                  const std::string& rule, comm::Communicator& world);

/// `wanted`, or `usual` where nothing was wanted.
double value_or(double wanted, double usual);

/// What a rule of this state needs on one rank: exchanges for each pick.
DiversityForecast forecast_by_rows(const DiversitySizes& sizes, std::int64_t floats_of_pick);

}  // namespace sluice::select
