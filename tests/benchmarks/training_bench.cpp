#include "benchmarks/bench_clock.hpp"
#include "model/train.hpp"
#include "tests/model/training_fixture.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string_view>
#include <thread>
#include <vector>

// F2: an epoch of a committee's training, on as many threads as there are cores (each net on one of
// them), set-up included. scripts/bench_peers/peers_training.py trains the same nets by PyTorch.
// `sluice_bench_training [--quick]`.

namespace {

using namespace sluice;

constexpr std::int64_t num_labels = 5000;
constexpr std::int64_t dim = 256;
constexpr std::int64_t num_classes = 10;

model::TrainOptions options(std::int64_t epochs) {
    model::TrainOptions options;
    options.hidden = {128, 128};
    options.members = 5;
    options.held_out = 0.0;
    options.patience = 0;
    options.max_epochs = epochs;
    return options;
}

void train(const model::TrainingSet& set, const model::TrainOptions& options, unsigned threads) {
    std::atomic<std::int64_t> next = 0;
    std::vector<std::jthread> workers;
    for (unsigned i = 0; i < threads; ++i) {
        workers.emplace_back([&] {
            for (std::int64_t member = next++; member < options.members; member = next++)
                model::train_network(set, options, member, {});
        });
    }
}

}  // namespace

int main(int argc, char** argv) {
    const bool quick = argc > 1 && std::string_view(argv[1]) == "--quick";
    const std::int64_t epochs = quick ? 2 : 10;
    const unsigned threads = std::max(1U, std::thread::hardware_concurrency());
    const model::TrainingSet set = test::made_classes(num_labels, dim, num_classes);
    const double seconds = bench::interleaved_medians(
        {[&] { train(set, options(epochs), threads); }}, quick ? 1 : 5)[0];
    fmt::print(
        "F2\tours\t{:.6f}\tepoch of 5 nets {}-128-128-{}, {} labels, batches of 64, {} "
        "threads\n",
        seconds / static_cast<double>(epochs), dim, num_classes, num_labels, threads);
    return 0;
}
