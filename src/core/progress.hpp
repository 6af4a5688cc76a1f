#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace sluice {

/// Progress of one long step, shown on stderr by rank 0 only: a bar on a terminal (redrawn at most
/// 10 times a second), a line every 10 s otherwise, with rate and time left. Thread-safe.
class Progress {
  public:
    /// `total` units of `unit` ("rows", "picks"); `bytes_per_unit` > 0 adds a GB/s rate.
    Progress(std::string title, std::int64_t total, std::string unit, double bytes_per_unit = 0.0);

    /// Ends the line on a terminal.
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// Books `units` more as done and shows them when it is time.
    void advance(std::int64_t units);

  private:
    void show(std::int64_t done, bool final);

    std::string title_;
    std::int64_t total_;
    std::string unit_;
    double bytes_per_unit_;
    bool visible_;
    bool terminal_;
    std::chrono::steady_clock::time_point started_;
    std::atomic<std::int64_t> done_{0};
    std::atomic<std::int64_t> next_show_ms_;
    std::atomic<bool> shown_{false};
};

}  // namespace sluice
