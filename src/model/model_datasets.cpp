#include "model/model_datasets.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace sluice::model {

std::string shape_text(const std::vector<std::int64_t>& dims) {
    std::string text = "[";
    for (const std::int64_t extent : dims)
        text += (text.size() > 1 ? "," : "") + std::to_string(extent);
    return text + "]";
}

void ModelDatasets::fail(const std::string& place, const std::string& what) const {
    throw Error(ExitCode::bad_data, path_ + ": " + place + ": " + what);
}

std::int64_t ModelDatasets::count(const std::string& name, std::int64_t min,
                                  std::int64_t max) const {
    const auto value = file_.attribute_integer("/", name);
    if (!value) fail(name, "attribute is missing; write the model again");
    if (*value < min || *value > max) {
        fail(name, "is not from " + std::to_string(min) + " to " + std::to_string(max) + " (" +
                       std::to_string(*value) + "); write the model again");
    }
    return *value;
}

float ModelDatasets::number(const std::string& name) const {
    const auto value = file_.attribute_number("/", name);
    if (!value) fail(name, "attribute is missing; write the model again");
    return static_cast<float>(*value);
}

std::vector<std::int64_t> ModelDatasets::shape_of(const std::string& dataset) const {
    if (!file_.has(dataset)) fail(dataset, "is missing; write the model again");
    return file_.dims(dataset);
}

// Books the numbers of a dataset, before any memory is asked for.
void ModelDatasets::take_numbers(const std::string& dataset,
                                 const std::vector<std::int64_t>& dims) {
    std::int64_t count = 1;
    for (const std::int64_t extent : dims) {
        if (extent > num_numbers_left_ / count) {
            fail(dataset, "the model has more than " + count_text(most_numbers) +
                              " numbers; use a smaller committee");
        }
        count = std::max<std::int64_t>(count * extent, 1);
    }
    num_numbers_left_ -= count;
}

std::vector<float> ModelDatasets::numbers(const std::string& dataset,
                                          const std::vector<std::int64_t>& wanted) {
    const std::vector<std::int64_t> dims = shape_of(dataset);
    if (dims != wanted) {
        fail(dataset, "has shape " + shape_text(dims) + " where " + shape_text(wanted) +
                          " is needed; write the model again");
    }
    take_numbers(dataset, dims);
    const std::vector<double> stored = file_.doubles(dataset);
    std::vector<float> values(stored.begin(), stored.end());
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!std::isfinite(values[i])) {
            fail(dataset + "[" + std::to_string(i) + "]", "is not finite (" +
                                                              number_text(stored[i]) +
                                                              "); train again with a lower "
                                                              "learning rate");
        }
    }
    return values;
}

std::vector<std::string> ModelDatasets::words(const std::string& dataset,
                                              std::int64_t wanted) const {
    const std::vector<std::int64_t> dims = shape_of(dataset);
    if (dims != std::vector{wanted}) {
        fail(dataset, "has shape " + shape_text(dims) + " where [" + std::to_string(wanted) +
                          "] is needed; write the model again");
    }
    return file_.text(dataset);
}

std::vector<float> ModelDatasets::losses(const std::string& dataset) const {
    const std::vector<std::int64_t> dims = shape_of(dataset);
    if (dims.size() != 1 || dims[0] > num_numbers_left_) {
        fail(dataset, "has shape " + shape_text(dims) +
                          " where [epochs] is needed; "
                          "write the model again");
    }
    return file_.floats(dataset);
}

}  // namespace sluice::model
