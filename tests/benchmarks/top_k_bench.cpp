// T1 and T2: keeping the best k scores, against a plain read of them and std::nth_element, and
// fused into scoring against scoring alone.
// Usage: sluice_bench_top_k [--quick]
// Output, one line for each side: ID, side, median seconds, what was run (separated by tabs).

#include "benchmarks/bench_clock.hpp"
#include "core/philox.hpp"
#include "core/top_k.hpp"
#include "core/types.hpp"
#include "kernels/score_rows.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

namespace sluice::bench {
namespace {

constexpr std::size_t num_kept = 10'000;
constexpr std::int64_t members = 5;
constexpr std::int64_t classes = 32;
constexpr std::int64_t block_rows = 1024;  // 640 KiB of committee: a block stays in the L2 cache

struct Sizes {
    std::int64_t num_scores = 20'000'000;
    std::int64_t num_scored_rows = 400'000;
    int repeats = 5;
};

int num_threads() {
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// Calls work(thread, rows of the thread) on every core.
template <class Work>
void for_each_share(std::int64_t num_rows, const Work& work) {
    const int threads = num_threads();
    std::vector<std::jthread> running;
    for (int thread = 0; thread < threads; ++thread) {
        const RowRange share{num_rows * thread / threads, num_rows * (thread + 1) / threads};
        running.emplace_back([&work, thread, share] { work(thread, share); });
    }
}

float random_value(std::int64_t row, std::uint32_t index) {
    return unit_float(
        random_words(7, RandomPurpose::pool_values, 0, static_cast<std::uint64_t>(row), index)
            .word[0]);
}

std::vector<float> random_scores(std::int64_t count) {
    std::vector<float> scores(static_cast<std::size_t>(count));
    for_each_share(count, [&](int, RowRange share) {
        for (RowId row = share.begin; row < share.end; ++row)
            scores[row] = random_value(row, 0);
    });
    return scores;
}

std::vector<float> random_committee(std::int64_t num_rows) {
    std::vector<float> values(static_cast<std::size_t>(num_rows * members * classes));
    for_each_share(num_rows * members, [&](int, RowRange share) {
        for (RowId row = share.begin; row < share.end; ++row) {
            const std::span<float> row_values(values.data() + row * classes, classes);
            float sum = 0.0F;
            for (std::uint32_t c = 0; c < classes; ++c) {
                row_values[c] = random_value(row, c);
                sum += row_values[c];
            }
            for (float& value : row_values)
                value /= sum;
        }
    });
    return values;
}

// Integer sums need no fast-math to be vectorised, so this runs at the speed of memory.
std::uint32_t sum_of_bits(std::span<const float> values) {
    const auto* bits = reinterpret_cast<const std::uint32_t*>(values.data());
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
        sum += bits[i];
    return sum;
}

void read_all(std::span<const float> values) {
    for_each_share(static_cast<std::int64_t>(values.size()), [&](int, RowRange share) {
        volatile std::uint32_t sink = sum_of_bits(values.subspan(share.begin, share.size()));
        static_cast<void>(sink);
    });
}

std::vector<Candidate> merged(std::vector<TopK>& parts) {
    TopK best(num_kept);
    for (const TopK& part : parts)
        best.merge(part);
    return best.take_sorted();
}

std::vector<Candidate> best_scores(std::span<const float> scores) {
    std::vector<TopK> parts(num_threads(), TopK(num_kept));
    for_each_share(static_cast<std::int64_t>(scores.size()), [&](int thread, RowRange share) {
        parts[thread].offer(scores.subspan(share.begin, share.size()), share.begin);
    });
    return merged(parts);
}

// At its best: on a reused copy of the bare scores, for the threshold; then one pass for the rows.
std::vector<Candidate> best_by_nth_element(std::span<const float> scores,
                                           std::vector<float>& scratch) {
    scratch.assign(scores.begin(), scores.end());
    const auto last = scratch.begin() + num_kept - 1;
    std::nth_element(scratch.begin(), last, scratch.end(), std::greater<>());
    std::vector<Candidate> best;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        if (scores[i] >= *last) best.push_back({scores[i], static_cast<RowId>(i)});
    }
    std::sort(best.begin(), best.end(), better);
    best.resize(num_kept);
    return best;
}

enum class Keep { nothing, best };

void score_blocks(const kernels::Scorer& scorer, std::span<const float> values, RowId num_rows,
                  Keep keep) {
    std::vector<TopK> parts(num_threads(), TopK(num_kept));
    for_each_share(num_rows, [&](int thread, RowRange share) {
        std::vector<float> scores(block_rows);
        for (RowId row = share.begin; row < share.end; row += block_rows) {
            const RowRange rows{row, std::min(row + block_rows, share.end)};
            const std::span<float> block_scores(scores.data(), rows.size());
            scorer.score({values.data() + row * members * classes, rows, members, classes,
                          kernels::ScoreInput::committee_probabilities},
                         block_scores);
            if (keep == Keep::best) parts[thread].offer(block_scores, row);
        }
    });
    if (keep == Keep::best) merged(parts);
}

void print(std::string_view id, std::string_view side, double seconds, std::string_view what) {
    fmt::print("{}\t{}\t{:.6f}\t{}\n", id, side, seconds, what);
}

int run_top_k(const Sizes& sizes) {
    const std::vector<float> scores = random_scores(sizes.num_scores);
    std::vector<float> scratch;
    if (best_scores(scores) != best_by_nth_element(scores, scratch)) {
        fmt::print(stderr, "the best {} differ from std::nth_element's\n", num_kept);
        return 1;
    }
    const auto seconds =
        interleaved_medians({[&] { best_scores(scores); }, [&] { read_all(scores); },
                             [&] { best_by_nth_element(scores, scratch); }},
                            sizes.repeats);
    const auto what = fmt::format("top {} of {} scores", num_kept, sizes.num_scores);
    print("T1", "ours", seconds[0], what);
    print("T1", "read", seconds[1], what);
    print("T1", "nth_element", seconds[2], what);
    return 0;
}

void run_fused(const Sizes& sizes) {
    const std::vector<float> values = random_committee(sizes.num_scored_rows);
    const auto scorer =
        kernels::make_scorer(kernels::Backend::cpu, kernels::find_score("bald"), 0, 0);
    const auto seconds = interleaved_medians(
        {[&] { score_blocks(*scorer, values, sizes.num_scored_rows, Keep::best); },
         [&] { score_blocks(*scorer, values, sizes.num_scored_rows, Keep::nothing); }},
        sizes.repeats);
    const auto what =
        fmt::format("bald [{},{},{}] + top {}", sizes.num_scored_rows, members, classes, num_kept);
    print("T2", "ours", seconds[0], what);
    print("T2", "score_alone", seconds[1], what);
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
    sluice::bench::Sizes sizes;
    if (argc == 2 && std::string_view(argv[1]) == "--quick") sizes = {2'000'000, 40'000, 3};
    const int status = sluice::bench::run_top_k(sizes);
    sluice::bench::run_fused(sizes);
    return status;
}
