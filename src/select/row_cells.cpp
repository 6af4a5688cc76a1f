#include "core/error.hpp"
#include "select/row_classes.hpp"

#include <algorithm>
#include <span>

namespace sluice::select {
namespace {

// Spreads codes, whatever their pattern (the finalizer of SplitMix64).
std::uint64_t mixed(std::uint64_t bits) {
    bits += 0x9e3779b97f4a7c15U;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9U;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebU;
    return bits ^ (bits >> 31);
}

std::int64_t code_of_cell(const RowClasses::Cell& cell) {
    if (std::find(cell.begin(), cell.end(), no_class) != cell.end()) return no_class;
    std::uint64_t hash = cell.size();
    for (const std::int64_t code : cell)
        hash = mixed(hash ^ mixed(static_cast<std::uint64_t>(code)));
    return static_cast<std::int64_t>(hash >> 1);  // never negative
}

void share_texts(const RowClasses& classes, const std::set<std::int64_t>& codes,
                 comm::Communicator& world) {
    std::string texts;
    for (const std::int64_t code : codes)
        texts += classes.name_of(code) + '\0';
    const std::vector<char> all = world.all_gather(std::span<const char>(texts));
    for (auto begin = all.begin(); begin != all.end();) {
        const auto end = std::find(begin, all.end(), '\0');
        static_cast<void>(classes.code_of({begin, end}));
        begin = end + 1;
    }
}

// The code of each cell, then its classes.
void share_cells(const RowClasses& classes, const std::map<std::int64_t, RowClasses::Cell>& mine,
                 comm::Communicator& world) {
    std::vector<std::int64_t> flat;
    for (const auto& [code, cell] : mine) {
        flat.push_back(code);
        flat.insert(flat.end(), cell.begin(), cell.end());
    }
    const std::vector<std::int64_t> all = world.all_gather(std::span<const std::int64_t>(flat));
    const auto width = static_cast<std::ptrdiff_t>(classes.num_parts());
    for (auto at = all.begin(); at != all.end(); at += width + 1)
        classes.learn(*at, {at + 1, at + 1 + width});
}

}  // namespace

void share_classes(const RowClasses& classes, const std::set<std::int64_t>& codes,
                   comm::Communicator& world) {
    if (classes.is_text()) return share_texts(classes, codes, world);
    if (classes.num_parts() == 0) return;
    std::map<std::int64_t, RowClasses::Cell> mine = classes.cells();
    std::erase_if(mine, [&](const auto& known) { return !codes.contains(known.first); });
    for (std::size_t p = 0; p < classes.num_parts(); ++p) {
        std::set<std::int64_t> of_part;
        for (const auto& [code, cell] : mine)
            of_part.insert(cell[p]);
        share_classes(classes.part(p), of_part, world);
    }
    share_cells(classes, mine, world);
}

void RowClasses::read_cells(RowRange rows, std::vector<std::int64_t>& codes,
                            Scratch& scratch) const {
    scratch.parts.resize(parts_.size());
    scratch.part_codes.resize(parts_.size());
    for (std::size_t p = 0; p < parts_.size(); ++p)
        parts_[p]->read(rows, scratch.part_codes[p], scratch.parts[p]);
    Cell cell(parts_.size());
    for (std::size_t i = 0; i < codes.size(); ++i) {
        for (std::size_t p = 0; p < parts_.size(); ++p)
            cell[p] = scratch.part_codes[p][i];
        codes[i] = code_of_cell(cell);
        if (codes[i] != no_class && scratch.cells.insert(codes[i]).second) learn(codes[i], cell);
    }
}

std::map<std::int64_t, RowClasses::Cell> RowClasses::cells() const {
    const std::lock_guard lock(mutex_);
    return cells_;
}

void RowClasses::learn(std::int64_t code, const Cell& cell) const {
    const std::lock_guard lock(mutex_);
    const auto known = cells_.emplace(code, cell).first;
    require(known->second == cell, ExitCode::internal,
            "two combinations of classes have the same hash; balance by one of them less");
}

std::string RowClasses::name_of_cell(std::int64_t code) const {
    const std::map<std::int64_t, Cell> known = cells();
    const auto found = known.find(code);
    std::string name;
    for (std::size_t p = 0; found != known.end() && p < parts_.size(); ++p)
        name += (name.empty() ? "" : " + ") + parts_[p]->name_of(found->second[p]);
    return name;
}

}  // namespace sluice::select
