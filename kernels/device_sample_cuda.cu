#include "kernels/cuda/device.hpp"
#include "kernels/cuda/row_stream.hpp"
#include "kernels/device_sample.hpp"
#include "kernels/sample_search_block.hpp"

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace sluice::kernels {
namespace {

// Of rows sent to the device at a time: two such blocks are on their way.
constexpr std::int64_t block_floats = 1 << 21;

static_assert(DeviceSample::num_found == sample_search_kept);
static_assert(sizeof(std::int32_t) == sizeof(float));

__global__ void __launch_bounds__(SampleSearch::Shape::threads)
    search_kernel(SampleSearchTask task) {
    __shared__ SampleSearch::Shared shared;
    DeviceBlock<SampleSearch::Thread, SampleSearch::Shape::threads> block;
    sample_search_block(block, shared, task, blockIdx.x);
}

template <class Value>
void send(cuda::DeviceArray<Value>& to, const Value* from, std::int64_t count) {
    const cuda::Stream stream;
    to.reserve(count);
    to.upload(from, count, stream);
    stream.synchronize();
}

// Searches block by block; places travel back as they are, in the room of floats.
class SearchWork {
  public:
    explicit SearchWork(const SampleSearchTask& task) : task_(task) {}

    std::int64_t floats_of_row() const { return 0; }
    bool try_reserve(cuda::RowSlot&, std::int64_t) const { return true; }
    void queue(cuda::RowSlot& slot, std::int64_t num_rows) const {
        SampleSearchTask task = task_;
        task.rows = slot.values.data();
        task.count = num_rows;
        task.first += slot.rows.begin;
        task.found = reinterpret_cast<std::int32_t*>(slot.results.data());
        constexpr std::int64_t rows = SampleSearch::Shape::rows;
        search_kernel<<<static_cast<unsigned>((num_rows + rows - 1) / rows),
                        SampleSearch::Shape::threads, 0, slot.stream.get()>>>(task);
        cuda::check(cudaGetLastError());
    }

  private:
    SampleSearchTask task_;
};

class CudaSample : public DeviceSample {
  public:
    explicit CudaSample(const SampleView& sample) : count_(sample.features.rows) {
        const std::int64_t dim = sample.features.dim;
        std::vector<float> transposed(static_cast<std::size_t>(count_ * dim));
        for (std::int64_t i = 0; i < count_; ++i)
            for (std::int64_t k = 0; k < dim; ++k)
                transposed[static_cast<std::size_t>(k * count_ + i)] = sample.features.row(i)[k];
        send(transposed_, transposed.data(), count_ * dim);
        send(norms_, sample.norms.data(), count_);
        send(numbers_, sample.numbers.data(), count_);
    }

    void search(MatrixView rows, std::int64_t first, std::span<std::int32_t> found) const override {
        if (rows.rows == 0) return;
        SampleSearchTask task;
        task.dim = rows.dim;
        task.first = first;
        task.transposed = transposed_.data();
        task.norms = norms_.data();
        task.numbers = numbers_.data();
        task.num_sample = count_;
        const SearchWork work(task);
        const std::int64_t most_rows =
            std::max<std::int64_t>(SampleSearch::Shape::rows, block_floats / rows.dim);
        cuda::RowStream(cuda::RowFlow{rows.data, rows.dim, reinterpret_cast<float*>(found.data()),
                                      num_found, most_rows},
                        work, cuda::row_slots())
            .run(rows.rows);
    }

  private:
    std::int64_t count_;
    cuda::DeviceBuffer transposed_;
    cuda::DeviceBuffer norms_;
    cuda::DeviceArray<std::int64_t> numbers_;
};

}  // namespace

std::unique_ptr<DeviceSample> make_device_sample(const SampleView& sample) {
    return std::make_unique<CudaSample>(sample);
}

}  // namespace sluice::kernels
