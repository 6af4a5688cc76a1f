#include "select/diversity/determinant_rows.hpp"

#include "kernels/worker_pool.hpp"

#include <algorithm>

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
                                 const Model& model)
    : features_(features),
      taken_(rows.size(), 0),
      model_(model),
      variances_(features, model.looks, states_of(rows), model.num_threads) {
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

// A part of the rows for each task; by local index all the same.
template <typename Wanted>
std::vector<BoundOfRow> DeterminantRows::free_rows(const Wanted& wanted) const {
    constexpr std::int64_t rows_a_part = 16384;
    const std::int64_t num_parts = (size() + rows_a_part - 1) / rows_a_part;
    std::vector<std::vector<BoundOfRow>> parts(static_cast<std::size_t>(num_parts));
    kernels::parallel_for(model_.num_threads, num_parts, [&](std::int64_t part) {
        std::vector<BoundOfRow>& found = parts[static_cast<std::size_t>(part)];
        const std::int64_t end = std::min(size(), (part + 1) * rows_a_part);
        for (std::int64_t i = part * rows_a_part; i < end; ++i) {
            if (is_taken(i)) continue;
            const Gain most = bound(i);
            if (wanted(i, most)) found.push_back({most.gain, i});
        }
    });
    std::vector<BoundOfRow> rows;
    for (const std::vector<BoundOfRow>& part : parts)
        rows.insert(rows.end(), part.begin(), part.end());
    return rows;
}

std::vector<std::int64_t> DeterminantRows::rows_from(const Gain& bar) const {
    return locals_of(free_rows([&](std::int64_t, const Gain& most) { return !beats(bar, most); }));
}

void DeterminantRows::tighten(std::span<const std::int64_t> locals, const Gain& bar) {
    variances_.tighten(locals);
    std::vector<std::int64_t> vague;
    for (const std::int64_t local : locals) {
        if (variances_.is_vague(local) && !beats(bar, bound(local))) vague.push_back(local);
    }
    variances_.refresh(vague);
}

Gain DeterminantRows::tighten_best(std::int64_t count, const Gain& floor, comm::Communicator& world,
                                   std::int64_t& num_tightened) {
    constexpr std::int64_t least_chunk = 256;
    Gain bar = floor;
    const auto id = [&](const BoundOfRow& one) {
        return Gain{one.gain, ids_[static_cast<std::size_t>(one.local)]};
    };
    std::vector<BoundOfRow> tight = free_rows([&](std::int64_t i, const Gain& most) {
        return variances_.is_tight(i) && !beats(floor, most);
    });
    std::vector<BoundOfRow> loose = free_rows([&](std::int64_t i, const Gain& most) {
        return !variances_.is_tight(i) && !beats(floor, most);
    });
    for (std::int64_t chunk = std::max(least_chunk, count);; chunk *= 2) {
        const std::int64_t worst = keep_best(tight, count);
        const Gain best =
            best_of_ranks(worst < 0 ? Gain{} : id(tight[static_cast<std::size_t>(worst)]), world);
        if (beats(best, bar)) bar = best;
        std::erase_if(loose, [&](const BoundOfRow& one) { return beats(bar, id(one)); });
        const std::vector<std::int64_t> next = locals_of(take_best(loose, chunk));
        if (world.sum(std::ssize(next)) == 0) return bar;
        tighten(next, bar);
        num_tightened += std::ssize(next);
        for (const std::int64_t local : next) {
            const Gain most = bound(local);
            if (!beats(bar, most)) tight.push_back({most.gain, local});
        }
    }
}

}  // namespace sluice::select
