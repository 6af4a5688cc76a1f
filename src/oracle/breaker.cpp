#include "oracle/breaker.hpp"

#include "core/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::oracle {

using queue::ItemStatus;

void Breaker::note(LeaseNumber lease, const queue::ItemResult& result) {
    if (limit_ == 0 || result.status == ItemStatus::refused) return;
    const bool is_alike =
        !streak_.empty() && result.status == last_.status && result.reason == last_.reason;
    if (!is_alike && is_open()) return;  // it stays open
    if (!is_alike) streak_.clear();
    if (result.status == ItemStatus::ok) return;
    streak_.emplace_back(lease, result.item);
    last_ = result;
}

bool Breaker::holds(LeaseNumber lease, std::int64_t item) const {
    return std::ranges::count(streak_, std::pair(lease, item)) > 0;
}

std::string Breaker::description() const {
    return fmt::format("{} items in a row failed alike ({}: {}; last log line: {})", streak_.size(),
                       queue::status_name(last_.status), printable(last_.reason),
                       last_line(last_.log_tail));
}

std::string last_line(const std::string& log) {
    constexpr std::size_t max_bytes = 200;
    const std::size_t last = log.find_last_not_of(" \t\r\n");
    if (last == std::string::npos) return "none";
    const std::size_t before = log.find_last_of("\r\n", last);
    const std::size_t first = before == std::string::npos ? 0 : before + 1;
    return printable(log.substr(first, std::min(last + 1 - first, max_bytes)));
}

}  // namespace sluice::oracle
