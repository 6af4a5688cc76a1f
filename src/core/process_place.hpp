#pragma once

#include <cstdint>
#include <string>

namespace sluice {

/// Where process numbers mean the same processes: 8 hex digits of a hash over this boot of this
/// machine
/// (/proc/sys/kernel/random/boot_id) and this process id namespace. Host names alone do not do:
/// many machines and containers share one.
const std::string& process_place();

/// True if `process` ran in this place and is certainly gone. In doubt (another place, a number
/// that is in use again) it lives.
bool process_is_gone(const std::string& place, std::int64_t process);

}  // namespace sluice
