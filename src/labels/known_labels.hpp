#pragma once

#include "core/types.hpp"
#include "labels/label_rules.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace sluice::labels {

/// Which labels count already: those that the generations of a directory hold. Looked up for some
/// items at a time, as all of them may not fit into memory.
class KnownLabels {
  public:
    /// Items of interest: batch id -> disjoint ranges of items.
    using Wanted = std::map<std::string, std::vector<RowRange>>;

    explicit KnownLabels(std::string directory) : directory_(std::move(directory)) {}

    /// Forgets the last labels and reads those of `wanted` from all generations up to `last`.
    void load(const Wanted& wanted, std::int64_t last);

    /// The label of an item that was wanted, or null.
    const KnownLabel* find(const std::string& batch_id, std::int64_t item) const;

  private:
    void add(const Wanted& wanted, std::int64_t generation);

    std::string directory_;
    std::map<std::pair<std::string, std::int64_t>, KnownLabel> labels_;
};

}  // namespace sluice::labels
