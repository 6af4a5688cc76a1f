#include "select/diversity/coverage_panel.hpp"

#include <algorithm>
#include <utility>

namespace sluice::select {
namespace {

bool comes_later(const CoveragePanel::Row& left, const CoveragePanel::Row& right) {
    return beats(right.gain, left.gain);
}

}  // namespace

CoveragePanel::CoveragePanel(const std::vector<Told>& told, UncoveredRows lists,
                             std::int64_t num_picked)
    : lists_(std::move(lists)), begins_{0}, num_picked_(num_picked) {
    for (const Told& one : told) {
        rows_.push_back({one.gain, std::ssize(rows_), num_picked});
        begins_.push_back(begins_.back() + one.size);
    }
    std::make_heap(rows_.begin(), rows_.end(), comes_later);
}

std::span<const SimilarRow> CoveragePanel::list(const Row& row) const {
    const std::int64_t* const begin = begins_.data() + row.place;
    return {lists_.data() + begin[0], static_cast<std::size_t>(begin[1] - begin[0])};
}

// A gain that does not account for all picks is an upper bound: a row whose bound is below what is
// known to be the best need not be looked at.
Gain CoveragePanel::best(const Gain& floor, const Cover& cover) {
    while (!rows_.empty()) {
        Row& top = rows_.front();
        if (top.seen == num_picked_ || beats(floor, top.gain)) return top.gain;
        std::pop_heap(rows_.begin(), rows_.end(), comes_later);
        Row& stale = rows_.back();
        stale.gain.gain = uncovered_sum(list(stale), cover.covered, cover.weights);
        stale.seen = num_picked_;
        std::push_heap(rows_.begin(), rows_.end(), comes_later);
    }
    return {};
}

void CoveragePanel::take_best(Cover& cover) {
    std::pop_heap(rows_.begin(), rows_.end(), comes_later);
    cover_by(list(rows_.back()), cover.covered);
    rows_.pop_back();
    ++num_picked_;
}

}  // namespace sluice::select
