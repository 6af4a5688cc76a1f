#include "select/member_probabilities.hpp"

#include "core/error.hpp"
#include "kernels/canonical_math.hpp"
#include "pool/row_reader.hpp"
#include "select/score_input.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace sluice::select {
namespace {

void softmax_of_one(std::span<float> values) {
    const float largest = *std::max_element(values.begin(), values.end());
    float sum = 0.0F;
    for (float& value : values) {
        value = kernels::canonical_exp(value - largest);
        sum += value;
    }
    for (float& value : values)
        value /= sum;
}

}  // namespace

bool is_logit(kernels::ScoreInput input) {
    return input == kernels::ScoreInput::logits || input == kernels::ScoreInput::committee_logits;
}

void softmax(std::span<float> values, std::int64_t classes) {
    const auto width = static_cast<std::size_t>(classes);
    for (std::size_t begin = 0; begin < values.size(); begin += width)
        softmax_of_one(values.subspan(begin, width));
}

bool speaks_of_classes(kernels::ScoreInput input) {
    return input == kernels::ScoreInput::probabilities || input == kernels::ScoreInput::logits ||
           input == kernels::ScoreInput::committee_probabilities ||
           input == kernels::ScoreInput::committee_logits;
}

std::vector<float> model_probabilities(const kernels::CommitteeNetwork& network,
                                       std::span<const float> features) {
    const std::int64_t rows = std::ssize(features) / network.dim();
    std::vector<float> values(
        static_cast<std::size_t>(rows * network.members() * network.outputs()));
    network.run(features.data(), rows, values.data());
    if (is_logit(network.output())) softmax(values, network.outputs());
    return values;
}

MemberSource find_members(const pool::Pool& pool, const Plan& plan, const std::string& needed_by) {
    MemberSource source;
    if (plan.network) {
        require(speaks_of_classes(plan.network->output()), ExitCode::bad_data,
                needed_by +
                    " needs class probabilities, but the model predicts numbers; give a "
                    "classification model or choose another rule");
        source.dataset = &pool.get("features", needed_by);
        source.is_model = true;
        source.is_logit = is_logit(plan.network->output());
        source.members = plan.network->members();
        source.classes = plan.network->outputs();
        return source;
    }
    source.dataset = pool.find("committee");
    if (source.dataset == nullptr) source.dataset = &pool.get("probabilities", needed_by);
    const kernels::ScoreInput input = input_of(*source.dataset);
    const bool is_committee = source.dataset->row_shape.size() > 1;
    source.is_logit = is_logit(input);
    source.members = is_committee ? source.dataset->row_shape.front() : 1;
    source.classes = source.dataset->row_elements() / std::max<std::int64_t>(1, source.members);
    return source;
}

std::vector<float> member_probabilities(const MemberSource& source, const Plan& plan,
                                        std::vector<float> values) {
    if (source.is_model) return model_probabilities(*plan.network, values);
    if (source.is_logit) softmax(values, source.classes);
    return values;
}

std::vector<float> read_members(const MemberSource& source, const Plan& plan,
                                std::span<const RowId> rows) {
    const pool::RowReader reader(*source.dataset);
    pool::RowReader::Scratch scratch;
    std::vector<float> values(rows.size() *
                              static_cast<std::size_t>(source.dataset->row_elements()));
    reader.gather(rows, values, scratch);
    values = member_probabilities(source, plan, std::move(values));
    const auto floats = static_cast<std::size_t>(source.members * source.classes);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::span<const float> row = std::span(values).subspan(i * floats, floats);
        require(std::all_of(row.begin(), row.end(), [](float x) { return std::isfinite(x); }),
                ExitCode::bad_data,
                pool::location_text(*source.dataset, rows[i]) +
                    ": no class probabilities (a value is not finite); repair the row");
    }
    return values;
}

}  // namespace sluice::select
