#pragma once

#include <string>

namespace sluice::kernels {

/// Where kernels run. Both give the same bits.
enum class Backend { cpu, cuda };

/// What the user asked for with --device.
enum class DeviceChoice { automatic, cpu, gpu };

/// Picks the back end. `automatic` takes a GPU when this build has CUDA and the machine a driver
/// and a device, else the CPU, saying why in one log line. `gpu` throws Error(unavailable) instead.
/// `local_rank` (0-based among the ranks of this node) picks the device of several.
Backend choose_backend(DeviceChoice choice, int local_rank);

/// The instruction set the CPU kernels run with: "avx512", "avx2" or "baseline". The best one the
/// processor has; SLUICE_ISA=NAME asks for a lesser one. Results are the same for all.
std::string cpu_instruction_set();

}  // namespace sluice::kernels
