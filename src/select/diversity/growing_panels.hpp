#pragma once

#include "kernels/nearest_center.hpp"
#include "kernels/row_products.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// Some rows of a matrix in float64.
class WideRows {
  public:
    WideRows(kernels::MatrixView rows, std::span<const std::int64_t> picked);
    WideRows(const WideRows&) = delete;
    WideRows& operator=(const WideRows&) = delete;

    std::span<const double* const> pointers() const { return pointers_; }

  private:
    std::vector<double> values_;
    std::vector<const double*> pointers_;
};

/// A list of rows that grows, laid out for dot products with several vectors at a time. Each
/// product is the chain of row_products.
class GrowingPanels {
  public:
    explicit GrowingPanels(std::int64_t dim) : dim_(dim) {}

    void append(std::span<const float> row);
    void clear();
    std::int64_t size() const { return size_; }

    /// Where the panel of a row begins.
    static std::int64_t panel_of(std::int64_t row) {
        return row / kernels::products_panel * kernels::products_panel;
    }

    /// Products of vectors with `count` rows of the list.
    struct Products {
        static constexpr std::int64_t most = 8 * 3 * kernels::products_panel;

        std::int64_t count = 0;
        std::int64_t stride = 0;
        double values[most];

        double at(std::size_t vector, std::int64_t row) const {
            return values[static_cast<std::int64_t>(vector) * stride + row];
        }
    };

    /// With the rows from `first` on, the begin of a panel, as many as one tile takes.
    Products times(std::int64_t first, const WideRows& vectors) const;

  private:
    std::int64_t dim_;
    std::int64_t size_ = 0;
    std::vector<float> panels_;
};

}  // namespace sluice::select
