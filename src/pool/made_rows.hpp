#pragma once

#include "core/types.hpp"
#include "pool/made_committee.hpp"
#include "pool/made_inputs.hpp"
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
    ElementType type = ElementType::float32;
    std::int64_t row_bytes = 0;
};

/// The content of a made pool, row by row; the same on every rank, whichever rows it asks for.
class MadeRows {
  public:
    /// A thread's own memory, reused between calls.
    struct Block {
        std::vector<float> features;
        std::vector<double> inputs;
        std::vector<float> values;
        std::vector<std::vector<std::byte>> stored;  ///< by dataset: the rows as the file has them
    };

    /// Takes completed() options.
    explicit MadeRows(const MakeOptions& options);

    const std::vector<MadeDataset>& datasets() const { return datasets_; }

    /// The columns of `inputs`; empty for kinds without.
    std::vector<InputColumn> input_columns() const;

    /// Makes these rows of every dataset into `block.stored`.
    void make(RowRange rows, Block& block) const;

  private:
    void list_datasets();
    void fill_features(RowRange rows, Block& block) const;
    void fill(const MadeDataset& dataset, std::span<const float> factors, Block& block,
              RowRange rows) const;

    MakeOptions options_;
    std::int64_t dim_;  // D that is stored
    std::int64_t classes_;
    MadeShape shape_;
    std::unique_ptr<FeatureMaker> features_;
    const InputMaker* inputs_ = nullptr;  // `features_`, where the kind has inputs
    std::unique_ptr<MadeCommittee> committee_;
    std::vector<MadeDataset> datasets_;
};

}  // namespace sluice::pool
