#pragma once

#include "core/types.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// Class probabilities of one row by M members, in float64, [M, C], each member's sum 1.
std::vector<double> member_table(std::span<const float> member_says, std::int64_t members);

/// What the labels of the rows picked so far may be together, and what they would tell about which
/// member is right: all joint labels with their probabilities while they are few, then samples of
/// them. In plain float64 operations in one order: the same bits everywhere.
///
/// For joint labels k of weight w_k let q_k be the members' posterior (prior 1/M each). Then the
/// labels tell log M - sum_k w_k H(q_k) of the member, and a row with probabilities p_m adds
/// sum_k w_k (H(sum_m q_km p_m) - sum_m q_km H(p_m)): both exact for all joint labels, and for
/// samples within the bounds that exact ones have (0 and log M; 0 and log min(M, C)).
/// \source Kirsch, van Amersfoort and Gal, "BatchBALD", NeurIPS 2019, equations 8 to 14;
/// conditioned
///         on the labels so far, which needs no difference of large entropies.
class JointLabels {
  public:
    struct Draws {
        std::uint64_t seed = 0;
        std::uint32_t round = 1;
    };

    /// Exact while there are at most `most` joint labels, then that many samples, rounded up to a
    /// multiple of the members.
    JointLabels(std::int64_t members, std::int64_t classes, std::int64_t most, Draws draws);

    /// Nats that a row's label would add to what is known of the member.
    double gain(const std::vector<double>& table) const;

    /// The row joins the rows picked.
    void add(RowId row, std::vector<double> table);

    /// Nats that the labels of the rows picked tell of the member.
    double information() const;

    /// Entropy of the joint labels in nats; only while exact.
    double joint_entropy() const;

    bool is_exact() const { return is_exact_; }
    std::int64_t count() const { return static_cast<std::int64_t>(weights_.size()); }

  private:
    struct Picked {
        RowId row = 0;
        std::vector<double> table;
    };

    void multiply(const Picked& picked);
    void start_samples();
    void sample(const Picked& picked);
    std::int64_t draw(const Picked& picked, std::int64_t sample) const;

    std::int64_t members_;
    std::int64_t classes_;
    std::int64_t most_;
    Draws draws_;
    bool is_exact_ = true;
    std::vector<Picked> picked_;
    std::vector<double> weights_;     ///< [joint labels]
    std::vector<double> posteriors_;  ///< [joint labels, M]
};

}  // namespace sluice::select
