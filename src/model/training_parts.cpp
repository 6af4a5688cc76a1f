#include "model/training_parts.hpp"

#include "model/random_numbers.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

namespace sluice::model {
namespace {

constexpr std::int64_t fewest_held_out = 5;
constexpr std::uint32_t epochs_below = std::uint32_t{1} << 20;

std::uint64_t first_words(const Philox4& words) {
    return (std::uint64_t{words.word[0]} << 32) | words.word[1];
}

// The set's labels in the order of their rows' random numbers.
std::vector<std::int64_t> random_order(const TrainingSet& set, std::uint64_t seed) {
    std::vector<std::pair<std::uint64_t, std::int64_t>> keyed;
    for (std::int64_t i = 0; i < set.size(); ++i) {
        if (set.is_pseudo(i)) continue;
        const auto row = static_cast<std::uint64_t>(set.rows[static_cast<std::size_t>(i)]);
        keyed.emplace_back(first_words(random_words(seed, RandomPurpose::held_out_rows, 0, row, 0)),
                           i);
    }
    std::sort(keyed.begin(), keyed.end());
    std::vector<std::int64_t> order(keyed.size());
    std::ranges::transform(keyed, order.begin(), [](const auto& pair) { return pair.second; });
    return order;
}

// As many entries again, drawn with repeats.
std::vector<std::int64_t> bootstrap(const std::vector<std::int64_t>& entries, std::uint64_t seed) {
    std::vector<std::int64_t> drawn(entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const Philox4 words = random_words(seed, RandomPurpose::bootstrap_rows, 0, i, 0);
        // The high half of a 32 by 32 bit product: which entry, without a remainder's bias.
        const std::uint64_t product = std::uint64_t{words.word[0]} * entries.size();
        drawn[i] = entries[static_cast<std::size_t>(product >> 32)];
    }
    std::sort(drawn.begin(), drawn.end());
    return drawn;
}

}  // namespace

std::int64_t num_held_out(std::int64_t labels, double share) {
    const auto count = static_cast<std::int64_t>(static_cast<double>(labels) * share);
    return count < fewest_held_out ? 0 : count;
}

TrainingParts training_parts(const TrainingSet& set, const TrainOptions& options,
                             std::int64_t member) {
    const std::vector<std::int64_t> order = random_order(set, options.seed);
    const bool folds = options.resample == Resample::k_fold;
    const std::int64_t count = num_held_out(std::ssize(order), options.held_out);
    TrainingParts parts;
    for (std::int64_t i = 0; i < std::ssize(order); ++i) {
        const bool held = folds ? i % options.members == member : i < count;
        (held ? parts.held_out : parts.training).push_back(order[static_cast<std::size_t>(i)]);
    }
    // Nothing is judged by what a committee has said itself.
    for (std::int64_t entry = 0; entry < set.size(); ++entry) {
        if (set.is_pseudo(entry)) parts.training.push_back(entry);
    }
    std::sort(parts.training.begin(), parts.training.end());
    std::sort(parts.held_out.begin(), parts.held_out.end());
    if (options.resample == Resample::bootstrap) {
        parts.training =
            bootstrap(parts.training, member_seed(options.seed, options.round, member));
    }
    return parts;
}

void shuffle_for_epoch(const TrainingSet& set, std::uint64_t seed, std::int64_t epoch,
                       std::vector<std::int64_t>& training) {
    std::sort(training.begin(), training.end());
    std::vector<std::pair<std::uint64_t, std::int64_t>> keyed(training.size());
    std::uint32_t copy = 0;
    for (std::size_t i = 0; i < training.size(); ++i) {
        copy = i > 0 && training[i] == training[i - 1] ? copy + 1 : 0;
        const auto row =
            static_cast<std::uint64_t>(set.rows[static_cast<std::size_t>(training[i])]);
        const std::uint32_t index = static_cast<std::uint32_t>(epoch) + copy * epochs_below;
        keyed[i] = {first_words(random_words(seed, RandomPurpose::training_order, 0, row, index)),
                    training[i]};
    }
    std::sort(keyed.begin(), keyed.end());
    for (std::size_t i = 0; i < keyed.size(); ++i)
        training[i] = keyed[i].second;
}

}  // namespace sluice::model
