#pragma once

namespace sluice {

/// Makes SIGTERM and SIGUSR1 (what schedulers send before the end) set a flag instead of ending the
/// process at once. Call once from main.
void install_stop_handler();

/// Whether such a signal has come. Long loops poll it and throw Error(try_again).
bool stop_requested();

}  // namespace sluice
