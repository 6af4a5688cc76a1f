// K1 and D2: exact greedy k-center in lazy rounds against a loop that passes over all rows for each
// pick, on five kinds of data. Usage: sluice_bench_k_center [--quick] [--rows N] [--dim D]
// [--picks B] [--kind NAME] [--repeats R] [--fused-picks F] [--panel S] [--threads T] [--dump DIR]
//
// The passes of the loop are alike, so it runs F picks and its seconds are scaled to B. --dump
// writes DIR/KIND.f32 (float32 [N,D]) and DIR/KIND.picks (a row a line, without the first centre,
// row 0) for peers to run on. Each line of output: id, side, figure, what was run.

#include "benchmarks/bench_clock.hpp"
#include "benchmarks/fused_loop.hpp"
#include "benchmarks/k_center_data.hpp"
#include "select/k_center.hpp"

#include <fmt/core.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <numeric>
#include <string>
#include <string_view>
#include <thread>

namespace sluice::bench {
namespace {

struct Settings {
    std::int64_t rows = 200'000;
    std::int64_t dim = 256;
    std::int64_t picks = 1000;
    std::int64_t fused_picks = 100;
    std::int64_t panel = select::KCenterOptions{}.panel_rows;
    int repeats = 3;
    int threads = static_cast<int>(std::thread::hardware_concurrency());
    std::string kind;
    std::string dump;
};

Settings settings_from(int argc, char** argv) {
    Settings settings;
    std::map<std::string_view, std::int64_t*> numbers{{"--rows", &settings.rows},
                                                      {"--dim", &settings.dim},
                                                      {"--picks", &settings.picks},
                                                      {"--fused-picks", &settings.fused_picks},
                                                      {"--panel", &settings.panel}};
    std::map<std::string_view, int*> small{{"--repeats", &settings.repeats},
                                           {"--threads", &settings.threads}};
    std::map<std::string_view, std::string*> texts{{"--kind", &settings.kind},
                                                   {"--dump", &settings.dump}};
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (name == "--quick") {
            settings.rows = 20'000;
            settings.picks = 100;
            settings.fused_picks = 20;
        } else if (i + 1 < argc && numbers.contains(name)) {
            *numbers[name] = std::atoll(argv[++i]);
        } else if (i + 1 < argc && small.contains(name)) {
            *small[name] = std::atoi(argv[++i]);
        } else if (i + 1 < argc && texts.contains(name)) {
            *texts[name] = argv[++i];
        } else {
            fmt::print(stderr, "sluice_bench_k_center: {}: unknown option\n", name);
            std::exit(64);
        }
    }
    return settings;
}

select::KCenterResult run_lazy(const Features& features, const std::vector<RowId>& rows,
                               const Settings& settings) {
    comm::Communicator alone;
    std::vector<float> nearest(rows.size(), std::numeric_limits<float>::infinity());
    select::KCenterOptions options;
    options.num_picks = settings.picks + 1;
    options.first_pick = 0;
    options.num_threads = settings.threads;
    options.panel_rows = settings.panel;
    return select::k_center({rows, {features.values.data(), features.rows, features.dim}, nearest},
                            options, alone, nullptr);
}

bool same_picks(const std::vector<select::KCenterPick>& loop, const select::KCenterResult& lazy) {
    for (std::size_t i = 0; i < loop.size(); ++i) {
        if (loop[i].row != lazy.picks[i + 1].row ||
            loop[i].squared_distance != lazy.picks[i + 1].squared_distance) {
            fmt::print(stderr, "pick {}: row {} at {}, but the loop has row {} at {}\n", i,
                       lazy.picks[i + 1].row, lazy.picks[i + 1].squared_distance, loop[i].row,
                       loop[i].squared_distance);
            return false;
        }
    }
    return true;
}

void dump(const Features& features, const select::KCenterResult& result, const std::string& path) {
    std::ofstream values(path + ".f32", std::ios::binary);
    values.write(reinterpret_cast<const char*>(features.values.data()),
                 static_cast<std::streamsize>(features.values.size() * sizeof(float)));
    std::ofstream picks(path + ".picks");
    for (std::size_t i = 1; i < result.picks.size(); ++i)
        picks << result.picks[i].row << '\n';
}

void print(const std::string& id, std::string_view side, double figure, const std::string& what) {
    fmt::print("{}\t{}\t{:.6f}\t{}\n", id, side, figure, what);
}

// What a pass of the loop takes of the speed of plain reading. A few passes at a time and often in
// turn: the memory of a shared machine is now fast and now slow.
double share_of_reading(FusedLoop& loop) {
    constexpr int passes = 4;
    constexpr int turns = 40;
    volatile float sink = 0.0F;
    const std::vector<double> seconds =
        interleaved_medians({[&] { loop.pick(0, passes); },
                             [&] {
                                 for (int pass = 0; pass < passes; ++pass)
                                     sink = loop.read();
                             }},
                            turns);
    return seconds[1] / seconds[0];
}

int run(const std::string& kind, const Settings& settings) {
    const Features features = make_features(kind, settings.rows, settings.dim);
    std::vector<RowId> rows(static_cast<std::size_t>(features.rows));
    std::iota(rows.begin(), rows.end(), RowId{0});
    FusedLoop loop(features.values.data(), features.rows, features.dim, settings.threads);
    const std::int64_t loop_picks = std::min(settings.picks, settings.fused_picks);

    select::KCenterResult lazy = run_lazy(features, rows, settings);
    if (!settings.dump.empty()) dump(features, lazy, settings.dump + "/" + kind);
    if (!same_picks(loop.pick(0, loop_picks), lazy)) return 1;

    const std::vector<double> seconds = interleaved_medians(
        {[&] { lazy = run_lazy(features, rows, settings); }, [&] { loop.pick(0, loop_picks); }},
        settings.repeats);
    const double passes = static_cast<double>(loop_picks);
    const double loop_seconds = seconds[1] * static_cast<double>(settings.picks) / passes;
    const double loop_rate = loop.gigabytes() * passes / seconds[1];
    const auto size = fmt::format("N={} D={} B={} threads={}", settings.rows, settings.dim,
                                  settings.picks, settings.threads);
    const double refreshed =
        static_cast<double>(lazy.rows_refreshed) / static_cast<double>(settings.rows);
    print("K1." + kind, "ours", seconds[0],
          fmt::format("{}, {:.2f} rows refreshed a row, {:.1f}x the loop, first {} picks the same",
                      size, refreshed, loop_seconds / seconds[0], loop_picks));
    print("K1." + kind, "fused_loop", loop_seconds,
          fmt::format("{} picks measured, {:.1f} GB/s, {:.2f} of plain reading", loop_picks,
                      loop_rate, share_of_reading(loop)));
    print("D2." + kind, "ours", static_cast<double>(lazy.rounds), size);
    print("D2." + kind, "picks_per_round", static_cast<double>(settings.picks) / 40.0,
          "rounds allowed: a fortieth of the picks");
    return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
    const sluice::bench::Settings settings = sluice::bench::settings_from(argc, argv);
    if (!sluice::bench::FusedLoop::available()) {
        fmt::print(stderr, "sluice_bench_k_center: the loop to compare with needs AVX-512\n");
        return 69;
    }
    int status = 0;
    for (const std::string& kind : sluice::bench::feature_kinds()) {
        if (settings.kind.empty() || settings.kind == kind) {
            status |= sluice::bench::run(kind, settings);
        }
    }
    return status;
}
