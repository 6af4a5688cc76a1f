#include "core/progress.hpp"

#include "core/log.hpp"
#include "core/text.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>

namespace sluice {
namespace {

constexpr std::int64_t terminal_interval_ms = 100;
constexpr std::int64_t log_interval_ms = 10'000;
constexpr int bar_width = 30;

std::string bar(double fraction) {
    const int filled = static_cast<int>(fraction * bar_width);
    return std::string(static_cast<std::size_t>(filled), '#') +
           std::string(static_cast<std::size_t>(bar_width - filled), '.');
}

}  // namespace

Progress::Progress(std::string title, std::int64_t total, std::string unit, double bytes_per_unit)
    : title_(std::move(title)),
      total_(std::max<std::int64_t>(total, 1)),
      unit_(std::move(unit)),
      bytes_per_unit_(bytes_per_unit),
      visible_(log_is_visible()),
      terminal_(::isatty(STDERR_FILENO) == 1),
      started_(std::chrono::steady_clock::now()),
      next_show_ms_(terminal_ ? terminal_interval_ms : log_interval_ms) {}

Progress::~Progress() {
    if (visible_ && terminal_ && shown_) show(done_, true);
}

void Progress::advance(std::int64_t units) {
    const std::int64_t done = done_ += units;
    if (!visible_) return;
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
                             std::chrono::steady_clock::now() - started_)
                             .count();
    std::int64_t due = next_show_ms_;
    if (elapsed < due) return;
    const std::int64_t interval = terminal_ ? terminal_interval_ms : log_interval_ms;
    if (!next_show_ms_.compare_exchange_strong(due, elapsed + interval)) return;
    shown_ = true;
    show(done, false);
}

void Progress::show(std::int64_t done, bool final) {
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
    const double fraction = std::min(1.0, static_cast<double>(done) / static_cast<double>(total_));
    const double rate = static_cast<double>(done) / std::max(seconds, 1e-9);
    const double seconds_left = static_cast<double>(total_ - done) / std::max(rate, 1e-9);
    std::string text = fmt::format("{} {:5.1f} %  {}/{} {}", title_, 100.0 * fraction,
                                   count_text(done), count_text(total_), unit_);
    if (bytes_per_unit_ > 0.0) text += fmt::format("  {:.2f} GB/s", rate * bytes_per_unit_ / 1e9);
    text += fmt::format("  {:.0f} s left", std::max(0.0, seconds_left));
    if (!terminal_) {
        log_info(text);
        return;
    }
    const std::string line =
        fmt::format("\r[{}] {}\x1b[K{}", bar(fraction), text, final ? "\n" : "");
    [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace sluice
