#include "core/log.hpp"

#include "core/text.hpp"

#include <unistd.h>

namespace sluice {
namespace {

struct LogRank {
    int rank = 0;
    int num_ranks = 1;
};

LogRank& log_rank() {
    static LogRank instance;
    return instance;
}

// One write() a line, so that lines of different ranks never mix.
void write_line(const std::string& line) {
    const std::string text = printable(line) + "\n";
    [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

void set_log_rank(int rank, int num_ranks) {
    log_rank() = {rank, num_ranks};
}

bool log_is_visible() {
    return log_rank().rank == 0;
}

void log_info(const std::string& message) {
    if (log_is_visible()) write_line("sluice: " + message);
}

void log_warning(const std::string& message) {
    if (log_is_visible()) write_line("sluice: warning: " + message);
}

void log_error(const std::string& message, ErrorScope scope) {
    const bool name_rank = scope == ErrorScope::this_rank && log_rank().num_ranks > 1;
    const std::string where =
        name_rank ? "rank " + std::to_string(log_rank().rank) + ": " : std::string();
    write_line("sluice: error: " + where + message);
}

}  // namespace sluice
