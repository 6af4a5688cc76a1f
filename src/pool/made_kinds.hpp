#pragma once

#include "core/types.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace sluice::pool {

/// What a made pool's features depend on, beside its kind and the row.
struct MadeShape {
    std::uint64_t seed = 0;
    std::int64_t dim = 0;
    std::int64_t classes = 0;
};

/// The features of one kind of made pool. Row r's values depend on the shape and r alone.
class FeatureMaker {
  public:
    virtual ~FeatureMaker() = default;

    /// Makes the features of the rows into `out` [rows.size(), dim].
    virtual void fill(RowRange rows, std::span<float> out) const = 0;

    /// The middles of the kind's groups [groups, dim], largest group first; empty if it has none.
    virtual std::span<const float> centers() const { return {}; }
};

/// One kind of made pool: a line in the registry and a function that makes its FeatureMaker.
struct MadeKind {
    std::string name;
    std::string summary;
    std::unique_ptr<FeatureMaker> (*make)(const MadeShape& shape);
    std::int64_t num_features = 0;  ///< D of an InputMaker; 0 = as many as asked for
};

/// The registry. A new kind is one FeatureMaker and one line here.
const std::vector<MadeKind>& made_kinds();

/// The kind called `name`; throws Error(usage) naming the nearest one.
const MadeKind& made_kind(const std::string& name);

}  // namespace sluice::pool
