// K2 to K6: the diversity rules kmeanspp, maxdet, facility_location, kmeans and badge, with our own
// floors beside them. Usage: sluice_bench_rules [--quick] [--only ID] [--kind NAME] [--repeats R]
// [--threads T] [--dump DIR]
//
// K2 and K3 [200k, 256], 1,000 picks, on kinds of points; K4 [10k, 256], 500 picks; K5 [200k, 256],
// 1,000 clusters; K6 [50k, 256], 100 classes, 500 picks. --dump writes DIR/ID.f32 (and DIR/ID.says)
// for peers to run on. Each line of output: id, side, figure, what was run.

#include "benchmarks/bench_clock.hpp"
#include "benchmarks/fused_loop.hpp"
#include "benchmarks/k_center_data.hpp"
#include "benchmarks/rules_data.hpp"
#include "benchmarks/variance_loop.hpp"
#include "select/diversity.hpp"
#include "select/k_means.hpp"

#include <fmt/core.h>

#include <sys/resource.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

namespace sluice::bench {
namespace {

struct Settings {
    bool quick = false;
    int repeats = 3;
    int threads = static_cast<int>(std::thread::hardware_concurrency());
    std::string only;
    std::string kind;
    std::string dump;

    bool wants(const std::string& id) const {
        return only.empty() || id.starts_with(only) || only.starts_with(id);
    }
};

Settings settings_from(int argc, char** argv) {
    Settings settings;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        const auto next = [&] { return i + 1 < argc ? argv[++i] : argv[i]; };
        if (name == "--quick")
            settings.quick = true;
        else if (name == "--only")
            settings.only = next();
        else if (name == "--kind")
            settings.kind = next();
        else if (name == "--dump")
            settings.dump = next();
        else if (name == "--repeats")
            settings.repeats = std::atoi(next());
        else if (name == "--threads")
            settings.threads = std::atoi(next());
        else {
            fmt::print(stderr, "sluice_bench_rules: {}: unknown option\n", name);
            std::exit(64);
        }
    }
    return settings;
}

void print(const std::string& id, const char* side, double figure, const std::string& what) {
    fmt::print("{}\t{}\t{:.6f}\t{}\n", id, side, figure, what);
    std::fflush(stdout);
}

std::string shape_of(const PickTask& task, const Settings& settings) {
    return fmt::format("N={} D={} B={} threads={}", task.features.rows, task.features.dim,
                       task.num_picks, settings.threads);
}

// Picks with no centre, every row scored 1.
select::DiverseBatch run(const PickTask& task, const Settings& settings) {
    comm::Communicator alone;
    select::DiversityOptions options;
    options.num_picks = task.num_picks;
    options.seed = 1;
    options.num_threads = settings.threads;
    if (task.rule == "facility_location") options.parameters.radius = 10.0;
    return select::find_diversity(task.rule).pick(task.share(), options, alone);
}

void report_rounds(const PickTask& task, const select::DiverseBatch& batch) {
    const auto picks = static_cast<double>(task.num_picks);
    print("D2." + task.id, "ours", static_cast<double>(batch.rounds), task.rule);
    print("D2." + task.id, "one_a_pick", picks, "rounds of one pick each");
}

// Against a loop of passes, `loop_picks` of them, scaled to all picks.
void race_loop(const PickTask& task, const Settings& settings, const std::string& note,
               const std::function<void(std::int64_t)>& loop) {
    const std::int64_t loop_picks = std::min<std::int64_t>(task.num_picks, 100);
    select::DiverseBatch batch;
    const std::vector<double> seconds = interleaved_medians(
        {[&] { batch = run(task, settings); }, [&] { loop(loop_picks); }}, settings.repeats);
    const double loop_seconds =
        seconds[1] * static_cast<double>(task.num_picks) / static_cast<double>(loop_picks);
    print(task.id, "ours", seconds[0],
          fmt::format(
              "{}, {} rounds, {:.2f} rows refreshed a row", shape_of(task, settings), batch.rounds,
              static_cast<double>(batch.rows_refreshed) / static_cast<double>(task.features.rows)));
    print(task.id, "fused_loop", loop_seconds,
          fmt::format("{} passes measured, {}", loop_picks, note));
    report_rounds(task, batch);
}

select::DiverseBatch run_alone(const PickTask& task, const Settings& settings) {
    select::DiverseBatch batch;
    const double seconds =
        interleaved_medians({[&] { batch = run(task, settings); }}, settings.repeats).front();
    print(task.id, "ours", seconds,
          fmt::format("{}, {} rounds", shape_of(task, settings), batch.rounds));
    report_rounds(task, batch);
    return batch;
}

void run_kinds(const Settings& settings) {
    for (const std::string& kind : feature_kinds()) {
        if (!settings.kind.empty() && settings.kind != kind) continue;
        if (!settings.wants("K2." + kind) && !settings.wants("K3." + kind)) continue;
        PickTask task(make_features(kind, settings.quick ? 20'000 : 200'000, 256));
        task.num_picks = settings.quick ? 100 : 1000;
        const float* const values = task.features.values.data();
        if (settings.wants("K2." + kind)) {
            task.id = "K2." + kind;
            task.rule = "kmeanspp";
            FusedLoop loop(values, task.features.rows, task.features.dim, settings.threads);
            race_loop(task, settings, "distances alone, without drawing",
                      [&](std::int64_t picks) { loop.pick(0, picks); });
            task.dump(settings.dump);
        }
        if (settings.wants("K3." + kind)) {
            task.id = "K3." + kind;
            task.rule = "maxdet";
            VarianceLoop loop(values, task.features.rows, task.features.dim, settings.threads);
            race_loop(task, settings, "float32",
                      [&](std::int64_t picks) { loop.pick(picks, 0.02); });
            task.dump(settings.dump);
        }
    }
}

void run_facility_location(const Settings& settings) {
    PickTask task(make_features("clusters", settings.quick ? 2000 : 10'000, 256));
    task.id = "K4";
    task.rule = "facility_location";
    task.num_picks = settings.quick ? 50 : 500;
    const select::DiverseBatch batch = run_alone(task, settings);
    task.dump(settings.dump);
    task.dump_picks(settings.dump, batch);
}

// Seconds of an iteration, by runs of few and of more iterations with the same seeds.
void run_kmeans(const Settings& settings) {
    constexpr std::int64_t few = 1;
    constexpr std::int64_t many = 4;
    for (const std::string kind : {"gaussian", "clusters"}) {
        PickTask task(make_features(kind, settings.quick ? 20'000 : 200'000, 256));
        task.id = "K5." + kind;
        task.num_picks = settings.quick ? 100 : 1000;
        if (!settings.wants(task.id)) continue;
        const auto cluster = [&](std::int64_t iterations) {
            comm::Communicator alone;
            select::KMeansOptions options;
            options.num_clusters = task.num_picks;
            options.max_iterations = iterations;
            options.num_threads = settings.threads;
            select::k_means({task.rows, task.share().features, {}, {}}, options, alone);
        };
        const std::vector<double> seconds =
            interleaved_medians({[&] { cluster(few); }, [&] { cluster(many); }}, settings.repeats);
        print(task.id, "ours", (seconds[1] - seconds[0]) / static_cast<double>(many - few),
              fmt::format("N={} D={} k={} threads={}, an iteration, of {} more", task.features.rows,
                          task.features.dim, task.num_picks, settings.threads, many - few));
        task.dump(settings.dump);
    }
}

// MiB of the process at its most.
double peak_memory() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

void run_badge(const Settings& settings) {
    PickTask task(make_features("clusters", settings.quick ? 5000 : 50'000, 256));
    task.id = "K6";
    task.rule = "badge";
    task.num_picks = settings.quick ? 50 : 500;
    task.make_says(100);
    const double before = peak_memory();
    run_alone(task, settings);
    // Where other lines have needed more before, this process cannot tell.
    if (settings.only == "K6")
        print("K6.memory", "ours", std::max(peak_memory() - before, 1.0), "beyond the pool's rows");
    task.dump(settings.dump);
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
    using namespace sluice::bench;
    const Settings settings = settings_from(argc, argv);
    if (!FusedLoop::available()) {
        fmt::print(stderr, "sluice_bench_rules: the loops to compare with need AVX-512\n");
        return 69;
    }
    run_kinds(settings);
    if (settings.wants("K4")) run_facility_location(settings);
    if (settings.wants("K5")) run_kmeans(settings);
    if (settings.wants("K6")) run_badge(settings);
    return 0;
}
