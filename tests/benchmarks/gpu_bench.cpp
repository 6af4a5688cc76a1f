// G1, G2, G5, G8: what the GPU does of what it could do at best. Usage: sluice_bench_gpu [--quick]
// [--only ID] [--repeats R]
//
// Each line of output: id, side, seconds, what was run. Values are random and new in every run,
// results are poisoned and the second-level cache is overwritten before each measurement; seconds
// are the device's own, between two events, and medians. `floor` is the time that the bytes take at
// the rate of a copy from device to device, measured in the same run and counting both ways.
#include "benchmarks/gpu_measure.hpp"
#include "kernels/committee_network_backends.hpp"
#include "kernels/score_rows_cpu.hpp"
#include "select/k_center.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <numeric>

namespace sluice::bench {
namespace {

using namespace kernels;

struct Shape {
    std::int64_t rows;
    std::int64_t members;
    std::int64_t classes;
};

/// The scores of the first rows, computed on the CPU, must be the same bits.
void require_same(const std::string& name, const ScoreBlock& on_device, const float* scores) {
    const std::int64_t rows = std::min<std::int64_t>(on_device.rows.size(), 1000);
    std::vector<float> values(static_cast<std::size_t>(rows * on_device.row_elements()));
    std::vector<float> got(static_cast<std::size_t>(rows));
    std::vector<float> expected(got.size());
    cuda::check(cudaMemcpy(values.data(), on_device.values, values.size() * sizeof(float),
                           cudaMemcpyDeviceToHost));
    cuda::check(cudaMemcpy(got.data(), scores, got.size() * sizeof(float), cudaMemcpyDeviceToHost));
    ScoreBlock block = on_device;
    block.values = values.data();
    block.rows = {0, rows};
    make_scorer(Backend::cpu, find_score(name), 1, 0)->score(block, expected);
    require(std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)) == 0,
            ExitCode::bad_data, name + ": the GPU's scores differ from the CPU's");
}

void measure_scores(Bench& bench, const Shape& shape) {
    const std::int64_t elements = shape.members * shape.classes;
    const auto input = shape.members > 1 ? ScoreInput::committee_logits : ScoreInput::logits;
    cuda::DeviceBuffer values(shape.rows * elements);
    cuda::DeviceBuffer scores(shape.rows);
    bench.fill(values);
    const ScoreBlock block{values.data(), {0, shape.rows}, shape.members, shape.classes, input};
    cuda::DeviceBuffer tile(std::max<std::int64_t>(1, score_tile_floats(block, shape.rows)));
    const auto what = fmt::format("[{},{},{}] fp32 logits on the device", shape.rows, shape.members,
                                  shape.classes);
    for (const char* name : {"bald", "entropy", "margin"}) {
        const std::size_t index = list_index(find_score(name));
        const double seconds = bench.seconds_of(scores, [&] {
            score_on_device(index, block, {scores.data(), tile.data(), bench.stream()});
        });
        require_same(name, block, scores.data());
        const auto id = fmt::format("G1.{}.{}", name, shape.classes);
        print(id, "ours", seconds, what);
        print(id, "floor", bench.seconds_to_move(shape.rows * (elements + 1)), what);
    }
}

void measure_head(Bench& bench, std::int64_t rows, std::int64_t classes) {
    constexpr std::int64_t dim = 512;
    const std::vector<float> weight = random_values(classes * dim);
    const std::vector<float> bias = random_values(classes);
    NetworkDefinition definition;
    definition.dim = dim;
    definition.outputs = definition.first_variance = classes;
    definition.output = ScoreInput::committee_logits;
    definition.members = {{{dim, classes, weight.data(), bias.data(), Activation::identity}}};
    const auto network = make_committee_network(Backend::cuda, definition);
    cuda::RowSlot slot;
    slot.values.reserve(rows * dim);
    slot.results.reserve(rows);
    bench.fill(slot.values);
    const std::size_t index = list_index(find_score("entropy"));
    require(reserve_committee_scores(*network, index, slot, rows), ExitCode::unavailable,
            "G2: not enough device memory");
    const double seconds = bench.seconds_of(
        slot.results, slot.stream, [&] { queue_committee_scores(*network, index, slot, rows); });
    const auto id = fmt::format("G2.{}", classes);
    const auto what =
        fmt::format("[{},{}] to {} classes to entropy, fp32 FMA chains", rows, dim, classes);
    print(id, "ours", seconds, what);
    print(id, "floor", bench.seconds_to_move(rows * dim), what + ", reading the features once");
}

