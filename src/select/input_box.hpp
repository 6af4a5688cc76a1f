#pragma once

#include "pool/pool.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::select {

/// How an input becomes the feature that a model reads.
enum class InputScale {
    none,    ///< the feature is the input
    linear,  ///< evenly from -1 at `low` to 1 at `high`
    log      ///< likewise in the input's logarithm
};

/// What an input may be.
struct InputRange {
    std::string name;
    std::string unit;
    double low = 0.0;
    double high = 0.0;
    InputScale scale = InputScale::none;
};

/// A box that inputs may lie in, one range for each feature of a model, in the order of features.
class InputBox {
  public:
    /// `where` begins messages. Throws Error(bad_data) naming the input of which a bound is not
    /// finite, low is not below high, a logarithm does not exist, or float32 does not hold a range.
    InputBox(std::vector<InputRange> ranges, const std::string& where);

    const std::vector<InputRange>& ranges() const { return ranges_; }
    std::int64_t dim() const { return static_cast<std::int64_t>(ranges_.size()); }

    /// The box in features: the lowest and highest float32 inside each range.
    const std::vector<float>& low() const { return low_; }
    const std::vector<float>& high() const { return high_; }

    /// The feature `share` of the way from low to high, 0 <= share <= 1, never outside.
    float feature_at(std::int64_t input, double share) const;

    /// The input that has this feature, never outside its range; the same bits on every machine.
    double input_of(std::int64_t input, float feature) const;

  private:
    std::vector<InputRange> ranges_;
    std::vector<double> log_ratio_;  // ln(high / low) of those scaled by their logarithm
    std::vector<float> low_;
    std::vector<float> high_;
};

/// Ranges written as CSV: a header with `name`, `low` and `high` and, if wanted, `unit` and `scale`
/// (none, linear or log), then a line for each input. Throws Error(bad_data) as `WHERE:LINE: ...`.
InputBox read_ranges(std::string_view text, const std::string& where);

/// Ranges that a pool declares: the attribute `ranges` of its `inputs`, for each of them
/// `low,high` or `low,high,scale`. Throws Error(bad_data) naming the inputs that have none.
InputBox ranges_of_pool(const pool::Pool& pool);

/// A range as ranges_of_pool reads it.
std::string range_text(const InputRange& range);

}  // namespace sluice::select
