#pragma once

#include "h5/input_file.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::model {

/// What a model file may hold at most: 256 MiB of weights, far beyond any committee of small nets.
inline constexpr std::int64_t most_numbers = std::int64_t{1} << 26;

/// The datasets and attributes of a model file, checked. All throw Error(bad_data) naming file and
/// place for what is missing, of another shape or out of range.
class ModelDatasets {
  public:
    explicit ModelDatasets(const std::string& path) : path_(path), file_(path) {}

    const h5::InputFile& file() const { return file_; }

    [[noreturn]] void fail(const std::string& place, const std::string& what) const;

    /// A root attribute that must be a whole number in [min, max].
    std::int64_t count(const std::string& name, std::int64_t min, std::int64_t max) const;

    /// A root attribute that must be a number.
    float number(const std::string& name) const;

    std::vector<std::int64_t> shape_of(const std::string& dataset) const;

    /// Finite numbers of that shape; most_numbers of all datasets together.
    std::vector<float> numbers(const std::string& dataset, const std::vector<std::int64_t>& wanted);

    /// How many numbers() has read.
    std::int64_t num_numbers_read() const { return most_numbers - num_numbers_left_; }

    /// So many texts.
    std::vector<std::string> words(const std::string& dataset, std::int64_t wanted) const;

    /// The losses of epochs; a diverged one is history all the same.
    std::vector<float> losses(const std::string& dataset) const;

  private:
    void take_numbers(const std::string& dataset, const std::vector<std::int64_t>& dims);

    std::string path_;
    h5::InputFile file_;
    std::int64_t num_numbers_left_ = most_numbers;
};

/// `[3,4]`.
std::string shape_text(const std::vector<std::int64_t>& dims);

}  // namespace sluice::model
