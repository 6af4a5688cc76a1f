#include "benchmarks/bench_clock.hpp"
#include "core/philox.hpp"
#include "kernels/aligned_floats.hpp"
#include "kernels/committee_network.hpp"
#include "kernels/worker_pool.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

// Forward pass of a committee of multilayer perceptrons fused with a score: features to scores.
// `sluice_bench_network [ROWS] [REPEATS] [THREADS]` prints F1 lines with medians.
// `sluice_bench_network ROWS 0 THREADS DATA` takes turns with another program: DATA holds the
// features and then each member's weights and biases, as raw float32; for each line "SCORE [FILE]"
// on stdin it scores all rows once, writes the scores to FILE and prints the seconds.

namespace {

using namespace sluice;
using namespace sluice::kernels;

constexpr std::int64_t dim = 256;
constexpr std::int64_t num_members = 5;
constexpr std::array<std::int64_t, 4> widths = {dim, 128, 128, 10};
constexpr std::int64_t task_rows = 1024;

std::int64_t floats_of_member() {
    std::int64_t count = 0;
    for (std::size_t i = 1; i < widths.size(); ++i)
        count += (widths[i - 1] + 1) * widths[i];
    return count;
}

/// Normal numbers of deviation 1, roughly: sums of uniform ones.
void fill(float* values, std::int64_t count, float deviation) {
    for (std::int64_t i = 0; i < count; ++i) {
        const Philox4 words =
            random_words(1, RandomPurpose::pool_values, 0, static_cast<std::uint64_t>(i), 0);
        float sum = -2.0F;
        for (const auto word : words.word)
            sum += unit_float(word);
        values[i] = sum * 1.7320508F * deviation;
    }
}

class Committee {
  public:
    Committee(std::int64_t rows, const char* data_file) : rows_(rows) {
        const std::int64_t weights = num_members * floats_of_member();
        features_ = memory_.reserve(rows * dim + weights);
        if (data_file == nullptr) {
            fill(features_, rows * dim, 1.0F);
            fill(features_ + rows * dim, weights, 0.1F);
        } else {
            std::ifstream file(data_file, std::ios::binary);
            file.read(
                reinterpret_cast<char*>(features_),
                static_cast<std::streamsize>((rows * dim + weights) * std::int64_t{sizeof(float)}));
            if (!file) throw std::runtime_error(std::string(data_file) + ": too short");
        }
        network_ = make_committee_network(Backend::cpu, definition());
    }

    /// Features to scores, blocks of rows on `threads` threads; returns the seconds.
    double score(const Scorer& scorer, int threads, std::vector<float>& scores) const {
        return bench::seconds_of([&] {
            parallel_for(threads, (rows_ + task_rows - 1) / task_rows, [&](std::int64_t task) {
                const RowRange range{task * task_rows, std::min((task + 1) * task_rows, rows_)};
                scorer.score({features_ + range.begin * dim, range, 1, dim, ScoreInput::features},
                             std::span(scores).subspan(static_cast<std::size_t>(range.begin),
                                                       static_cast<std::size_t>(range.size())));
            });
        });
    }

    std::unique_ptr<Scorer> scorer(const std::string& name) const {
        return make_committee_scorer(Backend::cpu, network_, find_score(name));
    }

  private:
    NetworkDefinition definition() const {
        NetworkDefinition definition;
        definition.dim = dim;
        definition.outputs = definition.first_variance = widths.back();
        const float* next = features_ + rows_ * dim;
        for (std::int64_t m = 0; m < num_members; ++m) {
            std::vector<DenseLayer>& layers = definition.members.emplace_back();
            for (std::size_t i = 1; i < widths.size(); ++i) {
                const std::int64_t size = widths[i - 1] * widths[i];
                layers.push_back({widths[i - 1], widths[i], next, next + size,
                                  i + 1 < widths.size() ? Activation::relu : Activation::identity});
                next += size + widths[i];
            }
        }
        return definition;
    }

    AlignedFloats memory_;
    float* features_ = nullptr;
    std::int64_t rows_;
    std::shared_ptr<const CommitteeNetwork> network_;
};

struct Setting {
    std::int64_t rows = 100000;
    int repeats = 15;
    int threads = 2;
};

void print_medians(const Committee& committee, const Setting& setting) {
    std::vector<float> scores(static_cast<std::size_t>(setting.rows));
    double flops = 0.0;
    for (std::size_t i = 1; i < widths.size(); ++i)
        flops += 2.0 * static_cast<double>(widths[i - 1] * widths[i] * num_members * setting.rows);
    for (const char* name : {"bald", "entropy"}) {
        const auto scorer = committee.scorer(name);
        committee.score(*scorer, setting.threads, scores);
        std::vector<double> seconds;
        for (int repeat = 0; repeat < setting.repeats; ++repeat)
            seconds.push_back(committee.score(*scorer, setting.threads, scores));
        const double median = bench::median(seconds);
        fmt::print("F1.{}\tours\t{:.6f}\t{} of features [{},{}] ({:.0f} GFLOP/s), {}\n", name,
                   median, name, setting.rows, dim, flops / median / 1e9, cpu_instruction_set());
    }
}

void take_turns(const Committee& committee, const Setting& setting) {
    std::vector<float> scores(static_cast<std::size_t>(setting.rows));
    std::string line;
    while (std::getline(std::cin, line)) {
        std::istringstream words(line);
        std::string name;
        std::string file_name;
        words >> name >> file_name;
        const auto scorer = committee.scorer(name);
        const double seconds = committee.score(*scorer, setting.threads, scores);
        if (!file_name.empty())
            std::ofstream(file_name, std::ios::binary)
                .write(reinterpret_cast<const char*>(scores.data()),
                       static_cast<std::streamsize>(scores.size() * sizeof(float)));
        fmt::print("{:.6f}\n", seconds);
        std::fflush(stdout);
    }
}

}  // namespace

int main(int argc, char** argv) {
    Setting setting;
    if (argc > 1) setting.rows = std::atoll(argv[1]);
    if (argc > 2) setting.repeats = std::atoi(argv[2]);
    if (argc > 3) setting.threads = std::atoi(argv[3]);
    const Committee committee(setting.rows, argc > 4 ? argv[4] : nullptr);
    if (argc > 4)
        take_turns(committee, setting);
    else
        print_medians(committee, setting);
    return 0;
}
