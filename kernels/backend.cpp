#include "kernels/backend.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "kernels/cuda/device.hpp"
#include "kernels/instruction_set.hpp"

#include <atomic>
#include <cstdlib>
#include <string_view>

namespace sluice::kernels {

namespace {

/// Why a GPU cannot be used; empty if it can.
std::string why_no_gpu() {
    if (!cuda::is_built_in()) return "this build has no CUDA back end";
    if (cuda::num_devices() == 0) return "no CUDA driver or device was found";
    return "";
}

}  // namespace

Backend choose_backend(DeviceChoice choice, int local_rank) {
    if (choice == DeviceChoice::cpu) return Backend::cpu;
    const std::string reason = why_no_gpu();
    if (reason.empty()) {
        cuda::use_device(local_rank % cuda::num_devices());
        return Backend::cuda;
    }
    require(choice != DeviceChoice::gpu, ExitCode::unavailable,
            "--device gpu: " + reason + "; use --device cpu or auto");
    // Once, however many rounds a campaign has.
    static std::atomic_flag is_told;
    if (!is_told.test_and_set())
        log_info("running on the CPU (" + cpu_instruction_set() + "): " + reason);
    return Backend::cpu;
}

InstructionLevel instruction_level() {
    static const InstructionLevel level = [] {
        InstructionLevel best = InstructionLevel::baseline;
#ifdef SLUICE_HAVE_X86
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
            best = InstructionLevel::avx2;
        if (best == InstructionLevel::avx2 && __builtin_cpu_supports("avx512f") &&
            __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
            __builtin_cpu_supports("avx512vl"))
            best = InstructionLevel::avx512;
#endif
        const char* asked = std::getenv("SLUICE_ISA");
        if (asked == nullptr) return best;
        for (const InstructionLevel lesser :
             {InstructionLevel::baseline, InstructionLevel::avx2, InstructionLevel::avx512})
            if (asked == std::string_view(instruction_level_name(lesser)))
                return lesser < best ? lesser : best;
        throw Error(ExitCode::usage, "SLUICE_ISA: unknown instruction set (" + std::string(asked) +
                                         "); use baseline, avx2 or avx512");
    }();
    return level;
}

const char* instruction_level_name(InstructionLevel level) {
    switch (level) {
        case InstructionLevel::avx512:
            return "avx512";
        case InstructionLevel::avx2:
            return "avx2";
        case InstructionLevel::baseline:
            break;
    }
    return "baseline";
}

std::string cpu_instruction_set() {
    return instruction_level_name(instruction_level());
}

}  // namespace sluice::kernels
