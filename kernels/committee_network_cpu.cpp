#include "kernels/aligned_floats.hpp"
#include "kernels/committee_network_backends.hpp"
#include "kernels/dense.hpp"
#include "kernels/dense_cpu.hpp"
#include "kernels/network_plan.hpp"
#include "kernels/simd/lane.hpp"

#include <algorithm>
#include <cstddef>

namespace sluice::kernels {

namespace {

constexpr std::int64_t panel_width = DensePanels::panel_width;

// Rows that run through the nets together: as many as leave their values in the second-level
// cache, in whole tiles of every instruction set.
constexpr std::int64_t block_floats = std::int64_t{1} << 17;
constexpr std::int64_t rows_in_tiles = 12;
constexpr std::int64_t least_rows = 4 * rows_in_tiles;
constexpr std::int64_t most_rows = 32 * rows_in_tiles;

/// `count` floats in whole panels, an odd number of cache lines: rows of a power of two of bytes
/// would fight for the same places in the cache.
std::int64_t padded(std::int64_t count) {
    return ((count + panel_width - 1) / panel_width | 1) * panel_width;
}

// Values for each column, the ones behind the last filled up so that whole vectors can be read.
class ColumnValues {
  public:
    float* reserve(std::int64_t columns) {
        float* values = values_.reserve(padded(columns));
        std::fill_n(values, padded(columns), 0.0F);
        return values;
    }
    const float* data() const { return values_.data(); }

  private:
    AlignedFloats values_;
};

struct PackedStep {
    NetworkStep step;  // without its layers, which point to the caller's memory
    Activation activation;
    DensePanels weight;
    std::vector<float> bias;
};

class CpuNetwork : public CommitteeNetwork {
  public:
    explicit CpuNetwork(const NetworkDefinition& definition) : CommitteeNetwork(definition) {
        const NetworkPlan plan = plan_network(definition);
        for (const std::int64_t width : plan.widths) {
            starts_.push_back(floats_of_row_);
            strides_.push_back(padded(width));
            floats_of_row_ += padded(width);
        }
        for (const NetworkStep& step : plan.steps) {
            PackedStep& packed =
                steps_.emplace_back(PackedStep{step, step.activation(), {}, step.bias()});
            packed.step.layers.clear();
            packed.weight.pack_transposed(step.weight().data(), step.outputs(), step.inputs());
        }
        const std::int64_t fitting = block_floats / floats_of_row_ / rows_in_tiles * rows_in_tiles;
        block_rows_ = std::clamp(fitting, least_rows, most_rows);
        keep_input_map(definition);
        keep_output_map(definition);
    }

    void run(const float* features, std::int64_t rows, float* out) const override {
        for (std::int64_t begin = 0; begin < rows; begin += block_rows_)
            run_block(features + begin * dim(), std::min(block_rows_, rows - begin),
                      out + begin * members() * outputs());
    }

  private:
    void keep_input_map(const NetworkDefinition& definition) {
        input_.dim = dim();
        if (definition.input_offset.empty() && definition.input_factor.empty()) return;
        float* offset = input_offset_.reserve(dim());
        float* factor = input_factor_.reserve(dim());
        std::fill_n(factor, dim(), 1.0F);
        std::copy(definition.input_offset.begin(), definition.input_offset.end(), offset);
        std::copy(definition.input_factor.begin(), definition.input_factor.end(), factor);
        input_.offset = offset;
        input_.factor = factor;
    }

    void keep_output_map(const NetworkDefinition& definition) {
        output_.columns = members() * outputs();
        if (!has_output_map(definition)) return;
        float* factor = output_factor_.reserve(output_.columns);
        float* offset = output_offset_.reserve(output_.columns);
        float* is_variance = output_is_variance_.reserve(output_.columns);
        for (std::int64_t column = 0; column < output_.columns; ++column) {
            const OutputColumn map = output_column(definition, column % outputs());
            factor[column] = map.factor;
            offset[column] = map.offset;
            is_variance[column] = map.is_variance ? 1.0F : 0.0F;
        }
        output_.factor = factor;
        output_.offset = offset;
        output_.is_variance = is_variance;
    }

    void run_block(const float* features, std::int64_t rows, float* out) const {
        thread_local AlignedFloats memory;
        thread_local std::vector<std::int64_t> bad_rows;
        float* const levels = memory.reserve(block_rows_ * floats_of_row_);
        const DenseInstructions& instructions = chosen_dense_instructions();
        bad_rows.clear();
        for (std::int64_t i = 0; i < rows; ++i)
            if (!instructions.prepare(input_, features + i * dim(), levels + i * strides_[0]))
                bad_rows.push_back(i);
        for (const PackedStep& packed : steps_)
            run_step(packed, levels, rows, out);
        for (std::int64_t i = 0; i < rows; ++i)
            instructions.finish(output_, out + i * output_.columns);
        for (const std::int64_t i : bad_rows)
            std::fill_n(out + i * output_.columns, output_.columns, not_a_number);
    }

    void run_step(const PackedStep& packed, float* levels, std::int64_t rows, float* out) const {
        const NetworkStep& step = packed.step;
        const auto from = static_cast<std::size_t>(step.from_level);
        const DenseRows left{levels + block_rows_ * starts_[from] + step.from_column, rows,
                             strides_[from]};
        if (step.to_level == NetworkStep::outputs_level) {
            multiply(left, packed.weight, packed.bias.data(), packed.activation,
                     out + step.to_column, output_.columns);
        } else {
            const auto to = static_cast<std::size_t>(step.to_level);
            multiply(left, packed.weight, packed.bias.data(), packed.activation,
                     levels + block_rows_ * starts_[to] + step.to_column, strides_[to]);
        }
    }

    std::vector<std::int64_t> starts_;   // of each level, in floats of a row
    std::vector<std::int64_t> strides_;  // of each level's rows
    std::int64_t floats_of_row_ = 0;
    std::int64_t block_rows_ = 0;
    std::vector<PackedStep> steps_;
    ColumnValues input_offset_;
    ColumnValues input_factor_;
    ColumnValues output_factor_;
    ColumnValues output_offset_;
    ColumnValues output_is_variance_;
    InputMap input_;
    OutputMap output_;
};

}  // namespace

std::shared_ptr<const CommitteeNetwork> make_committee_network_cpu(
    const NetworkDefinition& definition) {
    return std::make_shared<CpuNetwork>(definition);
}

}  // namespace sluice::kernels
