#include "model/model_file.hpp"

#include "core/durable_file.hpp"
#include "core/sha256.hpp"
#include "h5/output_file.hpp"
#include "model/model_layout.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace sluice::model {
namespace {

void write_floats(h5::OutputFile& file, const std::string& name, const std::vector<float>& values) {
    file.write_dataset(name, std::span<const float>(values), {std::ssize(values)});
}

void write_layer(h5::OutputFile& file, const std::string& folder, const Layer& layer) {
    file.write_dataset(folder + "/weight", std::span<const float>(layer.weight),
                       {layer.outputs, layer.inputs});
    write_floats(file, folder + "/bias", layer.bias);
    file.set_attribute(folder + "/weight", "activation",
                       std::string(kernels::activation_name(layer.activation)));
}

void write_networks(h5::OutputFile& file, const std::string& prefix,
                    const std::vector<Network>& networks) {
    for (std::size_t n = 0; n < networks.size(); ++n) {
        const std::vector<Layer>& layers = networks[n].layers;
        for (std::size_t l = 0; l < layers.size(); ++l)
            write_layer(file, prefix + layout::layer_folder(n, l), layers[l]);
    }
}

void write_normalization(h5::OutputFile& file, const std::string& group,
                         const Normalization& normalization) {
    if (normalization.mean.empty()) return;
    write_floats(file, group + "/mean", normalization.mean);
    write_floats(file, group + "/scale", normalization.scale);
}

void write_words(h5::OutputFile& file, const std::string& name,
                 const std::vector<std::string>& words) {
    if (words.empty()) return;
    file.write_text_dataset(name, words, h5::TextStorage::fixed);
}

void write_history(h5::OutputFile& file, const Committee& committee) {
    for (std::size_t n = 0; n < committee.history.size(); ++n) {
        const std::string folder = layout::history_folder(n);
        const MemberHistory& history = committee.history[n];
        write_floats(file, folder + "/training_loss", history.training_loss);
        write_floats(file, folder + "/validation_loss", history.validation_loss);
        file.set_attribute(folder + "/training_loss", "best_epoch", history.best_epoch);
    }
}

void write_calibration(h5::OutputFile& file, const Calibration& calibration) {
    if (calibration.rows == 0) return;
    const double errors[] = {calibration.error_before, calibration.error};
    file.write_dataset(layout::calibration, std::span<const double>(errors), {2});
    file.set_attribute(layout::calibration, "rows", calibration.rows);
}

void write_loss_head(h5::OutputFile& file, const Committee& committee) {
    const Committee& head = *committee.loss_head;
    write_networks(file, layout::loss_head, head.networks);
    write_normalization(file, layout::loss_head + "input", head.input);
    write_normalization(file, layout::loss_head + "target", head.target);
    file.set_attribute("/", "loss_networks", std::ssize(head.networks));
    file.set_attribute("/", "loss_folds", committee.loss_folds);
}

void write_facts(h5::OutputFile& file, const Committee& committee) {
    file.set_attribute("/", "format", std::string(layout::format));
    file.set_attribute("/", "format_version", layout::format_version);
    file.set_attribute("/", "task", std::string(task_name(committee.task)));
    file.set_attribute("/", "dim", committee.dim);
    file.set_attribute("/", "outputs", committee.outputs);
    file.set_attribute("/", "networks", std::ssize(committee.networks));
    file.set_attribute("/", "predicts_variance",
                       static_cast<std::int64_t>(committee.predicts_variance));
    file.set_attribute("/", "temperature", static_cast<double>(committee.temperature));
    if (!committee.dropout) return;
    file.set_attribute("/", "dropout_masks", committee.dropout->masks);
    file.set_attribute("/", "dropout_rate", static_cast<double>(committee.dropout->rate));
    file.set_attribute("/", "dropout_seed", std::to_string(committee.dropout->seed));
}

// A name that is as long as it says, so that two different lists never hash alike.
void add_text(Sha256& hash, std::string_view text) {
    hash.update(std::to_string(text.size()) + ":");
    hash.update(text);
}

void add_floats(Sha256& hash, const std::vector<float>& values) {
    hash.update(std::to_string(values.size()) + "f");
    hash.update(std::as_bytes(std::span(values)));
}

void add_number(Sha256& hash, std::uint64_t number) {
    hash.update(std::to_string(number) + ";");
}

}  // namespace

std::vector<std::byte> model_image(const Committee& committee) {
    h5::OutputFile file = h5::OutputFile::in_memory("model.h5");
    write_facts(file, committee);
    write_networks(file, "", committee.networks);
    write_normalization(file, "input", committee.input);
    write_normalization(file, "target", committee.target);
    write_words(file, layout::target_names, committee.target_names);
    write_words(file, layout::target_units, committee.target_units);
    write_history(file, committee);
    write_calibration(file, committee.calibration);
    if (!committee.provenance.empty())
        write_words(file, layout::provenance, {committee.provenance});
    if (committee.loss_head) write_loss_head(file, committee);
    return file.take_image();
}

void publish_model(const std::string& path, const Committee& committee) {
    const std::vector<std::byte> image = model_image(committee);
    publish_text_file(path, {reinterpret_cast<const char*>(image.data()), image.size()});
}

std::string model_hash(const Committee& committee) {
    Sha256 hash;
    add_text(hash, layout::format);
    add_text(hash, task_name(committee.task));
    for (const std::int64_t number :
         {committee.dim, committee.outputs, static_cast<std::int64_t>(committee.predicts_variance)})
        add_number(hash, static_cast<std::uint64_t>(number));
    for (const Normalization* by : {&committee.input, &committee.target}) {
        add_floats(hash, by->mean);
        add_floats(hash, by->scale);
    }
    add_floats(hash, {committee.temperature});
    if (committee.dropout) {
        add_number(hash, static_cast<std::uint64_t>(committee.dropout->masks));
        add_floats(hash, {committee.dropout->rate});
        add_number(hash, committee.dropout->seed);
    }
    for (const Network& network : committee.networks) {
        add_number(hash, network.layers.size());
        for (const Layer& layer : network.layers) {
            add_text(hash, kernels::activation_name(layer.activation));
            add_number(hash, static_cast<std::uint64_t>(layer.inputs));
            add_floats(hash, layer.weight);
            add_floats(hash, layer.bias);
        }
    }
    if (committee.loss_head) add_text(hash, model_hash(*committee.loss_head));
    return hash.hex_digest();
}

}  // namespace sluice::model
