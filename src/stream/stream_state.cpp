#include "stream/stream_state.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/path_status.hpp"
#include "h5/input_file.hpp"
#include "h5/output_file.hpp"

#include <span>

namespace sluice::stream {
namespace {

void write_matrix(h5::OutputFile& file, const std::string& name, const std::vector<double>& values,
                  std::int64_t dim) {
    if (dim > 0) file.write_dataset(name, std::span<const double>(values), {dim, dim});
}

}  // namespace

void save_state(const std::string& path, const std::string& options, const StreamState& state) {
    h5::OutputFile file = h5::OutputFile::in_memory("state.h5");
    file.set_attribute("/", "format", std::string("sluice-stream"));
    file.set_attribute("/", "format_version", std::int64_t{1});
    file.set_attribute("/", "options", options);
    file.set_attribute("/", "seen", state.seen);
    file.set_attribute("/", "asked", state.asked);
    file.set_attribute("/", "spending", state.spending);
    file.set_attribute("/", "threshold", state.threshold);
    file.set_attribute("/", "dim", state.dim);
    write_matrix(file, "inverse", state.inverse, state.dim);
    write_matrix(file, "squares", state.squares, state.dim);
    write_asked(file, state.asked_items);
    write_skipped(file, state.skipped);
    const std::vector<std::byte> bytes = file.take_image();
    publish_text_file(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::optional<StreamState> load_state(const std::string& path, const std::string& options) {
    if (!path_status(path, Links::follow)) return std::nullopt;
    const h5::InputFile file(path);
    const auto integer = [&](const char* name) {
        const auto value = file.attribute_integer("/", name);
        require(value.has_value() && *value >= 0, ExitCode::bad_data,
                path + ": is no state of sluice stream (" + name + "); give another --state");
        return *value;
    };
    StreamState state;
    state.seen = integer("seen");
    state.asked = integer("asked");
    state.dim = integer("dim");
    state.spending = file.attribute_number("/", "spending").value_or(0.0);
    state.threshold = file.attribute_number("/", "threshold").value_or(0.0);
    const std::string before = file.attribute_text("/", "options").value_or("");
    require(before == options, ExitCode::bad_config,
            path + ": was made with other options (" + before + ", now " + options +
                "); give the same ones, or another --state");
    state.asked_items = read_asked(file);
    state.skipped = read_skipped(file);
    if (state.dim == 0) return state;
    state.inverse = file.doubles("inverse");
    state.squares = file.doubles("squares");
    return state;
}

}  // namespace sluice::stream
