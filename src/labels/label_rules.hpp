#pragma once

#include "labels/generation.hpp"
#include "queue/result_line.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::labels {

/// Whether two labels say the same: each pair of numbers differs by no more than `tolerance` times
/// the larger one; with 0, all bits are the same.
bool same_label(std::span<const double> first, std::span<const double> second, double tolerance);

/// Why the label of an `ok` result cannot be taken; empty if it can. Class labels must be below
/// `classes` (0 = any).
std::string why_no_label(const queue::ItemResult& result, const LabelShape& shape,
                         std::int64_t classes);

/// Makes `shape` what a first label says, or adds the units that nobody has named so far.
void learn_shape(LabelShape& shape, const queue::ItemResult& result);

/// One label that was handed in.
struct HandedIn {
    const queue::ItemResult* result = nullptr;
    std::string_view file;  ///< the result file it came in
};

/// A label that is in a generation.
struct KnownLabel {
    std::vector<double> y;
    std::int64_t generation = 0;
};

/// What the labels handed in for one item come to. The one that counts is the known one, else the
/// first, and among people the one that most of them gave (the first of several).
struct Verdict {
    std::optional<std::size_t> winner;  ///< which of them is a new label that counts
    std::int64_t equal = 0;             ///< labels equal to the one that counts, itself included
    std::int64_t disagreements = 0;     ///< people who differ from the people's choice
    std::int64_t conflicts = 0;         ///< other labels that differ from the one that counts
};

/// `known` may be null. `labels` in the order of their files; at least one.
Verdict judge_labels(std::span<const HandedIn> labels, const KnownLabel* known, double tolerance);

/// One line of JSON that lists all labels of an item and which of them counts.
std::string conflict_text(const std::string& batch_id, std::span<const HandedIn> labels,
                          const KnownLabel* known, const Verdict& verdict);

}  // namespace sluice::labels
