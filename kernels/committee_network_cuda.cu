#include "kernels/committee_network_backends.hpp"
#include "kernels/cuda/device.hpp"
#include "kernels/cuda/filter_work.hpp"
#include "kernels/cuda/row_stream.hpp"
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

// Of features and layers on the device at a time: two such blocks are on their way.
constexpr std::int64_t block_floats = std::int64_t{1} << 24;

unsigned blocks_for(std::int64_t count, std::int64_t per_block) {
    return static_cast<unsigned>((count + per_block - 1) / per_block);
}

template <class Shape>
void launch_shape(const Product& product, const cuda::Stream& stream) {
    const dim3 grid(blocks_for(product.rows, Shape::rows),
                    blocks_for(product.columns, Shape::columns));
    multiply_kernel<Shape><<<grid, Shape::threads, 0, stream.get()>>>(product);
    cuda::check(cudaGetLastError());
}

void launch(const Product& product, const cuda::Stream& stream) {
    if (product.columns > ProductShape<4>::columns) {
        launch_shape<ProductShape<8>>(product, stream);
    } else if (product.columns > ProductShape<1>::columns) {
        launch_shape<ProductShape<4>>(product, stream);
    } else {
        launch_shape<ProductShape<1>>(product, stream);
    }
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
            ProductShape<1>::rows, block_floats / (floats_of_row_ + members() * outputs()));
        const cuda::Stream stream;
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

    /// Of memory for a row besides its features.
    std::int64_t floats_of_row() const { return floats_of_row_ - dim() + output_.count + 1; }

    bool try_reserve(cuda::RowSlot& slot, std::int64_t rows) const {
        return slot.layers.try_reserve(rows * (floats_of_row_ - dim())) &&
               slot.outputs.try_reserve(rows * output_.count) && slot.spoiled.try_reserve(rows);
    }

    void run(const float* features, std::int64_t rows, float* out) const override;

    /// Queues the forward pass of the slot's values; leaves [rows, M, outputs] in `outputs`.
    void queue(const cuda::RowSlot& slot, std::int64_t rows, float* outputs) const {
        prepare_kernel<<<blocks_for(rows, warps), dim3(warp_size, warps), 0, slot.stream.get()>>>(
            slot.values.data(), rows, input_, slot.spoiled.data());
        cuda::check(cudaGetLastError());
        for (const DeviceStep& step : steps_)
            run_step(step, rows, slot, outputs);
        finish_kernel<<<blocks_for(rows * output_.count, threads), threads, 0, slot.stream.get()>>>(
            outputs, rows, output_, slot.spoiled.data());
        cuda::check(cudaGetLastError());
    }

  private:
    /// Where a level of `rows` rows begins; level 0 is the features.
    float* level(std::int64_t index, std::int64_t rows, const cuda::RowSlot& slot) const {
        if (index == 0) return slot.values.data();
        return slot.layers.data() + rows * (starts_[static_cast<std::size_t>(index)] - dim());
    }

    void run_step(const DeviceStep& packed, std::int64_t rows, const cuda::RowSlot& slot,
                  float* outputs) const {
        const NetworkStep& step = packed.step;
        Product product{};
        product.left = level(step.from_level, rows, slot) + step.from_column;
        product.rows = rows;
        product.left_stride = widths_[static_cast<std::size_t>(step.from_level)];
        product.right = packed.weight.data();
        product.inner = packed.inputs;
        product.columns = packed.outputs;
        product.bias = packed.bias.data();
        product.activation = packed.activation;
        if (step.to_level == NetworkStep::outputs_level) {
            product.out = outputs + step.to_column;
            product.out_stride = output_.count;
        } else {
            product.out = level(step.to_level, rows, slot) + step.to_column;
            product.out_stride = widths_[static_cast<std::size_t>(step.to_level)];
        }
        launch(product, slot.stream);
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

/// The outputs are what goes back.
class ForwardWork {
  public:
    explicit ForwardWork(const CudaNetwork& network) : network_(network) {}

    std::int64_t floats_of_row() const { return network_.floats_of_row(); }
    bool try_reserve(cuda::RowSlot& slot, std::int64_t rows) const {
        return network_.try_reserve(slot, rows);
    }
    void queue(cuda::RowSlot& slot, std::int64_t rows) const {
        network_.queue(slot, rows, slot.results.data());
    }

  private:
    const CudaNetwork& network_;
};

/// How the features come.
enum class Storage { floats, halves };

/// The outputs stay on the device, their scores go back.
class ForwardAndScoreWork {
  public:
    ForwardAndScoreWork(const CudaNetwork& network, std::size_t index, Storage storage)
        : network_(network), index_(index), storage_(storage) {}

    std::int64_t floats_of_row() const {
        return network_.floats_of_row() + (storage_ == Storage::halves ? network_.dim() : 0);
    }
    bool try_reserve(cuda::RowSlot& slot, std::int64_t rows) const {
        return network_.try_reserve(slot, rows) && slot.values.try_reserve(rows * network_.dim()) &&
               slot.tile.try_reserve(score_tile_floats(outputs_of(slot, rows), rows));
    }
    void queue(cuda::RowSlot& slot, std::int64_t rows) const {
        if (storage_ == Storage::halves) widen(slot, rows * network_.dim());
        network_.queue(slot, rows, slot.outputs.data());
        score_on_device(index_, outputs_of(slot, rows),
                        {slot.results.data(), slot.tile.data(), slot.stream});
    }

  private:
    static void widen(const cuda::RowSlot& slot, std::int64_t count) {
        widen_kernel<<<blocks_for(count, threads * Pack<Half>::size), threads, 0,
                       slot.stream.get()>>>(slot.halves.data(), count, slot.values.data());
        cuda::check(cudaGetLastError());
    }
    ScoreBlock outputs_of(const cuda::RowSlot& slot, std::int64_t rows) const {
        return {slot.outputs.data(),
                {0, rows},
                network_.members(),
                network_.outputs(),
                network_.output()};
    }

    const CudaNetwork& network_;
    std::size_t index_;
    Storage storage_;
};

void CudaNetwork::run(const float* features, std::int64_t rows, float* out) const {
    if (rows == 0) return;
    const ForwardWork work(*this);
    const cuda::RowFlow flow{features, dim(), out, output_.count, block_rows_};
    cuda::RowStream(flow, work, cuda::row_slots()).run(rows);
}

class CudaCommitteeScorer : public FilteringScorer {
  public:
    CudaCommitteeScorer(std::shared_ptr<const CudaNetwork> network, std::size_t index)
        : network_(std::move(network)), index_(index) {}

    void score(const ScoreBlock& block, std::span<float> scores) const override {
        run(block, scores.data(), work_of(block));
    }
    void score_passing(const ScoreBlock& block, const RowFilter& filter,
                       std::vector<Candidate>& passed) const override {
        const ForwardAndScoreWork work = work_of(block);
        run(block, nullptr, cuda::FilterWork(work, filter, block.rows.begin, passed));
    }
    bool reads_halves() const override { return true; }

  private:
    ForwardAndScoreWork work_of(const ScoreBlock& block) const {
        return {*network_, index_, block.halves == nullptr ? Storage::floats : Storage::halves};
    }
    template <class Work>
    void run(const ScoreBlock& block, float* scores, const Work& work) const {
        if (block.rows.empty()) return;
        const cuda::RowFlow flow{block.values,           network_->dim(), scores, 1,
                                 network_->block_rows(), block.halves};
        cuda::RowStream(flow, work, cuda::row_slots()).run(block.rows.size());
    }

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

bool reserve_committee_scores(const CommitteeNetwork& network, std::size_t index,
                              cuda::RowSlot& slot, std::int64_t rows) {
    return ForwardAndScoreWork(dynamic_cast<const CudaNetwork&>(network), index, Storage::floats)
        .try_reserve(slot, rows);
}

void queue_committee_scores(const CommitteeNetwork& network, std::size_t index, cuda::RowSlot& slot,
                            std::int64_t rows) {
    ForwardAndScoreWork(dynamic_cast<const CudaNetwork&>(network), index, Storage::floats)
        .queue(slot, rows);
}

}  // namespace sluice::kernels
