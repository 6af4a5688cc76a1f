#pragma once

#include "core/types.hpp"
#include "h5/input_file.hpp"
#include "labels/generation.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace sluice::labels {

/// What a published batch holds of its items, read from items.h5 in blocks of neighbouring items:
/// memory does not grow with the batch. Cheap when asked in ascending order.
class ItemRows {
  public:
    /// Opens `items_path`. Throws Error(no_input|bad_data).
    ItemRows(const std::string& items_path, std::int64_t num_items);

    const ItemShape& shape() const { return shape_; }

    /// Reads the items of a range; what the members below return is valid until the next call.
    void load(RowRange items);

    RowId row(std::int64_t item) const { return rows_[index(item)]; }
    const std::string& id(std::int64_t item) const { return ids_[index(item)]; }
    std::span<const float> features(std::int64_t item) const;
    std::span<const double> inputs(std::int64_t item) const;

  private:
    std::size_t index(std::int64_t item) const {
        return static_cast<std::size_t>(item - loaded_.begin);
    }

    h5::InputFile file_;
    std::int64_t num_items_;
    ItemShape shape_;
    RowRange loaded_;
    std::vector<RowId> rows_;
    std::vector<std::string> ids_;
    std::vector<float> features_;
    std::vector<double> inputs_;
};

}  // namespace sluice::labels
