#include "select/diversity/determinant_rows.hpp"

#include "kernels/worker_pool.hpp"

#include <algorithm>
#include <utility>

namespace sluice::select {
namespace {

std::vector<FallingVariances::State> states_of(const std::vector<DeterminantRows::Row>& rows) {
    std::vector<FallingVariances::State> states;
    states.reserve(rows.size());
    for (const DeterminantRows::Row& row : rows)
        states.push_back(row.state);
    return states;
}

}  // namespace

DeterminantRows::DeterminantRows(kernels::MatrixView features, std::vector<Row> rows,
                                 const Model& model,
                                 std::unique_ptr<kernels::DeviceVariances> device)
    : features_(features),
      taken_(rows.size(), 0),
      model_(model),
      variances_(features, model.looks, states_of(rows), model.num_threads, std::move(device)) {
    ids_.reserve(rows.size());
    qualities_.reserve(rows.size());
    for (const Row& row : rows) {
        ids_.push_back(row.row);
        qualities_.push_back(row.quality);
    }
}

DeterminantRows::Row DeterminantRows::row(std::int64_t local) const {
    const auto i = static_cast<std::size_t>(local);
    return {ids_[i], qualities_[i], variances_.state(local)};
}

Gain DeterminantRows::gain_of(std::int64_t local, double variance) const {
    const auto i = static_cast<std::size_t>(local);
    return {model_.squared_sigma + qualities_[i] * qualities_[i] * variance, ids_[i]};
}

// Free rows that the floor does not beat, with what they bring at most. A part of the rows for each
// task; by local index all the same.
DeterminantRows::Bounds DeterminantRows::bounds_from(const Gain& floor) const {
    constexpr std::int64_t rows_a_part = 16384;
    const std::int64_t num_parts = (size() + rows_a_part - 1) / rows_a_part;
    std::vector<Bounds> parts(static_cast<std::size_t>(num_parts));
    kernels::parallel_for(model_.num_threads, num_parts, [&](std::int64_t part) {
        Bounds& found = parts[static_cast<std::size_t>(part)];
        const std::int64_t end = std::min(size(), (part + 1) * rows_a_part);
        found.loose.reserve(static_cast<std::size_t>(end - part * rows_a_part));
        for (std::int64_t i = part * rows_a_part; i < end; ++i) {
            if (is_taken(i)) continue;
            const Gain most = bound(i);
            if (beats(floor, most)) continue;
            (variances_.is_tight(i) ? found.tight : found.loose).push_back({most.gain, i});
        }
    });
    Bounds all;
    for (const Bounds& part : parts) {
        all.tight.insert(all.tight.end(), part.tight.begin(), part.tight.end());
        all.loose.insert(all.loose.end(), part.loose.begin(), part.loose.end());
    }
    return all;
}

void DeterminantRows::tighten(std::span<const std::int64_t> locals, const Gain& bar) {
    std::vector<std::int64_t> vague = variances_.tighten(locals);
    std::erase_if(vague, [&](std::int64_t local) { return beats(bar, bound(local)); });
    variances_.refresh(vague);
}

// Keeps the `count` best and returns the worst of them, none if there are fewer. (The local indices
// of a panel do not order as its rows do.)
Gain DeterminantRows::keep_best(std::vector<BoundOfRow>& rows, std::int64_t count) const {
    if (std::ssize(rows) < count) return {};
    const auto is_better = [&](const BoundOfRow& left, const BoundOfRow& right) {
        return beats(gain_of(left), gain_of(right));
    };
    std::nth_element(rows.begin(), rows.begin() + (count - 1), rows.end(), is_better);
    rows.resize(static_cast<std::size_t>(count));
    return gain_of(rows.back());
}

DeterminantRows::Best DeterminantRows::tighten_best(std::int64_t count, const Gain& floor,
                                                    comm::Communicator& world) {
    constexpr std::int64_t least_chunk = 256;
    Best best{floor, {}, 0};
    const auto is_below = [&](const BoundOfRow& one) { return beats(best.bar, gain_of(one)); };
    Bounds bounds = bounds_from(floor);
    for (std::int64_t chunk = std::max(least_chunk, count);; chunk *= 2) {
        const Gain last = best_of_ranks(keep_best(bounds.tight, count), world);
        if (beats(last, best.bar)) best.bar = last;
        std::erase_if(bounds.loose, is_below);
        const std::vector<std::int64_t> next = locals_of(take_best(bounds.loose, chunk));
        if (world.sum(std::ssize(next)) == 0) break;
        tighten(next, best.bar);
        best.num_tightened += std::ssize(next);
        for (const std::int64_t local : next) {
            const Gain most = bound(local);
            if (!beats(best.bar, most)) bounds.tight.push_back({most.gain, local});
        }
    }
    std::erase_if(bounds.tight, is_below);
    best.locals = locals_of(bounds.tight);
    std::sort(best.locals.begin(), best.locals.end());
    return best;
}

}  // namespace sluice::select
