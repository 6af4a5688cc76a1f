#include "benchmarks/bench_clock.hpp"
#include "core/philox.hpp"
#include "kernels/aligned_floats.hpp"
#include "kernels/backend.hpp"
#include "kernels/score_rows.hpp"

#include <fmt/core.h>

#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

// Scoring against a plain read of the same bytes: both on the same threads, each with its own half
// of the rows, taken in turn; medians. `sluice_bench_scores [ROWS] [REPEATS] [THREADS]`.

namespace {

using namespace sluice;
using namespace sluice::kernels;

constexpr std::int64_t num_members = 5;
constexpr std::int64_t num_classes = 32;

struct Setting {
    std::int64_t rows = 400000;
    int repeats = 7;
    int threads = 2;
};

/// part(i) on thread i of `count`.
void on_threads(int count, const std::function<void(int)>& part) {
    std::vector<std::thread> threads;
    for (int i = 1; i < count; ++i)
        threads.emplace_back(part, i);
    part(0);
    for (std::thread& thread : threads)
        thread.join();
}

/// Sums as fast as memory gives. Needs AVX-512.
[[gnu::target("avx512f")]] float plain_sum(const float* values, std::int64_t count) {
    __m512 sum[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(),
                     _mm512_setzero_ps()};
    for (std::int64_t i = 0; i + 64 <= count; i += 64)
        for (int k = 0; k < 4; ++k)
            sum[k] = _mm512_add_ps(sum[k], _mm512_loadu_ps(values + i + 16 * k));
    alignas(64) float lanes[16];
    _mm512_store_ps(lanes, sum[0] + sum[1] + sum[2] + sum[3]);
    return std::accumulate(std::begin(lanes), std::end(lanes), 0.0F);
}

/// Logits of a fairly sure committee, or their softmax, as a trained model gives them.
void fill(float* values, std::int64_t rows, bool probabilities) {
    for (std::int64_t row = 0; row < rows * num_members; ++row) {
        float* member = values + row * num_classes;
        float sum = 0.0F;
        for (std::int64_t c = 0; c < num_classes; ++c) {
            const Philox4 words =
                random_words(1, RandomPurpose::pool_values, 0, static_cast<std::uint64_t>(row),
                             static_cast<std::uint32_t>(c));
            member[c] = 6.0F * unit_float(words.word[0]) * unit_float(words.word[1]);
            if (probabilities) sum += member[c] = std::exp(member[c]);
        }
        if (!probabilities) continue;
        for (std::int64_t c = 0; c < num_classes; ++c)
            member[c] /= sum;
    }
}

struct Workload {
    std::string name;
    ScoreInput input;
    std::int64_t members;
    std::string input_name;
};

void measure(const Workload& workload, const float* values, const Setting& setting) {
    const std::int64_t rows = setting.rows * num_members / workload.members;
    const std::int64_t elements = workload.members * num_classes;
    const auto scorer = make_scorer(Backend::cpu, find_score(workload.name), 1, 0);
    std::vector<float> scores(static_cast<std::size_t>(rows));
    std::vector<float> sums(static_cast<std::size_t>(setting.threads));  // so that reading counts
    const std::int64_t share = rows / setting.threads;
    constexpr std::int64_t block_rows = 4096;
    const auto read = [&](int thread) {
        sums[static_cast<std::size_t>(thread)] =
            plain_sum(values + thread * share * elements, share * elements);
    };
    const auto score = [&](int thread) {
        for (std::int64_t row = 0; row < share; row += block_rows) {
            const std::int64_t first = thread * share + row;
            const RowRange range{first, first + std::min(block_rows, share - row)};
            scorer->score(
                {values + first * elements, range, workload.members, num_classes, workload.input},
                std::span(scores).subspan(static_cast<std::size_t>(first),
                                          static_cast<std::size_t>(range.size())));
        }
    };
    const auto medians = bench::interleaved_medians(
        {[&] { on_threads(setting.threads, read); }, [&] { on_threads(setting.threads, score); }},
        setting.repeats);
    const double gigabytes = static_cast<double>(rows * elements) * sizeof(float) / 1e9;
    const double read_rate = gigabytes / medians[0];
    const double score_rate = gigabytes / medians[1];
    fmt::print("S1 {} {} [{},{},{}]: read {:.1f} GB/s, score {:.1f} GB/s, ratio {:.2f}\n",
               workload.name, workload.input_name, rows, workload.members, num_classes, read_rate,
               score_rate, score_rate / read_rate);
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    if (__builtin_cpu_supports("avx512f") == 0) {
        fmt::print("skipped: the plain read needs AVX-512\n");
        return 0;
    }
    Setting setting;
    if (argc > 1) setting.rows = std::atoll(argv[1]);
    if (argc > 2) setting.repeats = std::atoi(argv[2]);
    if (argc > 3) setting.threads = std::atoi(argv[3]);
    fmt::print("instruction set {}, {} threads, median of {}\n", cpu_instruction_set(),
               setting.threads, setting.repeats);
    AlignedFloats memory;
    float* values = memory.reserve(setting.rows * num_members * num_classes);
    fill(values, setting.rows, true);
    for (const char* name : {"bald", "entropy"})
        measure({name, ScoreInput::committee_probabilities, num_members, "committee_probabilities"},
                values, setting);
    for (const char* name : {"entropy", "margin", "least_confidence", "ratio"})
        measure({name, ScoreInput::probabilities, 1, "probabilities"}, values, setting);
    fill(values, setting.rows, false);
    for (const char* name : {"bald", "entropy"})
        measure({name, ScoreInput::committee_logits, num_members, "committee_logits"}, values,
                setting);
    for (const char* name : {"entropy", "margin", "least_confidence", "ratio"})
        measure({name, ScoreInput::logits, 1, "logits"}, values, setting);
    measure({"committee_std", ScoreInput::predictions, num_members, "predictions"}, values,
            setting);
    return 0;
}
