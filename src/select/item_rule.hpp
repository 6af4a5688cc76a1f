#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::select {

/// How the scores of an item's rows become the item's: rows with one number in `groups` are
/// instances of one item (boxes of an image, atoms of a structure, frames of a video).
/// \source Yuan et al., "Multiple Instance Active Learning for Object Detection", CVPR 2021 (max
///         and mean); top-k means: Brust et al., "Active Learning for Deep Object Detection",
///         VISAPP 2019.
struct ItemRule {
    enum class Kind {
        rows,     ///< there are no items: each row stands for itself
        max,      ///< the best instance
        mean,     ///< of all instances
        sum,      ///< over all instances
        top_mean  ///< the mean of the `top` best instances, of all where there are fewer
    };

    Kind kind = Kind::rows;
    std::int64_t top = 0;  ///< of top_mean, >= 1

    bool has_items() const { return kind != Kind::rows; }

    /// As parse_item_rule reads it.
    std::string text() const;
};

/// Reads none, max, mean, sum or top_mean:K. Throws Error(usage).
ItemRule parse_item_rule(std::string_view text);

}  // namespace sluice::select
