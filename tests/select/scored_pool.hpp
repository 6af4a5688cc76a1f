#pragma once

#include "comm/communicator.hpp"
#include "h5/output_file.hpp"
#include "model/committee.hpp"
#include "pool/pool.hpp"
#include "select/two_stage.hpp"

#include <cmath>
#include <cstdint>
#include <memory>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace sluice::select::test {

/// What a pool holds that has everything a score may read: rows 100 to 129 are copies of rows 0 to
/// 29, rows 200 to 209 have equal scores.
struct ScoredRows {
    static constexpr std::int64_t rows = 233;
    static constexpr std::int64_t dim = 5;
    static constexpr std::int64_t members = 3;
    static constexpr std::int64_t classes = 4;

    std::vector<float> features;     // [rows, dim]
    std::vector<float> logits;       // [rows, classes]
    std::vector<float> committee;    // [rows, members, classes] logits
    std::vector<float> predictions;  // [rows, members]
    std::vector<float> cost;         // [rows] > 0
    std::vector<float> loss;         // [rows] >= 0
    std::vector<float> length;       // [rows] whole numbers >= 1
};

inline void repeat_rows(std::vector<float>& values, std::int64_t width) {
    const auto copy = [&](std::int64_t from, std::int64_t to) {
        for (std::int64_t k = 0; k < width; ++k)
            values[static_cast<std::size_t>(to * width + k)] =
                values[static_cast<std::size_t>(from * width + k)];
    };
    for (std::int64_t row = 0; row < 30; ++row)
        copy(row, 100 + row);
    for (std::int64_t row = 201; row < 210; ++row)
        copy(200, row);
}

inline ScoredRows make_scored_rows() {
    std::mt19937 generator(7);
    std::normal_distribution<float> normal;
    std::uniform_real_distribution<float> uniform(0.5F, 5.0F);
    const auto fill = [&](std::int64_t width, auto& distribution) {
        std::vector<float> values;
        for (std::int64_t i = 0; i < ScoredRows::rows * width; ++i)
            values.push_back(distribution(generator));
        repeat_rows(values, width);
        return values;
    };
    ScoredRows made;
    made.features = fill(ScoredRows::dim, normal);
    made.logits = fill(ScoredRows::classes, normal);
    made.committee = fill(ScoredRows::members * ScoredRows::classes, normal);
    made.predictions = fill(ScoredRows::members, normal);
    made.cost = fill(1, uniform);
    made.loss = fill(1, uniform);
    made.length = fill(1, uniform);
    for (float& value : made.length)
        value = std::ceil(value);
    return made;
}

/// Softmax of each run of `classes` values.
inline std::vector<float> softmax_of(const std::vector<float>& logits, std::int64_t classes) {
    std::vector<float> result;
    for (std::size_t i = 0; i < logits.size(); i += static_cast<std::size_t>(classes)) {
        double sum = 0.0;
        for (std::int64_t c = 0; c < classes; ++c)
            sum += std::exp(static_cast<double>(logits[i + static_cast<std::size_t>(c)]));
        for (std::int64_t c = 0; c < classes; ++c)
            result.push_back(static_cast<float>(
                std::exp(static_cast<double>(logits[i + static_cast<std::size_t>(c)])) / sum));
    }
    return result;
}

enum class Kind { probability, logit };

inline void write_scored_pool(const std::string& path, const ScoredRows& made, Kind kind) {
    h5::OutputFile file(path);
    file.set_attribute("/", "format", std::string("sluice-pool"));
    file.set_attribute("/", "format_version", std::int64_t{1});
    const auto write = [&](const std::string& name, const std::vector<float>& values,
                           std::vector<std::int64_t> shape) {
        shape.insert(shape.begin(), ScoredRows::rows);
        file.write_dataset(name, std::span(values), shape);
    };
    constexpr std::int64_t classes = ScoredRows::classes;
    const bool is_logit = kind == Kind::logit;
    write("features", made.features, {ScoredRows::dim});
    write("probabilities", is_logit ? made.logits : softmax_of(made.logits, classes), {classes});
    write("committee", is_logit ? made.committee : softmax_of(made.committee, classes),
          {ScoredRows::members, classes});
    write("predictions", made.predictions, {ScoredRows::members});
    write("cost", made.cost, {});
    write("columns/loss", made.loss, {});
    write("columns/length", made.length, {});
    for (const char* name : {"probabilities", "committee"})
        file.set_attribute(name, "kind", std::string(is_logit ? "logit" : "probability"));
    file.close();
}

/// A committee of two linear regressions of two components, with variances.
inline std::shared_ptr<const model::Committee> made_committee() {
    model::Committee committee;
    committee.task = model::Task::regression;
    committee.dim = ScoredRows::dim;
    committee.outputs = 2;
    committee.predicts_variance = true;
    std::mt19937 generator(8);
    std::normal_distribution<float> normal;
    for (int member = 0; member < 2; ++member) {
        model::Layer layer{ScoredRows::dim, 4, kernels::Activation::identity, {}, {0, 0, 0, 0}};
        for (std::int64_t i = 0; i < 4 * ScoredRows::dim; ++i)
            layer.weight.push_back(normal(generator));
        committee.networks.push_back({{layer}});
    }
    model::Committee head;
    head.task = model::Task::regression;
    head.dim = ScoredRows::dim;
    head.outputs = 1;
    for (model::Network network : committee.networks) {
        network.layers.front().outputs = 1;
        network.layers.front().weight.resize(ScoredRows::dim);
        network.layers.front().bias = {-0.5F};
        head.networks.push_back(network);
    }
    committee.loss_head = std::make_shared<const model::Committee>(head);
    return std::make_shared<const model::Committee>(committee);
}

/// Rows 0 to 39 labeled, 50 and 60 kept for tests.
inline TakenRows taken_rows() {
    TakenRows taken;
    taken.centers.resize(40);
    std::iota(taken.centers.begin(), taken.centers.end(), RowId{0});
    taken.held_out = {50, 60};
    return taken;
}

/// The selection of one process or of all ranks.
inline std::vector<Selected> selected(const pool::Pool& pool, const PlanRequest& request,
                                      comm::Communicator& world) {
    const TakenRows taken = taken_rows();
    const Plan plan = make_plan(pool, request, taken, world);
    return select_two_stage(pool, plan, taken, world).rows;
}

}  // namespace sluice::select::test
