#pragma once

#include <cstdint>
#include <span>

namespace sluice::select {

/// Makes the vectors that a diversity measures distances of from what a dataset holds of rows.
/// Immutable, so any number of threads may call it.
class Embedder {
  public:
    virtual ~Embedder() = default;

    /// out [rows, dim] of values [rows, inputs], in canonical arithmetic: a row's vector depends on
    /// the row alone. A row with a value that is not finite gets numbers that are not.
    virtual void embed(std::span<const float> values, std::span<float> out) const = 0;

    std::int64_t inputs() const { return inputs_; }
    std::int64_t dim() const { return dim_; }

    /// Memory that it holds, and that embed takes for each row of a call.
    virtual std::int64_t held_bytes() const = 0;
    virtual std::int64_t row_bytes() const = 0;

  protected:
    Embedder(std::int64_t inputs, std::int64_t dim) : inputs_(inputs), dim_(dim) {}

  private:
    std::int64_t inputs_;
    std::int64_t dim_;
};

}  // namespace sluice::select
