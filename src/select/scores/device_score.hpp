#pragma once

namespace sluice::select {

/// What a feature score is too that can run on a GPU.
class DeviceScore {
  public:
    virtual ~DeviceScore() = default;

    /// Sends what was prepared to the current CUDA device; scores are the same bits from there.
    /// Throws Error(unavailable) if the device fails or lacks memory.
    virtual void send_to_device() = 0;
};

}  // namespace sluice::select
