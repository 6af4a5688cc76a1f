#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace sluice {

/// Where process numbers mean the same processes: 8 hex digits of a hash over this boot of this
/// machine (/proc/sys/kernel/random/boot_id) and this process id namespace. Host names alone do not
/// do: many machines and containers share one.
const std::string& process_place();

/// process_place() and 4 hex digits of when this process started: with its number they tell it from
/// any other.
std::string process_mark();
inline constexpr std::size_t process_mark_digits = 12;

/// True if `process` ran in this place and is certainly gone, even if its number is in use again.
/// `mark` is its process_mark(), or only its place. In doubt (another place) it lives.
bool process_is_gone(const std::string& mark, std::int64_t process);

}  // namespace sluice
