#include "cli/pool_options.hpp"

namespace sluice::cli {
namespace {

// The roles that scores, diversities, oracles and users' names need.
constexpr const char* roles[] = {"features",    "probabilities", "committee",
                                 "predictions", "inputs",        "ids"};

}  // namespace

std::vector<OptionSpec> pool_options() {
    std::vector<OptionSpec> options = {{.name = "pool",
                                        .value_name = "FILE",
                                        .summary = "the pool's HDF5 files, in row order",
                                        .kind = OptionSpec::Kind::list,
                                        .need = OptionSpec::Need::required}};
    for (const std::string role : roles) {
        options.push_back({.name = role,
                           .value_name = "PATH",
                           .summary = "dataset in the files that holds the " + role,
                           .default_text = "/" + role});
    }
    return options;
}

pool::PoolSource pool_source(const Options& options) {
    pool::PoolSource source;
    source.files = options.texts("pool");
    for (const std::string role : roles) {
        if (options.text(role) != "/" + role) source.datasets[role] = options.text(role);
    }
    return source;
}

OptionSpec config_option() {
    return {.name = "config", .value_name = "FILE", .summary = "INI file with more options"};
}

OptionSpec threads_option() {
    return {.name = "threads",
            .value_name = "T",
            .summary = "threads of each rank; auto = the node's cores over its ranks",
            .default_text = "auto"};
}

int num_threads(const Options& options) {
    return static_cast<int>(options.count_or_auto("threads", {1, 4096}).value_or(0));
}

OptionSpec device_option() {
    return {.name = "device",
            .value_name = "NAME",
            .summary = "where kernels run; the results are the same",
            .default_text = "auto",
            .choices = {{"auto"}, {"cpu"}, {"gpu"}}};
}

kernels::DeviceChoice device_choice(const Options& options) {
    const std::string name = options.text("device");
    if (name == "cpu") return kernels::DeviceChoice::cpu;
    return name == "gpu" ? kernels::DeviceChoice::gpu : kernels::DeviceChoice::automatic;
}

OptionSpec memory_option(const std::string& holds) {
    return {.name = "memory",
            .value_name = "X",
            .summary = "memory of each rank for " + holds,
            .unit = "GiB",
            .default_text = "1"};
}

OptionSpec block_rows_option(const std::string& suits) {
    return {.name = "block-rows",
            .value_name = "R",
            .summary = "rows read at once; auto = what suits " + suits,
            .unit = "rows",
            .default_text = "auto"};
}

}  // namespace sluice::cli
