#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// The place of a row among all and how similar a candidate is to it.
struct SimilarRow {
    std::uint32_t place = 0;
    float similarity = 0.0F;
};

/// Rows to which a candidate is more similar than what covers them, the only ones that its gain
/// comes from: as covers only grow, none is ever added. Four chains side by side, [length, 4]:
/// those of places 0, 1, 2, 3 modulo 4, rising, as kernels::uncovered_sum adds them up, so that the
/// sum is the same to the bit; what a chain is shorter than the longest is filled with similarities
/// of 0, which add nothing.
using UncoveredRows = std::vector<SimilarRow>;

/// Rows by what kernels::mark_uncovered says.
UncoveredRows list_uncovered(std::span<const std::uint64_t> above, std::int64_t longest_chain,
                             std::span<const float> similar);

/// kernels::uncovered_sum of all rows, covered [rows] >= 0.
double uncovered_sum(std::span<const SimilarRow> list, std::span<const float> covered,
                     std::span<const double> weights);

/// The same sum; leaves out, in place, what is covered by now, and cuts the list to what is left.
double uncovered_sum_of_rest(std::span<SimilarRow>& list, std::span<const float> covered,
                             std::span<const double> weights);

/// covered[place] = max(covered[place], similarity) for all of the list.
void cover_by(std::span<const SimilarRow> list, std::span<float> covered);

}  // namespace sluice::select
