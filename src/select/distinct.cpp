#include "select/distinct.hpp"

#include "core/sha256.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string>
#include <utility>

namespace sluice::select {
namespace {

constexpr std::size_t slack = 1024;
constexpr std::size_t word_digits = 16;
constexpr Candidate worst{-std::numeric_limits<float>::infinity(),
                          std::numeric_limits<RowId>::max()};

bool better_candidate(const DigestedCandidate& left, const DigestedCandidate& right) {
    return better(left.candidate, right.candidate);
}

std::uint64_t word_of(const std::string& hex, std::size_t which) {
    std::uint64_t word = 0;
    const char* begin = hex.data() + which * word_digits;
    std::from_chars(begin, begin + word_digits, word, 16);
    return word;
}

// Equal rows side by side, the best of them first.
bool comes_before(const DigestedCandidate& left, const DigestedCandidate& right) {
    if (left.digest != right.digest) return left.digest < right.digest;
    return better_candidate(left, right);
}

// A candidate at the rank that compares all of its digest, and where it came from.
struct Traveller {
    DigestedCandidate digested;
    std::int64_t rank;
};

void keep_best_of_each(std::vector<DigestedCandidate>& candidates) {
    std::sort(candidates.begin(), candidates.end(), comes_before);
    const auto same = [](const DigestedCandidate& left, const DigestedCandidate& right) {
        return left.digest == right.digest;
    };
    candidates.erase(std::unique(candidates.begin(), candidates.end(), same), candidates.end());
}

}  // namespace

RowDigest row_digest(std::span<const float> features) {
    std::vector<float> plain(features.begin(), features.end());
    for (float& value : plain)
        value += 0.0F;  // -0 becomes 0
    Sha256 hash;
    hash.update(std::as_bytes(std::span<const float>(plain)));
    const std::string hex = hash.hex_digest();
    return {{word_of(hex, 0), word_of(hex, 1)}};
}

DistinctTopK::DistinctTopK(std::size_t capacity)
    : capacity_(capacity), limit_(2 * capacity + slack), threshold_(worst) {}

void DistinctTopK::offer(const DigestedCandidate& offered) {
    if (!may_enter(offered.candidate)) return;
    kept_.push_back(offered);
    if (kept_.size() >= limit_) shrink();
}

std::vector<DigestedCandidate> DistinctTopK::take_sorted() {
    shrink();
    std::sort(kept_.begin(), kept_.end(), better_candidate);
    threshold_ = worst;
    return std::exchange(kept_, {});
}

std::int64_t DistinctTopK::memory(std::int64_t capacity) {
    return (2 * capacity + static_cast<std::int64_t>(slack)) *
           static_cast<std::int64_t>(sizeof(DigestedCandidate));
}

void DistinctTopK::shrink() {
    keep_best_of_each(kept_);
    if (kept_.size() < capacity_ || kept_.empty()) return;
    const auto last = kept_.begin() + static_cast<std::ptrdiff_t>(capacity_) - 1;
    std::nth_element(kept_.begin(), last, kept_.end(), better_candidate);
    threshold_ = last->candidate;
    kept_.resize(capacity_);
}

std::vector<Candidate> keep_distinct(std::span<const DigestedCandidate> mine,
                                     comm::Communicator& world) {
    const auto num_ranks = static_cast<std::uint64_t>(world.size());
    std::vector<std::vector<Traveller>> parts(num_ranks);
    for (const DigestedCandidate& one : mine)
        parts[one.digest.word[0] % num_ranks].push_back({one, world.rank()});
    std::vector<Traveller> met = world.all_to_all(parts);
    std::sort(met.begin(), met.end(), [](const Traveller& left, const Traveller& right) {
        return comes_before(left.digested, right.digested);
    });
    std::vector<std::vector<RowId>> copies(num_ranks);
    for (std::size_t i = 1; i < met.size(); ++i) {
        if (met[i].digested.digest == met[i - 1].digested.digest)
            copies[static_cast<std::size_t>(met[i].rank)].push_back(met[i].digested.candidate.row);
    }
    std::vector<RowId> dropped = world.all_to_all(copies);
    std::sort(dropped.begin(), dropped.end());
    std::vector<Candidate> kept;
    for (const DigestedCandidate& one : mine) {
        if (!std::binary_search(dropped.begin(), dropped.end(), one.candidate.row))
            kept.push_back(one.candidate);
    }
    return kept;
}

}  // namespace sluice::select
