#include "core/phase.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>

namespace sluice {
namespace {

using Clock = std::chrono::steady_clock;

struct PhaseBook {
    int rank = 0;
    std::string current;
    Clock::time_point entered = Clock::now();
    std::vector<std::pair<std::string, double>> seconds;
};

PhaseBook& book() {
    static PhaseBook instance;
    return instance;
}

void book_time(PhaseBook& state) {
    const auto now = Clock::now();
    const double elapsed = std::chrono::duration<double>(now - state.entered).count();
    state.entered = now;
    if (state.current.empty()) return;
    const auto found =
        std::find_if(state.seconds.begin(), state.seconds.end(),
                     [&](const auto& entry) { return entry.first == state.current; });
    if (found == state.seconds.end()) {
        state.seconds.emplace_back(state.current, elapsed);
    } else {
        found->second += elapsed;
    }
}

void inject_fault(const std::string& phase, int rank) {
    const char* spec = std::getenv("SLUICE_FAULT");
    if (spec == nullptr) return;
    const std::string prefix = phase + ":" + std::to_string(rank) + ":";
    const std::string text = spec;
    if (text.compare(0, prefix.size(), prefix) != 0) return;
    const std::string action = text.substr(prefix.size());
    if (action == "throw") throw std::runtime_error("injected fault in phase " + phase);
    if (action == "exit") std::exit(3);
    if (action == "kill") std::raise(SIGKILL);
    if (action == "hang") ::pause();
}

}  // namespace

void enter_phase(const std::string& name) {
    book_time(book());
    book().current = name;
    inject_fault(name, book().rank);
}

const std::string& current_phase() {
    return book().current;
}

std::vector<std::pair<std::string, double>> phase_seconds() {
    book_time(book());
    return book().seconds;
}

void set_phase_rank(int rank) {
    book().rank = rank;
}

}  // namespace sluice
