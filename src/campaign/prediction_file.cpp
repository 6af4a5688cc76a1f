#include "campaign/prediction_file.hpp"

#include "core/error.hpp"
#include "h5/output_file.hpp"

#include <fcntl.h>

#include <bit>
#include <cerrno>
#include <functional>
#include <numeric>

namespace sluice::campaign {
namespace {

static_assert(std::endian::native == std::endian::little, "pools are written little-endian");

void create_empty(const std::string& path, RowId num_rows, const PredictionSource& source,
                  std::vector<PredictionDataset>& datasets) {
    h5::OutputFile file(path);
    file.set_attribute("/", "format", std::string("sluice-pool"));
    file.set_attribute("/", "format_version", std::int64_t{1});
    file.set_attribute("/", "made_by", std::string("sluice predict"));
    file.set_attribute("/", "model", source.model_hash);
    file.set_attribute("/", "pool_fingerprint", source.pool_fingerprint);
    std::vector<h5::OutputDataset> created;
    for (PredictionDataset& dataset : datasets) {
        std::vector<std::int64_t> dims = {num_rows};
        dims.insert(dims.end(), dataset.row_shape.begin(), dataset.row_shape.end());
        created.push_back(file.create_dataset(dataset.name, h5::StoredType::float32, dims));
        if (num_rows > 0) dataset.offset = created.back().contiguous_offset();
        if (!dataset.kind.empty()) file.set_attribute(dataset.name, "kind", dataset.kind);
        if (!source.target_names.empty())
            file.set_attribute(dataset.name, "names", source.target_names);
        if (!source.target_units.empty() && dataset.first_output == 0)
            file.set_attribute(dataset.name, "units", source.target_units);
    }
    for (h5::OutputDataset& dataset : created)
        dataset.close();
    file.close();
    sync_path(path);
}

}  // namespace

std::int64_t PredictionDataset::row_elements() const {
    return std::accumulate(row_shape.begin(), row_shape.end(), std::int64_t{1}, std::multiplies());
}

std::vector<PredictionDataset> prediction_datasets(const kernels::CommitteeNetwork& network) {
    const std::int64_t members = network.members();
    const std::int64_t outputs = network.outputs();
    switch (network.output()) {
        case kernels::ScoreInput::logits:
            return {{"probabilities", "logit", {outputs}, 0, outputs}};
        case kernels::ScoreInput::committee_logits:
            return {{"committee", "logit", {members, outputs}, 0, outputs}};
        case kernels::ScoreInput::predictions:
            return {{"predictions", "", {members, outputs}, 0, outputs}};
        case kernels::ScoreInput::gaussian_predictions:
            return {{"predictions", "", {members, outputs / 2}, 0, outputs / 2},
                    {"variances", "", {members, outputs / 2}, outputs / 2, outputs / 2}};
        default:
            throw Error(ExitCode::internal, "a committee says what no pool can hold");
    }
}

void create_prediction_file(const std::string& path, RowId num_rows, const PredictionSource& source,
                            std::vector<PredictionDataset>& datasets, comm::Communicator& world) {
    world.agree([&] {
        if (world.is_root()) create_empty(path, num_rows, source, datasets);
    });
    for (PredictionDataset& dataset : datasets)
        dataset.offset = world.max(dataset.offset);
}

PredictionWriter::PredictionWriter(const std::string& path,
                                   const std::vector<PredictionDataset>& datasets)
    : path_(path), datasets_(datasets), file_(::open(path.c_str(), O_WRONLY | O_CLOEXEC), path) {
    if (!file_.valid()) throw system_error(path, "cannot open for writing", errno);
    for (const PredictionDataset& dataset : datasets)
        member_outputs_ += dataset.num_outputs;
}

void PredictionWriter::write(RowRange rows, std::span<const float> outputs,
                             std::vector<float>& scratch) const {
    for (const PredictionDataset& dataset : datasets_) {
        std::span<const float> values = outputs;
        if (dataset.num_outputs < member_outputs_) {
            scratch.clear();
            for (std::size_t at = 0; at < outputs.size();
                 at += static_cast<std::size_t>(member_outputs_)) {
                const auto mine = outputs.begin() + static_cast<std::ptrdiff_t>(at) +
                                  static_cast<std::ptrdiff_t>(dataset.first_output);
                scratch.insert(scratch.end(), mine,
                               mine + static_cast<std::ptrdiff_t>(dataset.num_outputs));
            }
            values = scratch;
        }
        const std::int64_t row_bytes = dataset.row_elements() * std::int64_t{sizeof(float)};
        write_exactly(file_, std::as_bytes(values),
                      static_cast<std::size_t>(dataset.offset + rows.begin * row_bytes), path_);
    }
}

void PredictionWriter::close() {
    sync_file(file_, path_);
    file_.close();
}

}  // namespace sluice::campaign
