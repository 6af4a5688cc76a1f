#include "labels/known_labels.hpp"

#include "labels/generation.hpp"
#include "labels/labels_directory.hpp"
#include "queue/layout.hpp"

#include <algorithm>

namespace sluice::labels {
namespace {

bool contains(const std::vector<RowRange>& ranges, std::int64_t item) {
    const auto after = std::upper_bound(
        ranges.begin(), ranges.end(), item,
        [](std::int64_t value, const RowRange& range) { return value < range.begin; });
    return after != ranges.begin() && item < std::prev(after)->end;
}

}  // namespace

void KnownLabels::load(const Wanted& wanted, std::int64_t last) {
    labels_.clear();
    for (const std::int64_t number : generation_numbers(directory_)) {
        if (number <= last) add(wanted, number);
    }
}

void KnownLabels::add(const Wanted& wanted, std::int64_t generation) {
    const ItemLabels found = read_item_labels(queue::join(directory_, generation_name(generation)));
    const auto width = static_cast<std::ptrdiff_t>(found.width);
    for (std::size_t i = 0; i < found.item.size(); ++i) {
        const auto ranges = wanted.find(found.batch[i]);
        if (ranges == wanted.end() || !contains(ranges->second, found.item[i])) continue;
        const auto y = found.y.begin() + static_cast<std::ptrdiff_t>(i) * width;
        // A first label stays.
        labels_.try_emplace({found.batch[i], found.item[i]},
                            KnownLabel{{y, y + width}, generation});
    }
}

const KnownLabel* KnownLabels::find(const std::string& batch_id, std::int64_t item) const {
    const auto found = labels_.find({batch_id, item});
    return found == labels_.end() ? nullptr : &found->second;
}

}  // namespace sluice::labels
