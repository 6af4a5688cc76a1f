#include "core/error.hpp"
#include "core/text.hpp"
#include "model/model_datasets.hpp"
#include "model/model_file.hpp"
#include "model/model_layout.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>

namespace sluice::model {
namespace {

// What a file may make us allocate.
constexpr std::int64_t most_masked_numbers = 4 * most_numbers;
constexpr std::int64_t most_networks = std::int64_t{1} << 16;
constexpr std::int64_t most_layers = 64;
constexpr std::int64_t most_words = 4096;

class ModelReader : private ModelDatasets {
  public:
    explicit ModelReader(const std::string& path) : ModelDatasets(path) {}

    Committee read() {
        check_format();
        read_facts();
        read_dropout();
        const std::int64_t networks = count("networks", 1, most_networks);
        const std::int64_t last =
            committee_.predicts_variance ? 2 * committee_.outputs : committee_.outputs;
        for (std::int64_t n = 0; n < networks; ++n)
            committee_.networks.push_back(read_network("", static_cast<std::size_t>(n), last));
        check_masks();
        committee_.input = read_normalization("input", committee_.dim);
        if (committee_.task == Task::regression)
            committee_.target = read_normalization("target", committee_.outputs);
        committee_.target_names = words_of_targets(layout::target_names);
        committee_.target_units = words_of_targets(layout::target_units);
        read_history();
        read_calibration();
        read_loss_head();
        if (file().has(layout::provenance)) committee_.provenance = words(layout::provenance, 1)[0];
        return std::move(committee_);
    }

  private:
    void check_format() const {
        const std::string format = file().attribute_text("/", "format").value_or("");
        if (format != layout::format) {
            fail("format", "is no model of sluice (" + printable(format) +
                               "); give a file that 'sluice train' or an exporter wrote");
        }
        const auto version = file().attribute_integer("/", "format_version");
        if (version != layout::format_version) {
            fail("format_version", "is not 1 (" + (version ? std::to_string(*version) : "none") +
                                       "); use the version of sluice that wrote it");
        }
    }

    void read_facts() {
        const std::string task = file().attribute_text("/", "task").value_or("");
        if (task != task_name(Task::classification) && task != task_name(Task::regression)) {
            fail("task", "unknown (" + printable(task) + "); write classification or regression");
        }
        committee_.task =
            task == task_name(Task::classification) ? Task::classification : Task::regression;
        const bool classifies = committee_.task == Task::classification;
        committee_.dim = count("dim", 1, most_numbers);
        committee_.outputs = count("outputs", classifies ? 2 : 1, most_numbers / 2);
        committee_.predicts_variance =
            file().attribute_integer("/", "predicts_variance") && count("predicts_variance", 0, 1);
        if (classifies && committee_.predicts_variance) {
            fail("predicts_variance", "a classifier has none (1); write 0");
        }
        if (!file().attribute_number("/", "temperature")) return;
        committee_.temperature = number("temperature");
        if (!(committee_.temperature > 0.0F && std::isfinite(1.0F / committee_.temperature) &&
              std::isfinite(committee_.temperature))) {
            fail("temperature", "is not above 0 and finite (" +
                                    number_text(committee_.temperature) + "); write 1");
        }
    }

    void read_dropout() {
        if (!file().attribute_integer("/", "dropout_masks")) return;
        Dropout dropout;
        dropout.masks = count("dropout_masks", 1, most_networks);
        dropout.rate = number("dropout_rate");
        if (!(dropout.rate >= 0.0F && dropout.rate < 1.0F)) {
            fail("dropout_rate", "is not from 0 to below 1 (" + number_text(dropout.rate) +
                                     "); write the model again");
        }
        const std::string seed = file().attribute_text("/", "dropout_seed").value_or("");
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
        const std::int64_t numbers = num_numbers_read();
        if (!committee_.dropout || numbers <= most_masked_numbers / committee_.dropout->masks)
            return;
        fail("dropout_masks", "members of more than " + count_text(most_masked_numbers) +
                                  " numbers together (" +
                                  std::to_string(committee_.dropout->masks) + "); use fewer masks");
    }

    // Net n of the committee, or with a prefix of the loss head.
    Network read_network(const std::string& prefix, std::size_t n, std::int64_t last) {
        Network network;
        std::int64_t width = committee_.dim;
        const auto folder = [&](std::size_t l) { return prefix + layout::layer_folder(n, l); };
        for (std::size_t l = 0; l == 0 || file().has(folder(l)); ++l) {
            if (static_cast<std::int64_t>(l) == most_layers) {
                fail(folder(l), "more than 64 layers; use a smaller net");
            }
            network.layers.push_back(read_layer(folder(l), width));
            width = network.layers.back().outputs;
        }
        if (width != last) {
            fail(folder(network.layers.size() - 1) + "/weight",
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
        const std::string name = file().attribute_text(weight, "activation").value_or("");
        try {
            return kernels::find_activation(name);
        } catch (const Error& error) {
            fail(weight + "@activation", error.what());
        }
    }

    // All numbers of a dataset that must have the shape `wanted`, finite in float32.
    Normalization read_normalization(const std::string& group, std::int64_t width) {
        if (!file().has(group + "/mean") && !file().has(group + "/scale")) return {};
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

    std::vector<std::string> words_of_targets(const std::string& dataset) const {
        if (!file().has(dataset)) return {};
        if (committee_.outputs > most_words) fail(dataset, "too many targets to be named; drop it");
        return words(dataset, committee_.outputs);
    }

    void read_history() {
        for (std::size_t n = 0; n < committee_.networks.size(); ++n) {
            const std::string folder = layout::history_folder(n);
            if (!file().has(folder)) return;
            MemberHistory& history = committee_.history.emplace_back();
            history.training_loss = losses(folder + "/training_loss");
            history.validation_loss = losses(folder + "/validation_loss");
            history.best_epoch =
                file().attribute_integer(folder + "/training_loss", "best_epoch").value_or(0);
        }
    }

    void read_loss_head() {
        if (!file().attribute_integer("/", "loss_networks")) return;
        Committee head;
        head.task = Task::regression;
        head.dim = committee_.dim;
        head.outputs = 1;
        head.target_names = {"log_loss"};
        const std::int64_t networks = count("loss_networks", 1, most_networks);
        for (std::int64_t n = 0; n < networks; ++n)
            head.networks.push_back(
                read_network(layout::loss_head, static_cast<std::size_t>(n), 1));
        head.input = read_normalization(layout::loss_head + "input", committee_.dim);
        head.target = read_normalization(layout::loss_head + "target", 1);
        committee_.loss_head = std::make_shared<const Committee>(std::move(head));
        committee_.loss_folds = count("loss_folds", 2, most_networks);
    }

    void read_calibration() {
        if (!file().has(layout::calibration)) return;
        if (shape_of(layout::calibration) != std::vector<std::int64_t>{2}) {
            fail(layout::calibration, "is not [error before, error]; write the model again");
        }
        const std::vector<double> errors = file().doubles(layout::calibration);
        committee_.calibration = {
            errors[0], errors[1],
            file().attribute_integer(layout::calibration, "rows").value_or(0)};
    }

    Committee committee_;
};

}  // namespace

Committee read_model(const std::string& path) {
    return ModelReader(path).read();
}

}  // namespace sluice::model
