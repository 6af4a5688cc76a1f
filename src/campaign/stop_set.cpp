#include "campaign/stop_set.hpp"

#include "campaign/agreement.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/philox.hpp"
#include "h5/input_file.hpp"
#include "h5/output_file.hpp"
#include "pool/row_reader.hpp"
#include "queue/layout.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <span>

namespace sluice::campaign {
namespace {

// A whole number below `bound`, from 64 random bits: its bias is below 2^-16 for bounds to 2^48.
RowId number_below(std::uint64_t seed, std::uint64_t step, RowId bound) {
    const Philox4 words = random_words(seed, RandomPurpose::stop_set, 0, step, 0);
    const std::uint64_t bits = (std::uint64_t{words.word[0]} << 32) | words.word[1];
    return static_cast<RowId>(bits % static_cast<std::uint64_t>(bound));
}

template <typename T>
void write_rows(h5::OutputFile& file, const std::string& name, const std::vector<T>& values,
                std::vector<std::int64_t> dims) {
    if (!values.empty()) file.write_dataset(name, std::span<const T>(values), dims);
}

double mean_of(const std::vector<float>& values) {
    double sum = 0.0;
    for (const float value : values)
        sum += value;
    return sum / static_cast<double>(values.size());
}

}  // namespace

std::vector<RowId> draw_rows(std::uint64_t seed, std::int64_t count, RowId num_rows) {
    if (count >= num_rows) {
        std::vector<RowId> all(static_cast<std::size_t>(num_rows));
        std::iota(all.begin(), all.end(), RowId{0});
        return all;
    }
    std::set<RowId> drawn;
    for (RowId last = num_rows - count; last < num_rows; ++last) {
        const RowId row = number_below(seed, static_cast<std::uint64_t>(last), last + 1);
        drawn.insert(drawn.contains(row) ? last : row);
    }
    return {drawn.begin(), drawn.end()};
}

RowsWithFeatures draw_stop_set(const pool::Pool& pool, std::uint64_t seed, std::int64_t count) {
    RowsWithFeatures set;
    if (count == 0) return set;
    const pool::Dataset& features = pool.get("features", "the stop set");
    const std::vector<RowId> drawn = draw_rows(seed, count, pool.num_rows);
    set.dim = features.row_elements();
    const auto width = static_cast<std::ptrdiff_t>(set.dim);
    std::vector<float> values(drawn.size() * static_cast<std::size_t>(width));
    pool::RowReader::Scratch scratch;
    pool::RowReader(features).gather(drawn, values, scratch);
    auto row_values = values.begin();
    for (const RowId row : drawn) {
        const auto end = row_values + width;
        if (std::all_of(row_values, end, [](float value) { return std::isfinite(value); })) {
            set.rows.push_back(row);
            set.features.insert(set.features.end(), row_values, end);
        }
        row_values = end;
    }
    return set;
}

void publish_stop_set(const std::string& path, const std::vector<RowId>& rows,
                      const model::ModelOutputs& outputs) {
    h5::OutputFile file = h5::OutputFile::in_memory("stop_set.h5");
    file.set_attribute("/", "format", std::string("sluice-stop-set"));
    file.set_attribute("/", "format_version", std::int64_t{1});
    write_rows(file, "row", rows, {std::ssize(rows)});
    write_rows(file, "mean", outputs.mean, {std::ssize(rows), outputs.width});
    write_rows(file, "uncertainty", outputs.uncertainty, {std::ssize(rows)});
    const std::vector<std::byte> bytes = file.take_image();
    publish_text_file(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::optional<model::ModelOutputs> read_stop_set(const std::string& path,
                                                 const std::vector<RowId>& rows, model::Task task) {
    if (!queue::exists(path)) return std::nullopt;
    const h5::InputFile file(path);
    require(file.integers("row") == rows, ExitCode::bad_data,
            path + ": is about other rows than this campaign's stop set; restore it");
    model::ModelOutputs outputs;
    outputs.task = task;
    outputs.width = file.dims("mean").back();
    outputs.mean = file.floats("mean");
    if (file.has("uncertainty")) outputs.uncertainty = file.floats("uncertainty");
    return outputs;
}

void describe_stop_set(const model::ModelOutputs& outputs,
                       const std::optional<model::ModelOutputs>& before, RoundRecord& record) {
    if (!outputs.uncertainty.empty()) record.uncertainty = mean_of(outputs.uncertainty);
    if (!before || before->rows() != outputs.rows()) return;
    if (outputs.task == model::Task::regression) {
        if (before->width != outputs.width) return;
        record.change = regression_change(before->mean, outputs.mean, outputs.width);
        return;
    }
    const std::vector<std::int32_t> old_classes = before->classes();
    const std::vector<std::int32_t> new_classes = outputs.classes();
    record.kappa = cohen_kappa(old_classes, new_classes);
    record.delta_f = delta_f(old_classes, new_classes, std::max(before->width, outputs.width));
    record.change = classification_change(old_classes, new_classes);
}

}  // namespace sluice::campaign
