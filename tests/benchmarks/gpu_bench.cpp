// What the GPU does of what it could do at best. Usage: sluice_bench_gpu [--shrink N] [--device
// cpu]
//
// Reads from stdin, a line each: `ids`, what can be measured; `open ID`, with new random data;
// `turn`, each side of it once; `close`. Answers with lines, the last of which is `done`, `none`
// (no such id) or `failed` with a reason. Lines of figures: id, side, seconds, what was run. So
// that scripts/gpu_checks/table.py can take turns between this and its peers. `floor` is the time
// that the bytes take at the rate of a copy from device to device, both ways counted.
#include "benchmarks/gpu_case.hpp"

#include <fmt/core.h>

#include <cstdlib>
#include <iostream>
#include <string_view>

namespace sluice::bench {
namespace {

struct Settings {
    kernels::Backend backend = kernels::Backend::cuda;
    std::int64_t shrink = 1;
};

Settings settings_from(int argc, char** argv) {
    Settings settings;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        const std::string_view value = i + 1 < argc ? argv[++i] : "";
        if (name == "--shrink" && std::atoll(value.data()) > 0) {
            settings.shrink = std::atoll(value.data());
        } else if (name == "--device" && value == "cpu") {
            settings.backend = kernels::Backend::cpu;
        } else {
            throw Error(ExitCode::usage, std::string(name) + ": unknown option or value");
        }
    }
    return settings;
}

// Answers one line after the other.
class Server {
  public:
    explicit Server(const Settings& settings) : bench_(settings.backend, settings.shrink) {
        for (const auto& cases : {score_cases(), top_k_cases(), select_cases()})
            cases_.insert(cases_.end(), cases.begin(), cases.end());
    }

    void answer(const std::string& line) {
        std::string end = "done";
        try {
            if (line == "ids") {
                for (const CaseDefinition& one : cases_)
                    fmt::print("{}\n", one.id);
            } else if (line == "turn" && open_ != nullptr) {
                for (const Figure& figure : open_->turn())
                    fmt::print("{}\t{}\t{:.9f}\t{}\n", id_, figure.side, figure.seconds,
                               figure.what);
            } else if (line.starts_with("open ")) {
                end = open(line.substr(5)) ? "done" : "none";
            } else {
                open_.reset();
            }
        } catch (const Error& error) {
            open_.reset();
            end = fmt::format("failed {}", error.what());
        }
        fmt::print("{}\n", end);
        std::fflush(stdout);
    }

  private:
    bool open(const std::string& id) {
        open_.reset();  // frees its memory first
        for (const CaseDefinition& one : cases_) {
            if (one.id != id) continue;
            id_ = id;
            open_ = one.open(bench_);
        }
        return open_ != nullptr;
    }

    Bench bench_;
    std::vector<CaseDefinition> cases_;
    std::string id_;
    std::unique_ptr<Case> open_;
};

int run(const Settings& settings) {
    if (settings.backend == kernels::Backend::cuda && kernels::cuda::num_devices() == 0) {
        fmt::print(stderr, "sluice_bench_gpu: no CUDA device\n");
        return 69;
    }
    Server server(settings);
    for (std::string line; std::getline(std::cin, line);)
        server.answer(line);
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
