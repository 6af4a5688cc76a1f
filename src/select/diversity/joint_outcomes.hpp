#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// What the labels of the picked rows may come to, and what each outcome would say of the members:
/// all of them while they are at most `most`, then as many draws by a counter-based generator.
/// Every rank holds the same.
class JointOutcomes {
  public:
    JointOutcomes(std::int64_t members, std::int64_t most, std::uint64_t seed, std::uint32_t round);

    std::int64_t size() const { return static_cast<std::int64_t>(probability_.size()); }
    bool is_exact() const { return is_exact_; }
    double probability(std::int64_t outcome) const {
        return probability_[static_cast<std::size_t>(outcome)];
    }

    /// [M] probabilities of the members given the outcome.
    std::span<const double> members(std::int64_t outcome) const;

    /// [M] mean over outcomes; 1 / M each while exact, but for rounding.
    std::vector<double> mean_members() const;

    /// Takes in a row: says [M, C] are the members' class probabilities for it.
    void take(std::span<const float> says, std::int64_t pick);

    /// Information that the labels hold on the members: ln M - mean entropy of the members given
    /// an outcome; within [0, ln M].
    double information() const;

  private:
    struct Split;
    void draw_outcomes();
    void split_all(const Split& split);
    void draw_one_each(const Split& split, std::int64_t pick);
    double random_number(std::int64_t pick, std::int64_t outcome) const;

    std::int64_t num_members_;
    std::int64_t most_;
    std::uint64_t seed_;
    std::uint32_t round_;
    bool is_exact_ = true;
    std::vector<double> probability_;  // [outcomes]
    std::vector<double> members_;      // [outcomes, M]
};

/// -p ln p, 0 for p = 0.
double entropy_term(double p);

}  // namespace sluice::select