/// From the caller's memory to the picks in it, as `sluice select` calls it: copies included.
void measure_k_center(std::int64_t num_rows, std::int64_t picks, const Bench& bench) {
    constexpr std::int64_t dim = 512;
    const std::vector<float> values = random_values(num_rows * dim);
    std::vector<RowId> rows(static_cast<std::size_t>(num_rows));
    std::iota(rows.begin(), rows.end(), RowId{0});
    select::KCenterResult results[2];
    const auto run = [&](Backend backend) {
        comm::Communicator alone;
        std::vector<float> nearest(rows.size(), std::numeric_limits<float>::infinity());
        select::KCenterOptions options;
        options.num_picks = picks + 1;
        options.first_pick = 0;
        options.num_threads = static_cast<int>(std::thread::hardware_concurrency());
        options.backend = backend;
        results[backend == Backend::cuda ? 1 : 0] = select::k_center(
            {rows, {values.data(), num_rows, dim}, nearest}, options, alone, nullptr);
    };
    const std::vector<double> seconds =
        interleaved_medians({[&] { run(Backend::cpu); }, [&] { run(Backend::cuda); }}, 3);
    require(std::ranges::equal(results[0].picks, results[1].picks, {}, &select::KCenterPick::row,
                               &select::KCenterPick::row),
            ExitCode::bad_data, "G5: the GPU's picks differ from the CPU's");
    const auto what =
        fmt::format("N={} D={} B={} from host memory, picks as the CPU's", num_rows, dim, picks);
    print("G5", "ours", seconds[1], what);
    print("G5", "cpu", seconds[0], what);
    print("G5", "floor", static_cast<double>(picks) * bench.seconds_to_move(num_rows * dim),
          "one pass over the rows on the device for each pick");
}

void measure_stream(Bench& bench, const Shape& shape) {
    const std::int64_t elements = shape.members * shape.classes;
    const std::int64_t count = shape.rows * elements;
    cuda::PinnedBuffer host(count);
    const std::vector<float> values = random_values(count);
    std::copy(values.begin(), values.end(), host.data());
    cuda::DeviceBuffer device(count);
    std::vector<float> scores(static_cast<std::size_t>(shape.rows));
    const auto scorer = make_scorer(Backend::cuda, find_score("bald"), 1, 0);
    const ScoreBlock block{
        host.data(), {0, shape.rows}, shape.members, shape.classes, ScoreInput::committee_logits};
    const std::vector<double> seconds = interleaved_medians(
        {[&] {
             std::fill(scores.begin(), scores.end(), std::numeric_limits<float>::quiet_NaN());
             scorer->score(block, scores);
         },
         [&] {
             device.upload(host.data(), count, bench.stream());
             bench.stream().synchronize();
         }},
        bench.repeats());
    const auto what = fmt::format("bald of [{},{},{}] fp32 logits, one thread", shape.rows,
                                  shape.members, shape.classes);
    print("G8", "ours", seconds[0], what + ", from host memory");
    print("G8", "floor", seconds[1], what + ", a copy from pinned host memory alone");
}

int run(const Settings& settings) {
    if (cuda::num_devices() == 0) {
        fmt::print(stderr, "sluice_bench_gpu: no CUDA device\n");
        return 69;
    }
    Bench bench(settings);
    const std::int64_t shrink = settings.is_quick ? 100 : 1;
    for (const Shape& shape :
         {Shape{20'000'000, 5, 10}, Shape{2'000'000, 8, 100}, Shape{200'000, 8, 1000}})
        if (settings.wants("G1"))
            measure_scores(bench, {shape.rows / shrink, shape.members, shape.classes});
    for (const std::int64_t classes : {10, 100, 1000})
        if (settings.wants("G2")) measure_head(bench, (1 << 18) / shrink, classes);
    if (settings.wants("G5"))
        measure_k_center(1'000'000 / shrink, settings.is_quick ? 50 : 1000, bench);
    if (settings.wants("G8")) measure_stream(bench, {4'000'000 / shrink, 5, 10});
    return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
    try {
        return sluice::bench::run(sluice::bench::settings_from(argc, argv));
    } catch (const sluice::Error& error) {
        fmt::print(stderr, "sluice_bench_gpu: {}\n", error.what());
        return static_cast<int>(error.code());
    }
}
