#include "kernels/committee_network_backends.hpp"
#include "kernels/cuda/device.hpp"
#include "kernels/network_kernels.cuh"
#include "kernels/network_plan.hpp"
#include "kernels/score_rows_cuda.hpp"

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace sluice::kernels {
namespace {

// Of features and layers on the device at a time.
constexpr std::int64_t block_floats = std::int64_t{1} << 26;

unsigned blocks_for(std::int64_t count, std::int64_t per_block) {
    return static_cast<unsigned>((count + per_block - 1) / per_block);
}

void launch(const Product& product, const cuda::Stream& stream) {
    const dim3 block(threads_a_side, threads_a_side);
    const unsigned rows = blocks_for(product.rows, tile_rows);
    if (product.columns > threads_a_side) {
        const dim3 grid(rows, blocks_for(product.columns, Tiles<4>::columns));
        multiply_kernel<4><<<grid, block, 0, stream.get()>>>(product);
    } else {
        multiply_kernel<1><<<dim3(rows, 1), block, 0, stream.get()>>>(product);
    }
    cuda::check(cudaGetLastError());
}

/// Device memory of one calling thread, kept from block to block.
struct Workspace {
    cuda::Stream stream;
    cuda::DeviceBuffer features;
    cuda::DeviceBuffer layers;
    cuda::DeviceBuffer outputs;
    cuda::DeviceBuffer spoiled;
    cuda::DeviceBuffer scores;
};

Workspace& workspace() {
    thread_local Workspace own;
    return own;
}

cuda::DeviceBuffer on_device(const std::vector<float>& values, const cuda::Stream& stream) {
    const auto count = static_cast<std::int64_t>(values.size());
    cuda::DeviceBuffer buffer(count);
    buffer.upload(values.data(), count, stream);
    stream.synchronize();
    return buffer;
}

/// [outputs, inputs] as [inputs, outputs].
std::vector<float> transposed(const std::vector<float>& weight, std::int64_t outputs,
                              std::int64_t inputs) {
    std::vector<float> result(weight.size());
    for (std::int64_t o = 0; o < outputs; ++o)
        for (std::int64_t k = 0; k < inputs; ++k)
            result[static_cast<std::size_t>(k * outputs + o)] =
                weight[static_cast<std::size_t>(o * inputs + k)];
    return result;
}

struct DeviceStep {
    NetworkStep step;  // without its layers, which point to the caller's memory
    std::int64_t inputs;
    std::int64_t outputs;
    Activation activation;
    cuda::DeviceBuffer weight;
    cuda::DeviceBuffer bias;
};

class CudaNetwork : public CommitteeNetwork {
  public:
    explicit CudaNetwork(const NetworkDefinition& definition) : CommitteeNetwork(definition) {
        const NetworkPlan plan = plan_network(definition);
        widths_ = plan.widths;
        for (const std::int64_t width : widths_) {
            starts_.push_back(floats_of_row_);
            floats_of_row_ += width;
        }
        block_rows_ = std::max<std::int64_t>(
            tile_rows, block_floats / (floats_of_row_ + members() * outputs()));
        const cuda::Stream& stream = workspace().stream;
        for (const NetworkStep& step : plan.steps) {
            steps_.push_back(
                {step, step.inputs(), step.outputs(), step.activation(),
                 on_device(transposed(step.weight(), step.outputs(), step.inputs()), stream),
                 on_device(step.bias(), stream)});
            steps_.back().step.layers.clear();
        }
        keep_input_map(definition, stream);
        keep_output_map(definition, stream);
    }

    std::int64_t block_rows() const { return block_rows_; }

    void run(const float* features, std::int64_t rows, float* out) const override {
        Workspace& work = workspace();
        for (std::int64_t begin = 0; begin < rows; begin += block_rows_) {
            const std::int64_t count = std::min(block_rows_, rows - begin);
            run_block(features + begin * dim(), count, work);
            work.outputs.download(out + begin * output_.count, count * output_.count, work.stream);
            work.stream.synchronize();
        }
    }

    /// Queues the forward pass of at most block_rows() rows; leaves [rows, M, outputs] in
    /// work.outputs.
    void run_block(const float* features, std::int64_t rows, Workspace& work) const {
        work.features.reserve(rows * dim());
        work.layers.reserve(rows * (floats_of_row_ - dim()));
        work.outputs.reserve(rows * output_.count);
        work.spoiled.reserve(rows);
        work.features.upload(features, rows * dim(), work.stream);
        prepare_kernel<<<blocks_for(rows, warps), dim3(warp_size, warps), 0, work.stream.get()>>>(
            work.features.data(), rows, input_, work.spoiled.data());
        cuda::check(cudaGetLastError());
        for (const DeviceStep& step : steps_)
            run_step(step, rows, work);
        finish_kernel<<<blocks_for(rows * output_.count, threads), threads, 0, work.stream.get()>>>(
            work.outputs.data(), rows, output_, work.spoiled.data());
        cuda::check(cudaGetLastError());
    }

  private:
    /// Where a level of `rows` rows begins; level 0 is the features.
    float* level(std::int64_t index, std::int64_t rows, const Workspace& work) const {
        if (index == 0) return work.features.data();
        return work.layers.data() + rows * (starts_[static_cast<std::size_t>(index)] - dim());
    }

    void run_step(const DeviceStep& packed, std::int64_t rows, const Workspace& work) const {
        const NetworkStep& step = packed.step;
        Product product{};
        product.left = level(step.from_level, rows, work) + step.from_column;
        product.rows = rows;
        product.left_stride = widths_[static_cast<std::size_t>(step.from_level)];
        product.right = packed.weight.data();
        product.inner = packed.inputs;
        product.columns = packed.outputs;
        product.bias = packed.bias.data();
        product.activation = packed.activation;
        if (step.to_level == NetworkStep::outputs_level) {
            product.out = work.outputs.data() + step.to_column;
            product.out_stride = output_.count;
        } else {
            product.out = level(step.to_level, rows, work) + step.to_column;
            product.out_stride = widths_[static_cast<std::size_t>(step.to_level)];
        }
        launch(product, work.stream);
    }

    void keep_input_map(const NetworkDefinition& definition, const cuda::Stream& stream) {
        input_.count = dim();
        if (definition.input_offset.empty() && definition.input_factor.empty()) return;
        std::vector<float> offset(static_cast<std::size_t>(dim()), 0.0F);
        std::vector<float> factor(static_cast<std::size_t>(dim()), 1.0F);
        std::copy(definition.input_offset.begin(), definition.input_offset.end(), offset.begin());
        std::copy(definition.input_factor.begin(), definition.input_factor.end(), factor.begin());
        input_.offset = kept(offset, stream);
        input_.factor = kept(factor, stream);
    }

    void keep_output_map(const NetworkDefinition& definition, const cuda::Stream& stream) {
        output_.count = members() * outputs();
        if (!has_output_map(definition)) return;
        std::vector<float> factor;
        std::vector<float> offset;
        std::vector<float> is_variance;
        for (std::int64_t column = 0; column < output_.count; ++column) {
            const OutputColumn map = output_column(definition, column % outputs());
            factor.push_back(map.factor);
            offset.push_back(map.offset);
            is_variance.push_back(map.is_variance ? 1.0F : 0.0F);
        }
        output_.factor = kept(factor, stream);
        output_.offset = kept(offset, stream);
        output_.is_variance = kept(is_variance, stream);
    }

    const float* kept(const std::vector<float>& values, const cuda::Stream& stream) {
        maps_.push_back(on_device(values, stream));
        return maps_.back().data();
    }

    std::vector<std::int64_t> widths_;
    std::vector<std::int64_t> starts_;  // of each level, in floats of a row
    std::int64_t floats_of_row_ = 0;
    std::int64_t block_rows_ = 0;
    std::vector<DeviceStep> steps_;
    std::vector<cuda::DeviceBuffer> maps_;
    DeviceMap input_{};
    DeviceMap output_{};
};

class CudaCommitteeScorer : public Scorer {
  public:
    CudaCommitteeScorer(std::shared_ptr<const CudaNetwork> network, std::size_t index)
        : network_(std::move(network)), index_(index) {}

    void score(const ScoreBlock& block, std::span<float> scores) const override {
        Workspace& work = workspace();
        const std::int64_t most = network_->block_rows();
        for (RowId begin = block.rows.begin; begin < block.rows.end; begin += most) {
            const RowRange range{begin, std::min(begin + most, block.rows.end)};
            const std::int64_t first = begin - block.rows.begin;
            network_->run_block(block.values + first * network_->dim(), range.size(), work);
            work.scores.reserve(range.size());
            score_on_device(index_,
                            {work.outputs.data(), range, network_->members(), network_->outputs(),
                             network_->output()},
                            work.scores.data(), work.stream);
            work.scores.download(scores.data() + first, range.size(), work.stream);
            work.stream.synchronize();
        }
    }

  private:
    std::shared_ptr<const CudaNetwork> network_;
    std::size_t index_;
};

}  // namespace

std::shared_ptr<const CommitteeNetwork> make_committee_network_cuda(
    const NetworkDefinition& definition) {
    return std::make_shared<CudaNetwork>(definition);
}

std::unique_ptr<Scorer> make_committee_scorer_cuda(
    const std::shared_ptr<const CommitteeNetwork>& network, std::size_t index) {
    auto here = std::dynamic_pointer_cast<const CudaNetwork>(network);
    if (here == nullptr) return nullptr;
    return std::make_unique<CudaCommitteeScorer>(std::move(here), index);
}

}  // namespace sluice::kernels
