#include "pool/row_rules.hpp"

#include <bit>
#include <cfloat>
#include <cmath>
#include <cstring>

namespace sluice::pool {
namespace {

// Half the largest norm whose square float32 holds: two such rows are never farther apart than
// float32 can square (triangle inequality).
constexpr double largest_square = double{FLT_MAX} / 4.0;
constexpr double smallest_square = double{FLT_MIN};
// An element of at least this much has a square of at least smallest_square.
constexpr float tiny = 1.0842022e-19F;

std::optional<RowProblem> judge_features(std::span<const double> row) {
    double squares = 0.0;
    std::int64_t largest = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
        squares += row[i] * row[i];
        if (std::fabs(row[i]) > std::fabs(row[static_cast<std::size_t>(largest)])) {
            largest = static_cast<std::int64_t>(i);
        }
    }
    if (squares > largest_square) return RowProblem{Problem::too_large, largest};
    if (squares < smallest_square) return RowProblem{Problem::zero_norm, 0};
    return std::nullopt;
}

std::optional<RowProblem> judge_group(std::span<const double> group, std::int64_t first) {
    double sum = 0.0;
    bool all_zero = true;
    for (const double value : group) {
        sum += value;
        all_zero = all_zero && value == 0.0;
    }
    if (all_zero) return RowProblem{Problem::all_zero, first};
    if (!(std::fabs(sum - 1.0) <= sum_tolerance)) return RowProblem{Problem::bad_sum, first};
    return std::nullopt;
}

std::optional<RowProblem> judge_distributions(std::span<const double> row, std::size_t group) {
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (row[i] < 0.0) return RowProblem{Problem::negative, static_cast<std::int64_t>(i)};
    }
    std::optional<RowProblem> worst;
    for (std::size_t first = 0; first < row.size(); first += group) {
        const auto found = judge_group(row.subspan(first, group), static_cast<std::int64_t>(first));
        if (found && (!worst || found->problem < worst->problem)) worst = found;
    }
    return worst;
}

// --- the quick look ------------------------------------------------------------------------------

// Eight float32 lanes; the compiler maps them to what the processor has.
using Lanes = float __attribute__((vector_size(32)));
using LaneBits = std::int32_t __attribute__((vector_size(32)));

// Largest magnitude of all elements, as bits: they order as the magnitudes do, NaN above all.
[[gnu::target_clones("default", "avx2")]] std::int32_t largest_magnitude(const float* values,
                                                                         std::int64_t count) {
    std::int32_t largest = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int32_t magnitude = std::bit_cast<std::int32_t>(values[i]) & 0x7FFFFFFF;
        largest = magnitude > largest ? magnitude : largest;
    }
    return largest;
}

// Smallest magnitude of all elements, as bits.
[[gnu::target_clones("default", "avx2")]] std::int32_t smallest_magnitude(const float* values,
                                                                          std::int64_t count) {
    std::int32_t smallest = 0x7FFFFFFF;
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int32_t magnitude = std::bit_cast<std::int32_t>(values[i]) & 0x7FFFFFFF;
        smallest = magnitude < smallest ? magnitude : smallest;
    }
    return smallest;
}

// Whether every row has an element with a square that float32 can hold; mostly it is the first.
bool no_vanishing_row(std::span<const float> values, std::size_t row_elements) {
    constexpr std::size_t short_row = 16;
    const auto count = static_cast<std::int64_t>(values.size());
    if (row_elements < short_row &&
        smallest_magnitude(values.data(), count) >= std::bit_cast<std::int32_t>(tiny)) {
        return true;
    }
    for (std::size_t first = 0; first < values.size(); first += row_elements) {
        std::size_t i = 0;
        while (i < row_elements && !(std::fabs(values[first + i]) >= tiny))
            ++i;
        if (i == row_elements) return false;
    }
    return true;
}

inline void load(const float* values, Lanes& lanes) {
    std::memcpy(&lanes, values, sizeof lanes);
}

// Adds neighbouring lanes of two vectors: four sums of `low`, then four of `high`, per half.
inline void add_neighbours(const Lanes& low, const Lanes& high, Lanes& sums) {
    constexpr LaneBits even = {0, 2, 8, 10, 4, 6, 12, 14};
    constexpr LaneBits odd = {1, 3, 9, 11, 5, 7, 13, 15};
    sums = __builtin_shuffle(low, high, even) + __builtin_shuffle(low, high, odd);
}

// The sums of eight vectors' lanes, in some order.
inline void add_across(Lanes (&parts)[8], Lanes& sums) {
    Lanes pairs[4];
    for (int i = 0; i < 4; ++i)
        add_neighbours(parts[2 * i], parts[2 * i + 1], pairs[i]);
    Lanes quads[2];
    for (int i = 0; i < 2; ++i)
        add_neighbours(pairs[2 * i], pairs[2 * i + 1], quads[i]);
    constexpr LaneBits lower = {0, 1, 2, 3, 8, 9, 10, 11};
    constexpr LaneBits upper = {4, 5, 6, 7, 12, 13, 14, 15};
    sums =
        __builtin_shuffle(quads[0], quads[1], lower) + __builtin_shuffle(quads[0], quads[1], upper);
}

