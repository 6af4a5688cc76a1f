#pragma once

#include "core/types.hpp"
#include "h5/handle.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::h5 {

/// A small file of our own (items, labels, models), read dataset by dataset, whole or the rows in
/// `rows`. Not for pools, which may be damaged or huge: pool::open_pool and pool::RowReader read
/// those.
/// All members throw Error(bad_data) naming file and dataset when something is missing or not of
/// the wanted kind; nothing is converted with loss.
class InputFile {
  public:
    /// Opens without file locks. Throws Error(no_input|permission) as core's open_for_reading.
    explicit InputFile(const std::string& path);

    /// Notes the trouble if closing fails (core/trouble.hpp).
    ~InputFile() { file_.close_or_note(path_); }

    bool has(const std::string& dataset) const;
    std::vector<std::int64_t> dims(const std::string& dataset) const;

    /// Elements of an integer dataset; unsigned values beyond int64 are refused.
    std::vector<std::int64_t> integers(const std::string& dataset,
                                       std::optional<RowRange> rows = {}) const;

    /// Elements of a dataset of floating point numbers (or integers), as stored up to float64.
    std::vector<double> doubles(const std::string& dataset,
                                std::optional<RowRange> rows = {}) const;

    /// Elements of a float32 dataset.
    std::vector<float> floats(const std::string& dataset, std::optional<RowRange> rows = {}) const;

    /// Elements of a dataset of strings, fixed or variable length.
    std::vector<std::string> text(const std::string& dataset,
                                  std::optional<RowRange> rows = {}) const;

    /// Attributes of the object at path `object` ("/" is the root group); nothing if absent.
    std::optional<std::string> attribute_text(const std::string& object,
                                              const std::string& name) const;
    std::optional<std::vector<std::string>> attribute_list(const std::string& object,
                                                           const std::string& name) const;
    std::optional<std::int64_t> attribute_integer(const std::string& object,
                                                  const std::string& name) const;
    std::optional<double> attribute_number(const std::string& object,
                                           const std::string& name) const;

  private:
    Handle open(const std::string& dataset) const;
    std::string where(const std::string& dataset) const { return path_ + ": " + dataset; }

    std::string path_;
    Handle file_;
};

}  // namespace sluice::h5
