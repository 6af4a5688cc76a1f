#include "select/nearest_collector.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sluice::select {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

}  // namespace

NearestCollector::NearestCollector(std::int64_t num_queries, std::int64_t capacity)
    : capacity_(capacity),
      heaps_(static_cast<std::size_t>(num_queries)),
      limits_(static_cast<std::size_t>(num_queries), infinity) {}

void NearestCollector::offer(std::int64_t query, const NearRow& near) {
    std::vector<NearRow>& heap = heaps_[static_cast<std::size_t>(query)];
    if (std::ssize(heap) == capacity_) {
        if (!(near < heap.front())) return;
        std::pop_heap(heap.begin(), heap.end());
        heap.pop_back();
    }
    heap.push_back(near);
    std::push_heap(heap.begin(), heap.end());
    if (std::ssize(heap) == capacity_) {
        limits_[static_cast<std::size_t>(query)] = std::nextafter(heap.front().squared, infinity);
    }
}

std::vector<NearRowOfQuery> NearestCollector::sorted(RowRange queries) const {
    std::vector<NearRowOfQuery> all;
    for (std::int64_t query = queries.begin; query < queries.end; ++query) {
        std::vector<NearRow> kept = heaps_[static_cast<std::size_t>(query)];
        std::sort(kept.begin(), kept.end());
        for (const NearRow& near : kept)
            all.push_back({query, near});
    }
    return all;
}

}  // namespace sluice::select
