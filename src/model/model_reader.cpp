#include "core/error.hpp"
#include "core/text.hpp"
#include "h5/input_file.hpp"
#include "model/model_file.hpp"
#include "model/model_layout.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>

namespace sluice::model {
namespace {

// What a file may make us allocate: 256 MiB of weights, far beyond any committee of small nets.
constexpr std::int64_t most_numbers = std::int64_t{1} << 26;
constexpr std::int64_t most_masked_numbers = 4 * most_numbers;
constexpr std::int64_t most_networks = std::int64_t{1} << 16;
constexpr std::int64_t most_layers = 64;
constexpr std::int64_t most_words = 4096;

std::string shape_text(const std::vector<std::int64_t>& dims) {
    std::string text = "[";
    for (const std::int64_t extent : dims)
        text += (text.size() > 1 ? "," : "") + std::to_string(extent);
    return text + "]";
}

class ModelReader {
  public:
    explicit ModelReader(const std::string& path) : path_(path), file_(path) {}

    Committee read() {
        check_format();
        read_facts();
        read_dropout();
        const std::int64_t networks = count("networks", 1, most_networks);
        for (std::int64_t n = 0; n < networks; ++n)
            committee_.networks.push_back(read_network(static_cast<std::size_t>(n)));
        check_masks();
        committee_.input = read_normalization("input", committee_.dim);
        if (committee_.task == Task::regression)
            committee_.target = read_normalization("target", committee_.outputs);
        committee_.target_names = words_of_targets(layout::target_names);
        committee_.target_units = words_of_targets(layout::target_units);
        read_history();
        read_calibration();
        if (file_.has(layout::provenance)) committee_.provenance = words(layout::provenance, 1)[0];
        return std::move(committee_);
    }

  private:
    [[noreturn]] void fail(const std::string& place, const std::string& what) const {
        throw Error(ExitCode::bad_data, path_ + ": " + place + ": " + what);
    }

    void check_format() const {
        const std::string format = file_.attribute_text("/", "format").value_or("");
        if (format != layout::format) {
            fail("format", "is no model of sluice (" + printable(format) +
                               "); give a file that 'sluice train' or an exporter wrote");
        }
        const auto version = file_.attribute_integer("/", "format_version");
        if (version != layout::format_version) {
            fail("format_version", "is not 1 (" + (version ? std::to_string(*version) : "none") +
                                       "); use the version of sluice that wrote it");
        }
    }

    // A root attribute that must be a whole number in [min, max].
    std::int64_t count(const std::string& name, std::int64_t min, std::int64_t max) const {
        const auto value = file_.attribute_integer("/", name);
        if (!value) fail(name, "attribute is missing; write the model again");
        if (*value < min || *value > max) {
            fail(name, "is not from " + std::to_string(min) + " to " + std::to_string(max) + " (" +
                           std::to_string(*value) + "); write the model again");
        }
        return *value;
    }

    float number(const std::string& name) const {
        const auto value = file_.attribute_number("/", name);
        if (!value) fail(name, "attribute is missing; write the model again");
        return static_cast<float>(*value);
    }

    void read_facts() {
        const std::string task = file_.attribute_text("/", "task").value_or("");
        if (task != task_name(Task::classification) && task != task_name(Task::regression)) {
            fail("task", "unknown (" + printable(task) + "); write classification or regression");
        }
        committee_.task =
            task == task_name(Task::classification) ? Task::classification : Task::regression;
        const bool classifies = committee_.task == Task::classification;
        committee_.dim = count("dim", 1, most_numbers);
        committee_.outputs = count("outputs", classifies ? 2 : 1, most_numbers / 2);
        committee_.predicts_variance =
            file_.attribute_integer("/", "predicts_variance") && count("predicts_variance", 0, 1);
        if (classifies && committee_.predicts_variance) {
            fail("predicts_variance", "a classifier has none (1); write 0");
        }
        if (!file_.attribute_number("/", "temperature")) return;
        committee_.temperature = number("temperature");
        if (!(committee_.temperature > 0.0F && std::isfinite(1.0F / committee_.temperature) &&
              std::isfinite(committee_.temperature))) {
            fail("temperature", "is not above 0 and finite (" +
                                    number_text(committee_.temperature) + "); write 1");
        }
    }

    void read_dropout() {
        if (!file_.attribute_integer("/", "dropout_masks")) return;
        Dropout dropout;
        dropout.masks = count("dropout_masks", 1, most_networks);
        dropout.rate = number("dropout_rate");
        if (!(dropout.rate >= 0.0F && dropout.rate < 1.0F)) {
            fail("dropout_rate", "is not from 0 to below 1 (" + number_text(dropout.rate) +
                                     "); write the model again");
        }
        const std::string seed = file_.attribute_text("/", "dropout_seed").value_or("");
        const auto [end, error] =
            std::from_chars(seed.data(), seed.data() + seed.size(), dropout.seed);
        if (error != std::errc() || seed.empty() || end != seed.data() + seed.size()) {
            fail("dropout_seed",
                 "is not a whole number as text (" + printable(seed) + "); write the model again");
        }
        committee_.dropout = dropout;
    }

    // Each mask makes a copy of the nets.
    void check_masks() const {
        const std::int64_t numbers = most_numbers - num_numbers_left_;
        if (!committee_.dropout || numbers <= most_masked_numbers / committee_.dropout->masks)
            return;
        fail("dropout_masks", "members of more than " + count_text(most_masked_numbers) +
                                  " numbers together (" +
                                  std::to_string(committee_.dropout->masks) + "); use fewer masks");
    }

