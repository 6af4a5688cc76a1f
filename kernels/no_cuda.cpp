#include "core/error.hpp"
#include "kernels/committee_network_backends.hpp"
#include "kernels/cuda/device.hpp"
#include "kernels/device_gradients.hpp"
#include "kernels/device_panel.hpp"
#include "kernels/device_rows.hpp"
#include "kernels/device_sample.hpp"
#include "kernels/device_variances.hpp"
#include "kernels/nearest_center_cpu.hpp"
#include "kernels/score_rows_cuda.hpp"

namespace sluice::kernels {

namespace {

[[noreturn]] void throw_not_built() {
    throw Error(ExitCode::unavailable,
                "this sluice was built without CUDA; use --device cpu or auto, or build with "
                "-DSLUICE_CUDA=ON");
}

}  // namespace

std::unique_ptr<Scorer> make_scorer_cuda(std::size_t) {
    throw_not_built();
}

std::shared_ptr<const CommitteeNetwork> make_committee_network_cuda(const NetworkDefinition&) {
    throw_not_built();
}

std::unique_ptr<Scorer> make_committee_scorer_cuda(const std::shared_ptr<const CommitteeNetwork>&,
                                                   std::size_t) {
    throw_not_built();
}

void relax_nearest_cuda(const RowSelection&, MatrixView, const NearestCenters&) {
    throw_not_built();
}

std::unique_ptr<DeviceRows> make_device_rows(MatrixView) {
    throw_not_built();
}

std::unique_ptr<DeviceGradients> make_device_gradients(const GradientView&) {
    throw_not_built();
}

std::optional<std::vector<PanelPick>> pick_on_device(const PanelView&, const Candidate&,
                                                     std::int64_t) {
    throw_not_built();
}

std::unique_ptr<DeviceSample> make_device_sample(const SampleView&) {
    throw_not_built();
}

std::unique_ptr<DeviceVariances> make_device_variances(MatrixView) {
    throw_not_built();
}

namespace cuda {

bool is_built_in() {
    return false;
}

int num_devices() {
    return 0;
}

void use_device(int) {
    throw_not_built();
}

}  // namespace cuda

}  // namespace sluice::kernels
