#include "core/stop.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>

namespace sluice {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr double longest_walltime = 3.0e9;  // seconds; what is added to a clock must fit it
constexpr double least_walltime = 1e-3;

volatile std::sig_atomic_t stop_flag = 0;
std::optional<Clock::time_point> walltime_end;
std::optional<Clock::time_point> last_moment;  // walltime_end less the grace

extern "C" void on_stop_signal(int /*signal*/) {
    stop_flag = 1;
}

Clock::time_point after(double seconds) {
    return Clock::now() + std::chrono::duration_cast<Clock::duration>(
                              Seconds(std::clamp(seconds, -longest_walltime, longest_walltime)));
}

std::optional<double> left_of_slurm_job() {
    const char* variable = std::getenv("SLURM_JOB_END_TIME");
    const double end = variable == nullptr ? 0.0 : std::strtod(variable, nullptr);
    if (!(end > 0)) return std::nullopt;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return end - Seconds(now).count();
}

}  // namespace

void install_stop_handler() {
    struct sigaction action = {};
    action.sa_handler = on_stop_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGUSR1, &action, nullptr);
}

void set_walltime(double walltime_seconds, double grace_seconds) {
    const std::optional<double> left =
        walltime_seconds > 0 ? std::optional(walltime_seconds) : left_of_slurm_job();
    if (!left) return;
    walltime_end = after(*left);
    last_moment = after(*left - grace_seconds);
}

std::optional<double> walltime_left() {
    std::optional<double> left = left_of_slurm_job();
    if (walltime_end) left = Seconds(*walltime_end - Clock::now()).count();
    if (left) left = std::max(*left, least_walltime);
    return left;
}

bool stop_requested() {
    return stop_flag != 0 || (last_moment && Clock::now() >= *last_moment);
}

std::string stop_text() {
    return stop_flag != 0 ? "stopped by a signal" : "stopped before the walltime is over";
}

}  // namespace sluice
