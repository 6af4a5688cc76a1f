#pragma once

#include "kernels/cuda/thread_block.hpp"
#include "kernels/half.hpp"
#include "kernels/simd/lane.hpp"

#include <cstdint>

/// The steps that find the best scores of an array, each as blocks of threads take it. Sums are of
/// integers and keys are unique, so that no order of threads shows in the result; only where a
/// place is written depends on it.
namespace sluice::kernels {

/// A score and its place in the array.
struct ScoredPlace {
    float score;
    std::uint32_t place;
};

/// Ascends as the candidates' order does: higher scores first, of equal ones (-0 is 0) the lower
/// place; NaN behind all numbers.
SLUICE_LANE std::uint64_t key_of(const ScoredPlace& scored) {
    const std::uint32_t bits = bits_of(scored.score + 0.0F);
    const std::uint32_t descending = top_bit(bits) ? bits : ~(bits | 0x80000000U);
    const std::uint32_t high = differ(scored.score, scored.score) ? 0xffffffffU : descending;
    return std::uint64_t{high} << 32 | scored.place;
}

/// Scores by place: what keys are taken of.
struct Scores32 {
    const float* scores = nullptr;  ///< [count], on a multiple of 16 bytes
    std::int64_t count = 0;         ///< below 2^32

    SLUICE_LANE ScoredPlace at(std::int64_t index) const {
        return {scores[index], static_cast<std::uint32_t>(index)};
    }
    /// Four from `index` on, a multiple of four, of which all are there.
    SLUICE_LANE void load(std::int64_t index, ScoredPlace (&loaded)[FloatPack::size]) const {
        const FloatPack pack = *reinterpret_cast<const FloatPack*>(scores + index);
        for (int i = 0; i < FloatPack::size; ++i)
            loaded[i] = {pack.at[i], static_cast<std::uint32_t>(index + i)};
    }
};

/// Scores that have passed before, in any order.
struct Places {
    const ScoredPlace* places = nullptr;

    SLUICE_LANE ScoredPlace at(std::int64_t index) const { return places[index]; }
    SLUICE_LANE void load(std::int64_t index, ScoredPlace (&loaded)[FloatPack::size]) const {
        for (int i = 0; i < FloatPack::size; ++i)
            loaded[i] = places[index + i];
    }
};

inline constexpr int digit_bits = 8;
inline constexpr int num_digits = 1 << digit_bits;

/// What the steps hand on, on the device.
struct TopState {
    std::uint64_t key;        ///< found so far, its lower digits 0
    std::uint64_t remaining;  ///< rank among keys with these digits
    std::uint32_t passed;     ///< written by a filter, or wanting to be
    std::uint32_t no_score;   ///< of them, those that are NaN
    std::uint32_t digits[num_digits];
};

namespace top_rows_detail {

inline constexpr int threads = 256;
inline constexpr int group = 16;  // threads whose counts one thread adds up
inline constexpr int groups = threads / group;
static_assert(threads == num_digits);

/// Adds; returns what was there.
SLUICE_LANE std::uint32_t add_to(std::uint32_t* sum, std::uint32_t count) {
#ifdef __CUDA_ARCH__
    return atomicAdd(sum, count);
#else
    const std::uint32_t before = *sum;
    *sum += count;
    return before;
#endif
}

/// Counts a digit, none if negative; all threads at once. Those of a warp that have the same one
/// are counted together, so that equal scores do not wait for each other.
SLUICE_LANE void count_digit(std::uint32_t* digits, int digit) {
#ifdef __CUDA_ARCH__
    const unsigned same = __match_any_sync(0xffffffffU, digit);
    const bool is_first = static_cast<int>(threadIdx.x % 32) == __ffs(static_cast<int>(same)) - 1;
    if (is_first && digit >= 0) atomicAdd(digits + digit, static_cast<unsigned>(__popc(same)));
#else
    if (digit >= 0) ++digits[digit];
#endif
}

/// Four of the source from `index` on; returns how many there are.
template <class Source>
SLUICE_LANE int load_four(const Source& source, std::int64_t index, std::int64_t count,
                          ScoredPlace (&loaded)[FloatPack::size]) {
    if (index + FloatPack::size <= count) {
        source.load(index, loaded);
        return FloatPack::size;
    }
    SLUICE_UNROLL
    for (int i = 0; i < FloatPack::size; ++i)
        if (index + i < count) loaded[i] = source.at(index + i);
    return index < count ? static_cast<int>(count - index) : 0;
}

/// The sum of a group's counts.
SLUICE_LANE std::uint32_t sum_of_group(const std::uint32_t (&counts)[threads], int which) {
    std::uint32_t sum = 0;
    for (int i = 0; i < group; ++i)
        sum += counts[which * group + i];
    return sum;
}

}  // namespace top_rows_detail

/// What steps have to do with threads that keep nothing.
struct NoThread {};

/// Begins a search for the key of a rank. One block.
struct StartStep {
    static constexpr int threads = top_rows_detail::threads;
    using Thread = NoThread;
    struct Shared {};

