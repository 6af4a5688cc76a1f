#include "select/distinct.hpp"

#include "core/sha256.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string>

namespace sluice::select {
namespace {

constexpr std::size_t slack = 1024;
constexpr std::size_t hex_digits = 16;
constexpr std::int64_t bytes_of_entry = 80;  // the candidate, its content, and the map's node
constexpr Candidate worst{-std::numeric_limits<float>::infinity(),
                          std::numeric_limits<RowId>::max()};

std::uint64_t number_of(const std::string& digest, std::size_t begin) {
    std::uint64_t number = 0;
    const char* const first = digest.data() + begin;
    std::from_chars(first, first + hex_digits, number, 16);
    return number;
}

// A candidate on its way to the rank that compares all of its content.
struct Traveller {
    DistinctCandidate entry;
    std::int64_t rank;
};

bool comes_before(const Traveller& left, const Traveller& right) {
    if (left.entry.content != right.entry.content) return left.entry.content < right.entry.content;
    return better(left.entry.candidate, right.entry.candidate);
}

}  // namespace

Content content_of(std::span<const float> features) {
    thread_local std::vector<float> values;
    values.assign(features.begin(), features.end());
    for (float& value : values)
        value += 0.0F;  // -0 becomes 0
    Sha256 hash;
    hash.update(std::as_bytes(std::span<const float>(values)));
    const std::string digest = hash.hex_digest();
    return {number_of(digest, 0), number_of(digest, hex_digits)};
}

DistinctTopK::DistinctTopK(std::size_t capacity) : capacity_(capacity), threshold_(worst) {}

void DistinctTopK::offer(const DistinctCandidate& offered) {
    if (capacity_ == 0 || !better(offered.candidate, threshold_)) return;
    const auto [entry, is_new] = kept_.try_emplace(offered.content, offered.candidate);
    if (!is_new && better(offered.candidate, entry->second)) entry->second = offered.candidate;
    if (kept_.size() >= 2 * capacity_ + slack) shrink();
}

std::vector<DistinctCandidate> DistinctTopK::take_sorted() {
    shrink();
    std::vector<DistinctCandidate> result;
    for (const auto& [content, candidate] : kept_)
        result.push_back({candidate, content});
    std::sort(result.begin(), result.end(),
              [](const DistinctCandidate& left, const DistinctCandidate& right) {
                  return better(left.candidate, right.candidate);
              });
    kept_.clear();
    threshold_ = worst;
    return result;
}

std::int64_t DistinctTopK::memory(std::int64_t capacity) {
    return (2 * capacity + static_cast<std::int64_t>(slack)) * bytes_of_entry;
}

void DistinctTopK::shrink() {
    if (kept_.size() <= capacity_) return;
    std::vector<Candidate> all;
    for (const auto& [content, candidate] : kept_)
        all.push_back(candidate);
    const auto last = all.begin() + static_cast<std::ptrdiff_t>(capacity_) - 1;
    std::nth_element(all.begin(), last, all.end(), better);
    threshold_ = *last;
    std::erase_if(kept_, [&](const auto& entry) { return better(threshold_, entry.second); });
}

std::vector<Candidate> drop_copies(std::span<const DistinctCandidate> mine,
                                   comm::Communicator& world) {
    const auto num_ranks = static_cast<std::uint64_t>(world.size());
    std::vector<std::vector<Traveller>> parts(num_ranks);
    for (const DistinctCandidate& entry : mine)
        parts[entry.content.low % num_ranks].push_back({entry, world.rank()});
    std::vector<Traveller> met = world.all_to_all(parts);
    std::sort(met.begin(), met.end(), comes_before);

    std::vector<std::vector<RowId>> copies(num_ranks);
    for (std::size_t i = 1; i < met.size(); ++i) {
        if (met[i].entry.content == met[i - 1].entry.content)
            copies[static_cast<std::size_t>(met[i].rank)].push_back(met[i].entry.candidate.row);
    }
    std::vector<RowId> dropped = world.all_to_all(copies);
    std::sort(dropped.begin(), dropped.end());
    std::vector<Candidate> kept;
    for (const DistinctCandidate& entry : mine) {
        if (!std::binary_search(dropped.begin(), dropped.end(), entry.candidate.row))
            kept.push_back(entry.candidate);
    }
    return kept;
}

}  // namespace sluice::select
