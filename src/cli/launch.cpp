#include "cli/launch.hpp"

#include "cli/numbers.hpp"
#include "core/log.hpp"
#include "core/sha256.hpp"
#include "core/stop.hpp"
#include "h5/library.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <locale>
#include <optional>
#include <string_view>
#include <system_error>

namespace sluice::cli {
namespace {

std::optional<std::uint64_t> environment_number(const char* name) {
    const char* text = std::getenv(name);
    return text == nullptr ? std::nullopt : parse_digits(text);
}

// This process's number among those the launcher started.
std::optional<std::uint64_t> launched_rank() {
    for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"}) {
        if (const auto rank = environment_number(name)) return rank;
    }
    return std::nullopt;
}

// A closed descriptor is replaced by one that refuses what it is for: reading from stdin gives the
// end of the file, writing to stdout fails (and is reported), stderr is lost.
void occupy_standard_descriptors() {
    constexpr std::array<int, 3> modes = {O_RDONLY, O_RDONLY, O_WRONLY};
    for (int descriptor = 0; descriptor < 3; ++descriptor) {
        if (::fcntl(descriptor, F_GETFD) != -1) continue;
        // The lowest free number is taken, which is this one.
        [[maybe_unused]] const int taken =
            ::open("/dev/null", modes[static_cast<std::size_t>(descriptor)]);
    }
}

// One process alone then starts no helper process and looks at no network: 0.04 s in place of 0.33
// s. It makes no session directory either: all such processes of a user would share one, and one
// that ends while another starts would take it away.
void start_mpi_alone() {
    constexpr int keep_what_the_user_set = 0;
    ::setenv("OMPI_MCA_ess_singleton_isolated", "1", keep_what_the_user_set);
    ::setenv("OMPI_MCA_orte_create_session_dirs", "0", keep_what_the_user_set);
    ::setenv("OMPI_MCA_pml", "ob1", keep_what_the_user_set);
    ::setenv("OMPI_MCA_btl", "self", keep_what_the_user_set);
}

bool has_entry(const std::filesystem::path& directory, std::string_view prefix) {
    std::error_code unreadable;
    for (const auto& entry : std::filesystem::directory_iterator(directory, unreadable)) {
        if (entry.path().filename().string().starts_with(prefix)) return true;
    }
    return false;
}

// InfiniBand, EFA and their like; Slingshot; Omni-Path and TrueScale; Aries.
bool has_fabric() {
    return has_entry("/sys/class/infiniband", "") || has_entry("/sys/class/cxi", "") ||
           has_entry("/dev", "hfi1") || has_entry("/dev", "ipath") || has_entry("/dev", "kgni");
}

// Open MPI's drivers of such networks take 0.3 s to find that there are none: libpsm and libpsm2
// measure a clock before they look. What is left are shared memory and TCP, as without this.
void leave_out_absent_fabrics() {
    constexpr int keep_what_the_user_set = 0;
    if (!has_fabric()) ::setenv("OMPI_MCA_mtl", "^psm,psm2,ofi", keep_what_the_user_set);
}

}  // namespace

void prepare_process() {
    occupy_standard_descriptors();
    std::setlocale(LC_ALL, "C");
    std::locale::global(std::locale::classic());
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
    install_stop_handler();
    h5::start_library();
}

void prepare_mpi() {
    if (is_launched())
        leave_out_absent_fabrics();
    else
        start_mpi_alone();
}

bool is_launched() {
    return launched_rank().has_value();
}

bool prints_before_mpi() {
    return launched_rank().value_or(0) == 0;
}

void warn_of_separate_tasks(const comm::Communicator& world) {
    const std::uint64_t tasks = environment_number("SLURM_STEP_NUM_TASKS").value_or(1);
    const bool is_first = environment_number("SLURM_PROCID").value_or(0) == 0;
    if (is_launched() || world.size() > 1 || tasks <= 1 || !is_first) return;
    log_warning("srun started " + std::to_string(tasks) +
                " tasks that do not know each other, so each does the whole job; use mpirun or "
                "srun --mpi=pmix");
}

void require_same(const std::string& text, const std::string& what, comm::Communicator& world) {
    const std::string digest = sha256_hex(text);
    const std::vector<char> digests =
        world.all_gather(std::span<const char>(digest.data(), digest.size()));
    for (int rank = 1; rank < world.size(); ++rank) {
        const auto begin = digests.begin() + static_cast<std::ptrdiff_t>(digest.size()) * rank;
        if (std::equal(begin, begin + static_cast<std::ptrdiff_t>(digest.size()),
                       digests.begin())) {
            continue;
        }
        throw comm::AgreedError(
            ExitCode::usage, "rank " + std::to_string(rank) + " was started with another " + what +
                                 " than rank 0; start all ranks with the same command");
    }
}

void print_result(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
}

bool finish_output() {
    std::cout.flush();
    const bool flushed = std::fflush(stdout) == 0;
    return flushed && std::ferror(stdout) == 0 && std::cout.good();
}

}  // namespace sluice::cli
