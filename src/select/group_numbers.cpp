#include "select/group_numbers.hpp"

#include "core/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

namespace sluice::select {
namespace {

constexpr RowId rows_at_once = 4096;
constexpr std::int64_t items_of_pass = std::int64_t{1} << 20;
constexpr RowId none = std::numeric_limits<RowId>::max();

// An item's number and first row.
struct Item {
    std::int64_t number;
    RowId row;

    friend bool operator<(const Item& left, const Item& right) {
        return left.number < right.number || (left.number == right.number && left.row < right.row);
    }
};

// What one rank's share says of the order of numbers.
struct Outline {
    std::int64_t num_items = 0;
    std::int64_t first = 0;
    std::int64_t last = 0;
    std::int64_t ascends = 1;
};

// Spreads numbers over passes and ranks, whatever their pattern (the finalizer of SplitMix64).
std::uint64_t mixed(std::int64_t number) {
    auto bits = static_cast<std::uint64_t>(number);
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9U;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebU;
    return bits ^ (bits >> 31);
}

bool ascend_over_ranks(const Outline& mine, comm::Communicator& world) {
    bool ascends = true;
    std::int64_t num_before = 0;
    std::int64_t last = 0;
    for (const Outline& one : world.all_gather(std::span<const Outline>(&mine, 1))) {
        if (one.num_items == 0) continue;
        ascends = ascends && one.ascends != 0 && (num_before == 0 || one.first > last);
        num_before += one.num_items;
        last = one.last;
    }
    return ascends;
}

// The lowest row of `met` whose number has come before, with the row before it.
std::pair<RowId, RowId> first_repeat(std::vector<Item> met) {
    std::sort(met.begin(), met.end());
    std::pair<RowId, RowId> found{none, none};
    for (std::size_t i = 1; i < met.size(); ++i) {
        if (met[i].number == met[i - 1].number && met[i].row < found.first)
            found = {met[i].row, met[i - 1].row};
    }
    return found;
}

}  // namespace

void GroupNumbers::read(RowRange rows, std::vector<std::int64_t>& numbers, Scratch& scratch) const {
    scratch.rows.resize(static_cast<std::size_t>(rows.size()));
    std::iota(scratch.rows.begin(), scratch.rows.end(), rows.begin);
    numbers.resize(scratch.rows.size());
    reader_.gather_integers(scratch.rows, numbers, scratch.reader);
}

RowId GroupNumbers::border_from(RowId row) const {
    if (row <= 0 || row >= groups_.num_rows) return std::clamp<RowId>(row, 0, groups_.num_rows);
    Scratch scratch;
    std::vector<std::int64_t> numbers;
    read({row - 1, row}, numbers, scratch);
    const std::int64_t before = numbers.front();
    while (row < groups_.num_rows) {
        read({row, std::min(groups_.num_rows, row + rows_at_once)}, numbers, scratch);
        const auto border = std::find_if(numbers.begin(), numbers.end(),
                                         [&](std::int64_t number) { return number != before; });
        row += border - numbers.begin();
        if (border != numbers.end()) break;
    }
    return row;
}

RowRange GroupNumbers::item_of(RowId row) const {
    Scratch scratch;
    std::vector<std::int64_t> numbers;
    read({row, row + 1}, numbers, scratch);
    const std::int64_t wanted = numbers.front();
    RowId begin = row;
    while (begin > 0) {
        const RowId from = std::max<RowId>(0, begin - rows_at_once);
        read({from, begin}, numbers, scratch);
        const auto other = std::find_if(numbers.rbegin(), numbers.rend(),
                                        [&](std::int64_t number) { return number != wanted; });
        begin -= other - numbers.rbegin();
        if (other != numbers.rend()) break;
    }
    return {begin, border_from(row + 1)};
}

template <typename Step>
void GroupNumbers::for_each_item(RowRange share, Step step) const {
    Scratch scratch;
    std::vector<std::int64_t> numbers;
    std::int64_t last = 0;
    for (RowId row = share.begin; row < share.end; row += rows_at_once) {
        read({row, std::min(share.end, row + rows_at_once)}, numbers, scratch);
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            const RowId here = row + static_cast<RowId>(i);
            if (here == share.begin || numbers[i] != last) step(Item{numbers[i], here});
            last = numbers[i];
        }
    }
}

void GroupNumbers::require_rows_together(RowRange share, comm::Communicator& world) const {
    Outline mine;
    world.agree([&] {
        for_each_item(share, [&](const Item& item) {
            if (mine.num_items == 0) mine.first = item.number;
            if (mine.num_items > 0 && item.number <= mine.last) mine.ascends = 0;
            mine.last = item.number;
            ++mine.num_items;
        });
    });
    if (ascend_over_ranks(mine, world)) return;
    const auto num_ranks = static_cast<std::uint64_t>(world.size());
    const auto num_passes =
        static_cast<std::uint64_t>(world.max(mine.num_items) / items_of_pass + 1);
    std::pair<RowId, RowId> found{none, none};
    for (std::uint64_t pass = 0; pass < num_passes; ++pass) {
        std::vector<std::vector<Item>> parts(num_ranks);
        world.agree([&] {
            for_each_item(share, [&](const Item& item) {
                const std::uint64_t hash = mixed(item.number);
                if (hash % num_passes == pass) parts[hash / num_passes % num_ranks].push_back(item);
            });
        });
        found = std::min(found, first_repeat(world.all_to_all(parts)));
    }
    const RowId repeat = world.min(found.first);
    if (repeat == none) return;
    const RowId before = world.min(found.first == repeat ? found.second : none);
    throw comm::AgreedError(
        ExitCode::bad_data,
        fmt::format("{}: the item of row {} goes on here, after others; --groups needs the rows of "
                    "an item side by side: sort every dataset of the pool by `groups` "
                    "(numpy.argsort(groups, kind='stable'))",
                    pool::location_text(groups_, repeat), before));
}

std::int64_t GroupNumbers::check_memory(std::int64_t rows_of_rank) {
    // Sorted out by rank, under way, received; a pass may hold twice the usual.
    return 6 * std::min(rows_of_rank, items_of_pass) * static_cast<std::int64_t>(sizeof(Item));
}

}  // namespace sluice::select
