#include "select/diversity/uncovered_rows.hpp"

#include <algorithm>
#include <bit>

namespace sluice::select {
namespace {

constexpr std::size_t chains = 4;

}  // namespace

UncoveredRows list_uncovered(std::span<const std::uint64_t> above, std::int64_t longest_chain,
                             std::span<const float> similar) {
    UncoveredRows list(chains * static_cast<std::size_t>(longest_chain));
    std::size_t ends[chains] = {0, 1, 2, 3};
    for (std::size_t word = 0; word < above.size(); ++word) {
        for (std::uint64_t bits = above[word]; bits != 0; bits &= bits - 1) {
            const std::size_t place = word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
            std::size_t& end = ends[place % chains];
            list[end] = {static_cast<std::uint32_t>(place), similar[place]};
            end += chains;
        }
    }
    return list;
}

double uncovered_sum(std::span<const SimilarRow> list, std::span<const float> covered,
                     std::span<const double> weights) {
    double sums[chains] = {};
    for (std::size_t i = 0; i < list.size(); i += chains) {
        for (std::size_t chain = 0; chain < chains; ++chain) {
            const SimilarRow& one = list[i + chain];
            const double more =
                static_cast<double>(one.similarity) - static_cast<double>(covered[one.place]);
            sums[chain] += weights[one.place] * std::max(0.0, more);
        }
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

double uncovered_sum_of_rest(std::span<SimilarRow>& list, std::span<const float> covered,
                             std::span<const double> weights) {
    double sums[chains] = {};
    std::size_t ends[chains] = {0, 1, 2, 3};
    for (std::size_t i = 0; i < list.size(); i += chains) {
        for (std::size_t chain = 0; chain < chains; ++chain) {
            const SimilarRow one = list[i + chain];
            const double more =
                static_cast<double>(one.similarity) - static_cast<double>(covered[one.place]);
            sums[chain] += weights[one.place] * std::max(0.0, more);
            list[ends[chain]] = one;  // which is not beyond i + chain
            ends[chain] += more > 0.0 ? chains : 0;
        }
    }
    const std::size_t size = *std::max_element(ends, ends + chains) / chains * chains;
    for (std::size_t chain = 0; chain < chains; ++chain) {
        for (std::size_t i = ends[chain]; i < size; i += chains)
            list[i] = {};
    }
    list = list.first(size);
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

void cover_by(std::span<const SimilarRow> list, std::span<float> covered) {
    for (const SimilarRow& one : list)
        covered[one.place] = std::max(covered[one.place], one.similarity);
}

}  // namespace sluice::select
