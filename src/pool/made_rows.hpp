#pragma once

#include "core/types.hpp"
#include "pool/made_committee.hpp"
#include "pool/made_kinds.hpp"
#include "pool/make.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sluice::pool {

/// One dataset of a made pool.
struct MadeDataset {
    std::string role;
    std::vector<std::int64_t> row_shape;
    std::string value_kind;  ///< attribute `kind`: "probability", "logit", or empty for none
    std::int64_t row_bytes = 0;
};

/// The content of a made pool, row by row; the same on every rank, whichever rows it asks for.
class MadeRows {
  public:
    /// A thread's own memory, reused between calls.
    struct Block {
        std::vector<float> features;
        std::vector<float> values;
        std::vector<std::vector<std::byte>> stored;  ///< by dataset: the rows as the file has them
    };

    /// Throws Error(usage) for a kind that does not exist.
    explicit MadeRows(const MakeOptions& options);

    const std::vector<MadeDataset>& datasets() const { return datasets_; }

    /// Makes these rows of every dataset into `block.stored`.
    void make(RowRange rows, Block& block) const;

  private:
    void list_datasets();
    void fill(const MadeDataset& dataset, std::span<const float> factors, Block& block,
              RowRange rows) const;

    MakeOptions options_;
    MadeShape shape_;
    std::unique_ptr<FeatureMaker> features_;
    std::unique_ptr<MadeCommittee> committee_;
    std::vector<MadeDataset> datasets_;
};

}  // namespace sluice::pool
