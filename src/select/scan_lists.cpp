#include "select/scan_lists.hpp"

#include "core/error.hpp"
#include "core/philox.hpp"
#include "core/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::select {
namespace {

constexpr std::size_t slack = 1024;
constexpr std::size_t most_classes = 4096;

bool better_ranked(const RankedRow& left, const RankedRow& right) {
    return better(left.rank, right.rank);
}

bool takes(const ScanList& list, std::int64_t code) {
    if (list.of_class) return *list.of_class == code;
    return !std::binary_search(list.of_no_class.begin(), list.of_no_class.end(), code);
}

void keep_best(std::vector<RankedRow>& kept, std::size_t capacity) {
    const auto end = kept.begin() + static_cast<std::ptrdiff_t>(capacity);
    std::nth_element(kept.begin(), end - 1, kept.end(), better_ranked);
    kept.erase(end, kept.end());
}

}  // namespace

float chance_of(std::uint64_t seed, std::uint32_t round, RowId row) {
    const Philox4 words =
        random_words(seed, RandomPurpose::random_share, round, static_cast<std::uint64_t>(row), 0);
    // Near 0, where the rows drawn are, floats tell apart 2^-64.
    const double fine =
        (static_cast<double>(words.word[0]) * 0x1p32 + words.word[1] + 0.5) * 0x1p-64;
    return -static_cast<float>(fine);
}

void ScanList::offer(const RankedRow& row) {
    if (!better(after, row.rank)) return;
    ++num_rows;
    if (capacity == 0 || !better(row.rank, threshold)) return;
    kept.push_back(row);
    if (kept.size() < 2 * capacity + slack) return;
    keep_best(kept, capacity);
    threshold = kept.back().rank;
}

std::vector<RankedRow> ScanList::take() {
    std::sort(kept.begin(), kept.end(), better_ranked);
    kept.resize(std::min(kept.size(), capacity));
    return std::move(kept);
}

ScanLists::ScanLists(const Plan& plan, const RowClasses* classes, std::vector<ScanList> lists,
                     std::size_t capacity_of_each)
    : plan_(plan),
      classes_(classes),
      lists_(std::move(lists)),
      capacity_of_each_(capacity_of_each),
      draws_(std::any_of(lists_.begin(), lists_.end(), [](const ScanList& list) {
          return list.order == ScanList::Order::by_chance;
      })) {}

void ScanLists::read_classes(RowRange rows, Scratch& scratch) const {
    if (classes_ != nullptr) classes_->read(rows, scratch.codes, scratch.classes);
}

void ScanLists::look_at(RowRange rows, std::span<const Candidate> passed, Scratch& scratch) const {
    scratch.passed.clear();
    read_classes(rows, scratch);
    if (classes_ != nullptr) {
        for (const Candidate& candidate : passed)
            scratch.passed.push_back(
                scratch.codes[static_cast<std::size_t>(candidate.row - rows.begin)]);
    }
    scratch.chances.clear();
    if (!draws_) return;
    for (const Candidate& candidate : passed)
        scratch.chances.push_back(chance_of(plan_.seed, plan_.round, candidate.row));
}

void ScanLists::add(std::span<const Candidate> passed, const Scratch& scratch) {
    for (std::size_t i = 0; i < passed.size(); ++i)
        offer({passed[i], passed[i].score}, draws_ ? scratch.chances[i] : 0.0F,
              classes_ == nullptr ? no_class : scratch.passed[i]);
}

void ScanLists::add_items(std::span<const EndedItem> items) {
    for (const EndedItem& item : items) {
        if (item.is_taken) {
            if (item.code != no_class) ++taken_census_[item.code];
            continue;
        }
        const float chance = draws_ ? chance_of(plan_.seed, plan_.round, item.rows.begin) : 0.0F;
        offer({item.candidate, item.candidate.score}, chance, item.code);
    }
}

void ScanLists::offer(const RankedRow& row, float chance, std::int64_t code) {
    for (ScanList& list : lists_) {
        if (!takes(list, code)) continue;
        const bool by_chance = list.order == ScanList::Order::by_chance;
        list.offer(by_chance ? RankedRow{{chance, row.rank.row}, row.score} : row);
    }
    if (classes_ == nullptr || code == no_class) return;
    count(code);
    if (capacity_of_each_ > 0) of_each_.at(code).offer(row);
}

void ScanLists::count(std::int64_t code) {
    const auto [place, is_new] = census_.try_emplace(code, 0);
    ++place->second;
    if (!is_new || capacity_of_each_ == 0) return;
    require(census_.size() <= most_classes, ExitCode::bad_data,
            fmt::format("{}: has more than {} classes, too many for a list of each; name the ones "
                        "that matter",
                        pool::location_text(classes_->dataset(), 0), most_classes));
    const std::int64_t bytes =
        std::ssize(census_) * memory(static_cast<std::int64_t>(capacity_of_each_));
    require(bytes <= plan_.memory_budget, ExitCode::usage,
            fmt::format("--memory: the best {} rows of each of {} classes or more need {} per "
                        "rank; raise --memory or lower --shortlist",
                        count_text(static_cast<std::int64_t>(capacity_of_each_)), census_.size(),
                        bytes_text(static_cast<double>(bytes))));
    ScanList list;
    list.of_class = code;
    list.capacity = capacity_of_each_;
    of_each_.emplace(code, std::move(list));
}

std::int64_t ScanLists::memory(std::int64_t capacity) {
    return (2 * capacity + static_cast<std::int64_t>(slack)) *
           static_cast<std::int64_t>(sizeof(RankedRow));
}

}  // namespace sluice::select
