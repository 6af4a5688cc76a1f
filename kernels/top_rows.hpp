#pragma once

#include "core/types.hpp"
#include "kernels/half.hpp"
#include "kernels/top_rows_block.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

/// The best of scores that lie on a device: how the steps of top_rows_block.hpp follow each other,
/// once for the device and for the twin that tests run. A `Launcher` has
///   run(step, num_blocks)  queues a step for blocks 0 to num_blocks - 1, after all before;
///   read(state)            waits, and returns what `state` points to.
namespace sluice::kernels {

/// Keys below this are those of candidates better than `threshold`, among rows from `first` on.
inline std::uint64_t limit_of(const Candidate& threshold, RowId first) {
    constexpr RowId last = 0xffffffff;
    const auto place =
        static_cast<std::uint32_t>(std::clamp<RowId>(threshold.row - first, 0, last));
    return key_of({threshold.score, place});
}

namespace top_rows_detail {

// Places that a block counts on its own, where there are many.
inline constexpr std::int64_t places_per_block = 1 << 14;
inline constexpr std::int64_t most_blocks = 1056;

inline std::int64_t num_blocks(std::int64_t count, std::int64_t per_block) {
    return (count + per_block - 1) / per_block;
}

/// Scores whose keys bound what is looked at: enough for the bound to be close, few enough to cost
/// nothing.
inline constexpr std::int64_t num_sampled = 1 << 18;

/// The rank in a sample of scores that is not among the `wanted` best of `count`, but for a chance
/// below 1e-9: the mean of a binomial distribution and more than six deviations.
inline std::int64_t rank_in_sample(std::int64_t wanted, std::int64_t count) {
    const double mean =
        static_cast<double>(wanted) * static_cast<double>(num_sampled) / static_cast<double>(count);
    return static_cast<std::int64_t>(std::ceil(mean + 7.0 * std::sqrt(mean) + 24.0));
}

/// Whether a sample tells enough to be worth it.
inline bool is_sampled(std::int64_t wanted, std::int64_t count) {
    return count > 2 * num_sampled && rank_in_sample(wanted, count) <= num_sampled / 4;
}

}  // namespace top_rows_detail

/// Finds the key of rank `rank` (1 = best) among `count` of the source, leaving it in state->key.
/// Requires 1 <= rank <= count.
/// \source radix selection from the highest digit.
template <class Launcher, class Source>
void queue_select(Launcher& launcher, const Source& source, std::int64_t count, std::int64_t rank,
                  TopState* state) {
    using namespace top_rows_detail;
    const std::int64_t blocks = std::min(most_blocks, num_blocks(count, places_per_block));
    launcher.run(StartStep{state, static_cast<std::uint64_t>(rank)}, 1);
    for (int shift = 64 - digit_bits; shift >= 0; shift -= digit_bits) {
        launcher.run(CountStep<Source>{source, count, blocks, shift, state}, blocks);
        launcher.run(ChooseStep{shift, state}, 1);
    }
}

/// Writes those of the source that pass to step.out; how many, and how many of them have no score,
/// is in step.state.
template <class Launcher, class Source>
void queue_filter(Launcher& launcher, const FilterStep<Source>& step) {
    launcher.run(ClearStep{step.state}, 1);
    launcher.run(step, top_rows_detail::num_blocks(step.count, FilterStep<Source>::tile));
}

/// Of what has passed a filter, writes the `most` best and all that are NaN to `best`. Requires
/// more numbers than that.
template <class Launcher>
void queue_cut(Launcher& launcher, const Places& passed, std::int64_t count, std::int64_t most,
               ScoredPlace* best, TopState* state) {
    queue_select(launcher, passed, count, most, state);
    queue_filter(launcher, FilterStep{passed, count, std::uint64_t{0}, Bound::found,
                                      NoScore::passes, best, count, state});
}

/// Working memory of best_places for `wanted` of `count` scores.
struct TopMemory {
    ScoredPlace* sample;  ///< [top_rows_detail::num_sampled]
    ScoredPlace* passed;  ///< [passed_room(wanted, count)]
    ScoredPlace* best;    ///< [wanted]
    TopState* state;

    static std::int64_t passed_room(std::int64_t wanted, std::int64_t count) {
        using namespace top_rows_detail;
        if (!is_sampled(wanted, count)) return 0;
        const double share =
            static_cast<double>(rank_in_sample(wanted, count)) / static_cast<double>(num_sampled);
        return std::min(
            count, wanted + static_cast<std::int64_t>(2.0 * share * static_cast<double>(count)));
    }
};

namespace top_rows_detail {

/// Those that pass a bound from a sample, all that are wanted among them: one pass over the scores.
/// 0 if the bound was not good, or too many passed.
template <class Launcher>
std::int64_t pass_sampled(Launcher& launcher, const Scores32& scores, std::int64_t wanted,
                          const TopMemory& memory) {
    if (!is_sampled(wanted, scores.count)) return 0;
    const std::int64_t rank = rank_in_sample(wanted, scores.count);
    launcher.run(SampleStep{scores, num_sampled, memory.sample},
                 num_blocks(num_sampled, SampleStep::threads));
    queue_select(launcher, Places{memory.sample}, num_sampled, rank, memory.state);
    const std::int64_t room = TopMemory::passed_room(wanted, scores.count);
    queue_filter(launcher, FilterStep<Scores32>{scores, scores.count, 0, Bound::found,
                                                NoScore::drops, memory.passed, room, memory.state});
    const std::int64_t passed = launcher.read(memory.state).passed;
    return passed >= wanted && passed <= room ? passed : 0;
}

}  // namespace top_rows_detail

/// The `wanted` best scores and their places to memory.best, in no order; scores that are NaN are
/// never among them. Returns how many there are.
///
/// The bound that a sample gives lets little more than what is wanted through; keys being unique,
/// this holds for any scores, sorted or equal, and where it does not, all digits of all keys are
/// counted. The result depends on the scores alone.
template <class Launcher>
std::int64_t best_places(Launcher& launcher, const Scores32& scores, std::int64_t wanted,
                         const TopMemory& memory) {
    using namespace top_rows_detail;
    wanted = std::min(wanted, scores.count);
    if (wanted == 0) return 0;
    const std::int64_t passed = pass_sampled(launcher, scores, wanted, memory);
    const auto filter = [&](const auto& source, std::int64_t count) {
        queue_select(launcher, source, count, wanted, memory.state);
        queue_filter(launcher, FilterStep{source, count, std::uint64_t{0}, Bound::found,
                                          NoScore::drops, memory.best, wanted, memory.state});
    };
    if (passed > 0)
        filter(Places{memory.passed}, passed);
    else
        filter(scores, scores.count);
    return launcher.read(memory.state).passed;
}

}  // namespace sluice::kernels