    Network read_network(std::size_t n) {
        Network network;
        std::int64_t width = committee_.dim;
        const std::int64_t last =
            committee_.predicts_variance ? 2 * committee_.outputs : committee_.outputs;
        for (std::size_t l = 0; l == 0 || file_.has(layout::layer_folder(n, l)); ++l) {
            if (static_cast<std::int64_t>(l) == most_layers) {
                fail(layout::layer_folder(n, l), "more than 64 layers; use a smaller net");
            }
            network.layers.push_back(read_layer(layout::layer_folder(n, l), width));
            width = network.layers.back().outputs;
        }
        if (width != last) {
            fail(layout::layer_folder(n, network.layers.size() - 1) + "/weight",
                 "the last layer has " + std::to_string(width) + " outputs, but the model says " +
                     std::to_string(last) + "; write the model again");
        }
        return network;
    }

    Layer read_layer(const std::string& folder, std::int64_t inputs) {
        Layer layer;
        const std::string weight = folder + "/weight";
        const std::vector<std::int64_t> dims = shape_of(weight);
        if (dims.size() != 2 || dims[0] < 1 || dims[1] != inputs) {
            fail(weight, "has shape " + shape_text(dims) + " where [outputs," +
                             std::to_string(inputs) + "] is needed; write the model again");
        }
        layer.inputs = inputs;
        layer.outputs = dims[0];
        layer.weight = numbers(weight, dims);
        layer.bias = numbers(folder + "/bias", {layer.outputs});
        layer.activation = activation_of(weight);
        return layer;
    }

    kernels::Activation activation_of(const std::string& weight) const {
        const std::string name = file_.attribute_text(weight, "activation").value_or("");
        try {
            return kernels::find_activation(name);
        } catch (const Error& error) {
            fail(weight + "@activation", error.what());
        }
    }

    std::vector<std::int64_t> shape_of(const std::string& dataset) const {
        if (!file_.has(dataset)) fail(dataset, "is missing; write the model again");
        return file_.dims(dataset);
    }

    // Books the numbers of a dataset, before any memory is asked for.
    void take_numbers(const std::string& dataset, const std::vector<std::int64_t>& dims) {
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

    // All numbers of a dataset that must have the shape `wanted`, finite in float32.
    std::vector<float> numbers(const std::string& dataset,
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

    Normalization read_normalization(const std::string& group, std::int64_t width) {
        if (!file_.has(group + "/mean") && !file_.has(group + "/scale")) return {};
        Normalization result;
        result.mean = numbers(group + "/mean", {width});
        result.scale = numbers(group + "/scale", {width});
        for (std::size_t i = 0; i < result.scale.size(); ++i) {
            if (!(result.scale[i] >= std::numeric_limits<float>::min())) {
                fail(group + "/scale[" + std::to_string(i) + "]",
                     "is not above 0 (" + number_text(result.scale[i]) + "); write 1 for none");
            }
        }
        return result;
    }

    std::vector<std::string> words(const std::string& dataset, std::int64_t wanted) const {
        const std::vector<std::int64_t> dims = shape_of(dataset);
        if (dims != std::vector{wanted}) {
            fail(dataset, "has shape " + shape_text(dims) + " where [" + std::to_string(wanted) +
                              "] is needed; write the model again");
        }
        return file_.text(dataset);
    }

    std::vector<std::string> words_of_targets(const std::string& dataset) const {
        if (!file_.has(dataset)) return {};
        if (committee_.outputs > most_words) fail(dataset, "too many targets to be named; drop it");
        return words(dataset, committee_.outputs);
    }

    void read_history() {
        for (std::size_t n = 0; n < committee_.networks.size(); ++n) {
            const std::string folder = layout::history_folder(n);
            if (!file_.has(folder)) return;
            MemberHistory& history = committee_.history.emplace_back();
            history.training_loss = losses(folder + "/training_loss");
            history.validation_loss = losses(folder + "/validation_loss");
            history.best_epoch =
                file_.attribute_integer(folder + "/training_loss", "best_epoch").value_or(0);
        }
    }

    // A diverged loss is history all the same.
    std::vector<float> losses(const std::string& dataset) const {
        const std::vector<std::int64_t> dims = shape_of(dataset);
        if (dims.size() != 1 || dims[0] > num_numbers_left_) {
            fail(dataset, "has shape " + shape_text(dims) +
                              " where [epochs] is needed; "
                              "write the model again");
        }
        return file_.floats(dataset);
    }

    void read_calibration() {
        if (!file_.has(layout::calibration)) return;
        if (shape_of(layout::calibration) != std::vector<std::int64_t>{2}) {
            fail(layout::calibration, "is not [error before, error]; write the model again");
        }
        const std::vector<double> errors = file_.doubles(layout::calibration);
        committee_.calibration = {errors[0], errors[1],
                                  file_.attribute_integer(layout::calibration, "rows").value_or(0)};
    }

    std::string path_;
    h5::InputFile file_;
    Committee committee_;
    std::int64_t num_numbers_left_ = most_numbers;
};

}  // namespace

Committee read_model(const std::string& path) {
    return ModelReader(path).read();
}

}  // namespace sluice::model