    TopState* state;
    std::uint64_t rank;

    template <class Block>
    SLUICE_LANE void operator()(Block& block, Shared&, std::int64_t) const {
        block.each([&](int thread, NoThread&) {
            state->digits[thread] = 0;
            if (thread > 0) return;
            state->key = 0;
            state->remaining = rank;
        });
    }
};

/// Counts the digit at `shift` of all keys that begin as the one found so far.
template <class Source>
struct CountStep {
    static constexpr int threads = top_rows_detail::threads;
    using Thread = NoThread;
    struct Shared {
        std::uint32_t digits[num_digits];
    };

    Source source;
    std::int64_t count;
    std::int64_t num_blocks;
    int shift;
    TopState* state;

    template <class Block>
    SLUICE_LANE void operator()(Block& block, Shared& shared, std::int64_t index) const {
        using namespace top_rows_detail;
        block.each([&](int thread, NoThread&) { shared.digits[thread] = 0; });
        const std::uint64_t begin_wanted = state->key >> shift >> digit_bits;
        constexpr std::int64_t tile = std::int64_t{threads} * FloatPack::size;
        block.each([&](int thread, NoThread&) {
            for (std::int64_t first = index * tile; first < count; first += num_blocks * tile) {
                ScoredPlace loaded[FloatPack::size];
                const int there =
                    load_four(source, first + thread * FloatPack::size, count, loaded);
                SLUICE_UNROLL
                for (int i = 0; i < FloatPack::size; ++i) {
                    int digit = -1;
                    if (i < there) {
                        const std::uint64_t key = key_of(loaded[i]) >> shift;
                        if (key >> digit_bits == begin_wanted)
                            digit = static_cast<int>(key % num_digits);
                    }
                    count_digit(shared.digits, digit);
                }
            }
        });
        block.each([&](int thread, NoThread&) {
            if (shared.digits[thread] > 0) add_to(state->digits + thread, shared.digits[thread]);
        });
    }
};

/// Takes the digit that the key of the rank has. One block.
struct ChooseStep {
    static constexpr int threads = top_rows_detail::threads;
    using Thread = NoThread;
    struct Shared {
        std::uint32_t digits[num_digits];
        std::uint32_t sums[top_rows_detail::groups];
    };

    int shift;
    TopState* state;

    template <class Block>
    SLUICE_LANE void operator()(Block& block, Shared& shared, std::int64_t) const {
        using namespace top_rows_detail;
        block.each([&](int thread, NoThread&) {
            shared.digits[thread] = state->digits[thread];
            state->digits[thread] = 0;
        });
        block.each([&](int thread, NoThread&) {
            if (thread < groups) shared.sums[thread] = sum_of_group(shared.digits, thread);
        });
        block.each([&](int thread, NoThread&) {
            if (thread > 0) return;
            std::uint64_t remaining = state->remaining;
            int at = 0;
            while (at < groups - 1 && shared.sums[at] < remaining)
                remaining -= shared.sums[at++];
            int digit = at * group;
            while (digit < num_digits - 1 && shared.digits[digit] < remaining)
                remaining -= shared.digits[digit++];
            state->remaining = remaining;
            state->key |= static_cast<std::uint64_t>(digit) << shift;
        });
    }
};

/// Draws scores from all over the array, always the same places.
struct SampleStep {
    static constexpr int threads = top_rows_detail::threads;
    using Thread = NoThread;
    struct Shared {};

    Scores32 source;
    std::int64_t num_drawn;
    ScoredPlace* drawn;

    /// \source Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA
    ///         2014 (splitmix64).
    SLUICE_LANE static std::uint64_t scrambled(std::uint64_t number) {
        number = (number + 1) * 0x9e3779b97f4a7c15U;
        number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9U;
        number = (number ^ (number >> 27)) * 0x94d049bb133111ebU;
        return number ^ (number >> 31);
    }

    template <class Block>
    SLUICE_LANE void operator()(Block& block, Shared&, std::int64_t index) const {
        block.each([&](int thread, NoThread&) {
            const std::int64_t i = index * threads + thread;
            if (i >= num_drawn) return;
            const std::uint64_t place = (scrambled(static_cast<std::uint64_t>(i)) >> 32) *
                                            static_cast<std::uint64_t>(source.count) >>
                                        32;
            drawn[i] = source.at(static_cast<std::int64_t>(place));
        });
    }
};

/// Begins a filter. One block.
struct ClearStep {
    static constexpr int threads = 32;
    using Thread = NoThread;
    struct Shared {};

