#include "campaign/pseudo_labels.hpp"

#include "campaign/pool_predictions.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "h5/input_file.hpp"
#include "h5/output_file.hpp"
#include "model/model_file.hpp"
#include "pool/row_reader.hpp"
#include "queue/layout.hpp"
#include "select/two_stage.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <memory>
#include <span>

namespace sluice::campaign {
namespace {

// Entropies are a score like others, only that the lowest come first: ranks and bounds are those of
// their negatives.
select::PlanRequest plan_request(const PseudoRequest& request) {
    select::PlanRequest plan;
    plan.score = "entropy";
    plan.order = select::Order::lowest;
    plan.diversity = "none";
    plan.batch_size = request.most;
    plan.bad_rows = request.bad_rows;
    const auto bound = static_cast<float>(-request.delta);
    plan.trust.low = std::nextafter(bound, std::numeric_limits<float>::infinity());
    plan.num_threads = request.machine.num_threads;
    plan.device = request.machine.device;
    plan.memory_gib = request.machine.memory_gib;
    return plan;
}

std::vector<select::Selected> confident_rows(const PseudoRequest& request,
                                             comm::Communicator& world) {
    select::PlanRequest wanted = plan_request(request);
    pool::Pool pool = request.pool;
    if (request.model.predictions() != nullptr) {
        replace_predictions(pool, *request.model.predictions());
    } else {
        wanted.model_path = request.model.path();
        world.agree([&] {
            wanted.committee =
                std::make_shared<const model::Committee>(model::read_model(wanted.model_path));
        });
    }
    const select::Plan plan = select::make_plan(pool, wanted, request.taken, world);
    std::vector<select::Selected> rows =
        select::select_two_stage(pool, plan, request.taken, world).rows;
    std::ranges::sort(rows, {}, &select::Selected::row);
    return rows;
}

// Rows that a trainer has predicted may still lack a feature; nothing can be trained on them.
std::vector<float> keep_finite(const pool::Dataset& features, PseudoLabels& labels) {
    const auto dim = static_cast<std::size_t>(features.row_elements());
    std::vector<float> values(labels.rows.size() * dim);
    pool::RowReader::Scratch scratch;
    pool::RowReader(features).gather(labels.rows, values, scratch);
    std::vector<float> kept;
    std::size_t end = 0;
    for (std::size_t i = 0; i < labels.rows.size(); ++i) {
        const auto row = std::span(values).subspan(i * dim, dim);
        if (!std::ranges::all_of(row, [](float value) { return std::isfinite(value); })) continue;
        labels.rows[end] = labels.rows[i];
        labels.entropies[end++] = labels.entropies[i];
        kept.insert(kept.end(), row.begin(), row.end());
    }
    labels.rows.resize(end);
    labels.entropies.resize(end);
    return kept;
}

template <typename T>
void write(h5::OutputFile& file, const std::string& name, const std::vector<T>& values) {
    file.write_dataset(name, std::span<const T>(values), {std::ssize(values)});
}

}  // namespace

PseudoLabels find_pseudo_labels(const PseudoRequest& request, comm::Communicator& world) {
    const std::vector<select::Selected> rows = confident_rows(request, world);
    PseudoLabels labels;
    world.agree([&] {
        if (!world.is_root()) return;
        for (const select::Selected& row : rows) {
            labels.rows.push_back(row.row);
            labels.entropies.push_back(0.0F - row.score);
        }
        const pool::Dataset& features = request.pool.get("features", "training");
        const std::vector<float> values = keep_finite(features, labels);
        labels.classes =
            request.model.outputs(labels.rows, values, features.row_elements()).classes();
    });
    return labels;
}

void publish_pseudo_labels(const std::string& path, std::int64_t round,
                           const PseudoLabels& labels) {
    h5::OutputFile file = h5::OutputFile::in_memory("pseudo.h5");
    file.set_attribute("/", "format", std::string("sluice-labels"));
    file.set_attribute("/", "format_version", std::int64_t{1});
    const std::size_t count = labels.rows.size();
    if (count > 0) {
        write(file, "row", labels.rows);
        write(file, "y", labels.classes);
        write(file, "entropy", labels.entropies);
        write(file, "round", std::vector<std::int64_t>(count, round));
        file.write_text_dataset("source", std::vector<std::string>(count, "pseudo"),
                                h5::TextStorage::fixed);
    }
    const std::vector<std::byte> bytes = file.take_image();
    make_directories(std::filesystem::path(path).parent_path().string());
    publish_text_file(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::optional<std::int64_t> count_pseudo_labels(const std::string& path) {
    if (!queue::exists(path)) return std::nullopt;
    const h5::InputFile file(path);
    return file.has("row") ? file.dims("row").front() : 0;
}

}  // namespace sluice::campaign