// Sums of eight consecutive groups of `group` values; ORs all their bits into `seen`. Elements
// past a group's end are loaded too and masked away.
[[gnu::always_inline]] inline void sum_groups(const float* start, std::int64_t group,
                                              const LaneBits& tail_mask, LaneBits& seen,
                                              Lanes& sums) {
    const std::int64_t whole = group / 8 * 8;
    Lanes parts[8];
    for (std::int64_t g = 0; g < 8; ++g, start += group) {
        Lanes lanes;
        load(start + whole, lanes);
        seen |= reinterpret_cast<LaneBits>(lanes);
        parts[g] = reinterpret_cast<Lanes>(reinterpret_cast<LaneBits>(lanes) & tail_mask);
        for (std::int64_t i = 0; i < whole; i += 8) {
            load(start + i, lanes);
            seen |= reinterpret_cast<LaneBits>(lanes);
            parts[g] += lanes;
        }
    }
    add_across(parts, sums);
}

// Whether groups of `group` values have no sign and sum to 1 within `tolerance`; `num_groups` is a
// multiple of 8. Up to 8 elements after the last group are looked at as well.
[[gnu::target_clones("default", "avx2")]] bool sums_are_one(const float* values,
                                                            std::int64_t num_groups,
                                                            std::int64_t group, float tolerance) {
    LaneBits tail_mask;
    for (std::int64_t lane = 0; lane < 8; ++lane)
        tail_mask[lane] = lane < group % 8 ? -1 : 0;
    LaneBits seen = {};
    LaneBits wrong = {};
    for (std::int64_t first = 0; first < num_groups; first += 8) {
        Lanes sums;
        sum_groups(values + first * group, group, tail_mask, seen, sums);
        const Lanes off = sums - 1.0F;
        wrong |= ~((off <= tolerance) & (off >= -tolerance));  // also true for NaN
    }
    wrong |= seen < 0;  // the sign bit of any element: a negative value, or a harmless -0
    std::int32_t any = 0;
    for (int lane = 0; lane < 8; ++lane)
        any |= wrong[lane];
    return any == 0;
}

bool distributions_look_clean(std::span<const float> values, std::int64_t group) {
    // Narrower than the rule by what float32 sums of `group` terms may be off.
    const double tolerance = sum_tolerance - static_cast<double>(group) * 1.2e-7 - 1e-6;
    if (tolerance <= 0.0) return false;
    const auto count = static_cast<std::int64_t>(values.size());
    const std::int64_t num_groups = count / group;
    const std::int64_t in_eights = num_groups / 8 * 8;
    if (!sums_are_one(values.data(), in_eights, group, static_cast<float>(tolerance))) {
        return false;
    }
    for (std::int64_t first = in_eights * group; first < count; first += group) {
        double sum = 0.0;
        for (std::int64_t i = first; i < first + group; ++i) {
            const double value = values[static_cast<std::size_t>(i)];
            if (value < 0.0) return false;
            sum += value;
        }
        if (!(std::fabs(sum - 1.0) <= tolerance)) return false;
    }
    return true;
}

}  // namespace

std::optional<RowProblem> judge_row(const RowRule& rule, std::span<const double> row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
        const auto element = static_cast<std::int64_t>(i);
        if (!std::isfinite(row[i])) return RowProblem{Problem::non_finite, element};
    }
    for (std::size_t i = 0; i < row.size(); ++i) {
        const bool fits = std::isfinite(static_cast<float>(row[i]));
        if (!fits) return RowProblem{Problem::beyond_float32, static_cast<std::int64_t>(i)};
    }
    if (rule.kind == RowRule::Kind::features) return judge_features(row);
    if (rule.kind == RowRule::Kind::distributions) {
        return judge_distributions(row, static_cast<std::size_t>(rule.group));
    }
    return std::nullopt;
}

bool rows_look_clean(const RowRule& rule, std::span<const float> values,
                     std::int64_t row_elements) {
    if (rule.kind == RowRule::Kind::distributions) {
        return distributions_look_clean(values, rule.group);
    }
    const std::int32_t largest =
        largest_magnitude(values.data(), static_cast<std::int64_t>(values.size()));
    if (rule.kind == RowRule::Kind::finite) return largest < 0x7F800000;
    const auto limit = static_cast<float>(
        std::sqrt(largest_square / static_cast<double>(row_elements)) * (1.0 - 1e-6));
    return largest <= std::bit_cast<std::int32_t>(limit) &&
           no_vanishing_row(values, static_cast<std::size_t>(row_elements));
}

}  // namespace sluice::pool
