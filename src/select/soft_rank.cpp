#include "select/soft_rank.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <string>

namespace sluice::select {
namespace {

constexpr std::size_t candidates_at_once = 65'536;

// `piece` is best first, as `mine` is: one walk through both.
void count_better(const std::vector<Candidate>& mine, const std::vector<Candidate>& piece,
                  std::vector<std::int64_t>& counts) {
    std::size_t passed = 0;
    for (std::size_t i = 0; i < mine.size(); ++i) {
        while (passed < piece.size() && better(piece[passed], mine[i]))
            ++passed;
        counts[i] += static_cast<std::int64_t>(passed);
    }
}

std::vector<Candidate> sent(std::span<const Candidate> mine, int root, comm::Communicator& world) {
    std::string bytes(reinterpret_cast<const char*>(mine.data()), mine.size_bytes());
    world.broadcast(bytes, root);
    std::vector<Candidate> piece(bytes.size() / sizeof(Candidate));
    if (!bytes.empty()) std::memcpy(piece.data(), bytes.data(), bytes.size());
    return piece;
}

}  // namespace

std::vector<std::int64_t> num_better(const std::vector<Candidate>& mine,
                                     comm::Communicator& world) {
    std::vector<std::int64_t> counts(mine.size(), 0);
    const auto own = static_cast<std::int64_t>(mine.size());
    const std::vector<std::int64_t> sizes = world.all_gather(std::span(&own, 1));
    for (int root = 0; root < world.size(); ++root) {
        const auto size = static_cast<std::size_t>(sizes[static_cast<std::size_t>(root)]);
        for (std::size_t begin = 0; begin < size; begin += candidates_at_once) {
            const std::size_t count = std::min(candidates_at_once, size - begin);
            const auto part = root == world.rank() ? std::span(mine).subspan(begin, count)
                                                   : std::span<const Candidate>();
            count_better(mine, sent(part, root, world), counts);
        }
    }
    return counts;
}

std::vector<Candidate> perturb_ranks(std::vector<Candidate> mine, const Plan& plan,
                                     comm::Communicator& world) {
    std::sort(mine.begin(), mine.end(), better);
    const std::vector<std::int64_t> counts = num_better(mine, world);
    for (std::size_t i = 0; i < mine.size(); ++i)
        mine[i].score = rank_key(plan.randomization.coldness, counts[i] + 1,
                                 gumbel_noise(plan.seed, plan.round, mine[i].row));
    std::sort(mine.begin(), mine.end(), better);
    return mine;
}

}  // namespace sluice::select
