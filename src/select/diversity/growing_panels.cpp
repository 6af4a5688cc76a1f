#include "select/diversity/growing_panels.hpp"

#include <algorithm>

namespace sluice::select {

WideRows::WideRows(kernels::MatrixView rows, std::span<const std::int64_t> picked) {
    values_.reserve(picked.size() * static_cast<std::size_t>(rows.dim));
    for (const std::int64_t one : picked) {
        pointers_.push_back(values_.data() + values_.size());
        values_.insert(values_.end(), rows.row(one), rows.row(one) + rows.dim);
    }
}

void GrowingPanels::append(std::span<const float> row) {
    const std::int64_t begin = panel_of(size_);
    panels_.resize(static_cast<std::size_t>((begin + kernels::products_panel) * dim_), 0.0F);
    for (std::int64_t k = 0; k < dim_; ++k) {
        const std::int64_t place = begin * dim_ + k * kernels::products_panel + (size_ - begin);
        panels_[static_cast<std::size_t>(place)] = row[static_cast<std::size_t>(k)];
    }
    ++size_;
}

void GrowingPanels::clear() {
    panels_.clear();
    size_ = 0;
}

GrowingPanels::Products GrowingPanels::times(std::int64_t first, const WideRows& vectors) const {
    Products products;
    const std::int64_t tile_rows = kernels::products_tile().panels * kernels::products_panel;
    products.count = std::min(tile_rows, size_ - first);
    const std::int64_t num_panels =
        (products.count + kernels::products_panel - 1) / kernels::products_panel;
    products.stride = num_panels * kernels::products_panel;
    kernels::row_products(panels_.data() + first * dim_, static_cast<int>(num_panels), dim_,
                          vectors.pointers(), products.values);
    return products;
}

}  // namespace sluice::select
