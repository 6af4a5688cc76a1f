#include "core/error.hpp"
#include "kernels/nearest_center_cpu.hpp"

namespace sluice::kernels {

void relax_nearest_cuda(const RowSelection&, MatrixView, std::span<float>) {
    throw Error(ExitCode::unavailable,
                "this build has no CUDA back end; use --device cpu or build with SLUICE_CUDA=ON");
}

}  // namespace sluice::kernels