    TopState* state;

    template <class Block>
    SLUICE_LANE void operator()(Block& block, Shared&, std::int64_t) const {
        block.each([&](int thread, NoThread&) {
            if (thread == 0) state->passed = state->no_score = 0;
        });
    }
};

/// Which keys pass a filter: those below a limit, or up to the key that was found.
enum class Bound { limit, found };

/// What becomes of scores that are NaN.
enum class NoScore { passes, drops };

/// Writes what passes to `out`, in no order; counts it all, and writes no more than there is room.
template <class Source>
struct FilterStep {
    static constexpr int threads = top_rows_detail::threads;
    static constexpr int packs = 2;
    static constexpr int per_thread = packs * FloatPack::size;
    static constexpr std::int64_t tile = std::int64_t{threads} * per_thread;
    struct Thread {
        ScoredPlace loaded[packs][FloatPack::size];
        std::uint32_t passing;  // a bit for each
    };
    struct Shared {
        std::uint32_t counts[threads];
        std::uint32_t sums[top_rows_detail::groups];
        std::uint32_t any;
        std::uint32_t no_score;
    };

    Source source;
    std::int64_t count;
    std::uint64_t limit;
    Bound bound;
    NoScore no_score;
    ScoredPlace* out;
    std::int64_t room;
    TopState* state;

    template <class Block>
    SLUICE_LANE void operator()(Block& block, Shared& shared, std::int64_t index) const {
        using namespace top_rows_detail;
        block.each([&](int thread, Thread&) {
            if (thread == 0) shared.any = shared.no_score = 0;
        });
        const std::uint64_t end = bound == Bound::limit ? limit : state->key + 1;
        block.each(
            [&](int thread, Thread& own) { look_at(shared, thread, own, end, index * tile); });
        if (shared.any == 0) return;  // most blocks of a pool
        block.each([&](int thread, Thread&) {
            if (thread < groups) shared.sums[thread] = sum_of_group(shared.counts, thread);
        });
        block.each([&](int thread, Thread&) {
            if (thread == 0) take_places(shared);
        });
        block.each([&](int thread, Thread& own) { write(shared, thread, own); });
    }

  private:
    SLUICE_LANE void look_at(Shared& shared, int thread, Thread& own, std::uint64_t end,
                             std::int64_t first) const {
        own.passing = 0;
        std::uint32_t passing = 0;
        SLUICE_UNROLL
        for (int p = 0; p < packs; ++p) {
            const std::int64_t at = first + (p * threads + thread) * FloatPack::size;
            const int there = top_rows_detail::load_four(source, at, count, own.loaded[p]);
            SLUICE_UNROLL
            for (int i = 0; i < FloatPack::size; ++i) {
                if (i >= there) continue;
                const float score = own.loaded[p][i].score;
                const bool is_number = !differ(score, score);
                if (!is_number && no_score == NoScore::drops) continue;
                if (is_number && key_of(own.loaded[p][i]) >= end) continue;
                if (!is_number) top_rows_detail::add_to(&shared.no_score, 1);
                own.passing |= 1U << (p * FloatPack::size + i);
                ++passing;
            }
        }
        shared.counts[thread] = passing;
        if (passing > 0) shared.any = 1;
    }

    /// Makes the groups' sums the places where their scores go.
    SLUICE_LANE void take_places(Shared& shared) const {
        std::uint32_t total = 0;
        for (int g = 0; g < top_rows_detail::groups; ++g)
            total += shared.sums[g];
        std::uint32_t place = top_rows_detail::add_to(&state->passed, total);
        if (shared.no_score > 0) top_rows_detail::add_to(&state->no_score, shared.no_score);
        for (int g = 0; g < top_rows_detail::groups; ++g) {
            const std::uint32_t sum = shared.sums[g];
            shared.sums[g] = place;
            place += sum;
        }
    }

    SLUICE_LANE void write(const Shared& shared, int thread, const Thread& own) const {
        if (own.passing == 0) return;
        constexpr int group = top_rows_detail::group;
        std::int64_t place = shared.sums[thread / group];
        for (int before = thread / group * group; before < thread; ++before)
            place += shared.counts[before];
        SLUICE_UNROLL
        for (int p = 0; p < packs; ++p) {
            SLUICE_UNROLL
            for (int i = 0; i < FloatPack::size; ++i) {
                if ((own.passing >> (p * FloatPack::size + i) & 1U) == 0) continue;
                if (place < room) out[place] = own.loaded[p][i];
                ++place;
            }
        }
    }
};
template <class Source>
FilterStep(Source, std::int64_t, std::uint64_t, Bound, NoScore, ScoredPlace*, std::int64_t,
           TopState*) -> FilterStep<Source>;

}  // namespace sluice::kernels
