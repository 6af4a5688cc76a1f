#include "select/shortlist.hpp"

#include "core/partition.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

namespace sluice::select {
namespace {

constexpr int digit_bits = 11;
constexpr std::size_t num_digits = std::size_t{1} << digit_bits;
constexpr int score_bits = 32;
constexpr int row_bits = 63;

// Maps a finite score to an integer that ascends as the score descends; -0 and +0 are one key.
std::uint64_t score_key(const Candidate& candidate) {
    const auto bits = std::bit_cast<std::uint32_t>(candidate.score + 0.0F);
    const std::uint32_t ascending = (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
    return ~ascending;
}

std::uint64_t row_key(const Candidate& candidate) {
    return static_cast<std::uint64_t>(candidate.row);
}

struct Threshold {
    std::uint64_t key = 0;       // the size-th smallest key of the job
    std::int64_t remaining = 0;  // how many candidates with this key are still wanted
};

// The `wanted`-th smallest key of all ranks' candidates, digit by digit from the top.
// Requires 1 <= wanted <= number of candidates of all ranks.
template <typename Key>
Threshold select_key(const std::vector<Candidate>& mine, Key key, int num_bits, std::int64_t wanted,
                     comm::Communicator& world) {
    Threshold result{0, wanted};
    for (int shift = (num_bits - 1) / digit_bits * digit_bits; shift >= 0; shift -= digit_bits) {
        std::array<std::int64_t, num_digits> histogram{};
        const int above = shift + digit_bits;
        for (const Candidate& candidate : mine) {
            const std::uint64_t value = key(candidate);
            const bool in_prefix = above >= 64 || (value >> above) == (result.key >> above);
            if (in_prefix) ++histogram[(value >> shift) % num_digits];
        }
        world.sum(histogram);
        std::uint64_t digit = 0;
        while (histogram[digit] < result.remaining)
            result.remaining -= histogram[digit++];
        result.key |= digit << shift;
    }
    return result;
}

}  // namespace

std::vector<Candidate> keep_global_best(std::vector<Candidate> mine, std::int64_t size,
                                        comm::Communicator& world) {
    const std::int64_t total = world.sum(static_cast<std::int64_t>(mine.size()));
    if (total <= size) return mine;
    if (size <= 0) return {};
    const Threshold score = select_key(mine, score_key, score_bits, size, world);

    std::vector<Candidate> tied;
    std::copy_if(mine.begin(), mine.end(), std::back_inserter(tied),
                 [&](const Candidate& candidate) { return score_key(candidate) == score.key; });
    const std::int64_t num_tied = world.sum(static_cast<std::int64_t>(tied.size()));
    const std::uint64_t last_row =
        num_tied == score.remaining
            ? row_key({0.0F, std::numeric_limits<RowId>::max()})
            : select_key(tied, row_key, row_bits, score.remaining, world).key;

    std::erase_if(mine, [&](const Candidate& candidate) {
        const std::uint64_t key = score_key(candidate);
        return key > score.key || (key == score.key && row_key(candidate) > last_row);
    });
    return mine;
}

std::vector<Candidate> balance_by_row(std::vector<Candidate> mine, comm::Communicator& world) {
    std::sort(mine.begin(), mine.end(),
              [](const Candidate& left, const Candidate& right) { return left.row < right.row; });
    const auto count = static_cast<std::int64_t>(mine.size());
    const std::int64_t first = world.exclusive_sum(count);
    const std::int64_t total = world.sum(count);
    std::vector<std::vector<Candidate>> parts(static_cast<std::size_t>(world.size()));
    for (int rank = 0; rank < world.size(); ++rank) {
        const RowRange share = part_of_rows(total, rank, world.size());
        const std::int64_t begin = std::clamp<std::int64_t>(share.begin - first, 0, count);
        const std::int64_t end = std::clamp<std::int64_t>(share.end - first, 0, count);
        parts[static_cast<std::size_t>(rank)].assign(mine.begin() + begin, mine.begin() + end);
    }
    return world.all_to_all(parts);
}

}  // namespace sluice::select
