#include "model/model_outputs.hpp"

#include "core/error.hpp"
#include "kernels/canonical_math.hpp"
#include "kernels/committee_network.hpp"
#include "kernels/score_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace sluice::model {
namespace {

constexpr std::int64_t block_rows = 1024;

// Adds softmax(logits) / M to `mean`.
void add_probabilities(std::span<const float> logits, float share, std::span<float> mean) {
    const float largest = *std::max_element(logits.begin(), logits.end());
    std::vector<float> terms(logits.size());
    float total = 0.0F;
    for (std::size_t c = 0; c < logits.size(); ++c) {
        terms[c] = kernels::canonical_exp(logits[c] - largest);
        total += terms[c];
    }
    for (std::size_t c = 0; c < logits.size(); ++c)
        mean[c] += terms[c] / total * share;
}

std::vector<float> scores_of(const std::string& name, const kernels::ScoreBlock& block) {
    const auto scorer =
        kernels::make_scorer(kernels::Backend::cpu, kernels::find_score(name), 0, 0);
    std::vector<float> scores(static_cast<std::size_t>(block.rows.size()));
    scorer->score(block, scores);
    return scores;
}

// Puts together what the members say of a block of rows.
class Summary {
  public:
    Summary(ModelOutputs& outputs, std::int64_t members, std::int64_t member_width)
        : outputs_(outputs), members_(members), member_width_(member_width) {}

    /// `said` [rows, members, member_width]; of a member with variances the first half counts.
    void add(std::span<const float> said, std::int64_t rows) {
        const auto width = static_cast<std::size_t>(outputs_.width);
        const float share = 1.0F / static_cast<float>(members_);
        predictions_.clear();
        for (std::int64_t row = 0; row < rows; ++row) {
            std::vector<float> mean(width, 0.0F);
            for (std::int64_t m = 0; m < members_; ++m) {
                const auto member = said.subspan(
                    static_cast<std::size_t>((row * members_ + m) * member_width_), width);
                predictions_.insert(predictions_.end(), member.begin(), member.end());
                if (outputs_.task == Task::classification) {
                    add_probabilities(member, share, mean);
                } else {
                    for (std::size_t t = 0; t < width; ++t)
                        mean[t] += member[t] * share;
                }
            }
            outputs_.mean.insert(outputs_.mean.end(), mean.begin(), mean.end());
        }
        add_uncertainty(rows);
    }

  private:
    void add_uncertainty(std::int64_t rows) {
        kernels::ScoreBlock block;
        block.rows = {0, rows};
        block.classes = outputs_.width;
        std::vector<float> scores;
        if (outputs_.task == Task::classification) {
            block.values = outputs_.mean.data() + std::ssize(outputs_.mean) - rows * outputs_.width;
            block.input = kernels::ScoreInput::probabilities;
            scores = scores_of("entropy", block);
            const float most = kernels::canonical_log(static_cast<float>(outputs_.width));
            for (float& score : scores)
                score /= most;
        } else if (members_ > 1) {
            block.values = predictions_.data();
            block.members = members_;
            block.input = kernels::ScoreInput::predictions;
            scores = scores_of("committee_std", block);
        }
        outputs_.uncertainty.insert(outputs_.uncertainty.end(), scores.begin(), scores.end());
    }

    ModelOutputs& outputs_;
    std::int64_t members_;
    std::int64_t member_width_;
    std::vector<float> predictions_;  // [rows, members, width] of one block
};

}  // namespace

std::vector<std::int32_t> ModelOutputs::classes() const {
    std::vector<std::int32_t> result;
    for (auto row = mean.begin(); row != mean.end(); row += width)
        result.push_back(static_cast<std::int32_t>(std::max_element(row, row + width) - row));
    return result;
}

ModelOutputs outputs_of(const kernels::CommitteeNetwork& network, Task task, std::int64_t width,
                        std::span<const float> features) {
    ModelOutputs outputs;
    outputs.task = task;
    outputs.width = width;
    Summary summary(outputs, network.members(), network.outputs());
    const std::int64_t rows = std::ssize(features) / std::max<std::int64_t>(network.dim(), 1);
    const std::int64_t row_size = network.members() * network.outputs();
    std::vector<float> said(static_cast<std::size_t>(std::min(block_rows, rows) * row_size));
    for (std::int64_t begin = 0; begin < rows; begin += block_rows) {
        const std::int64_t count = std::min(block_rows, rows - begin);
        network.run(features.data() + begin * network.dim(), count, said.data());
        summary.add(said, count);
    }
    return outputs;
}

ModelOutputs run_model(const Committee& committee, std::span<const float> features,
                       std::int64_t dim, const std::string& where) {
    require(committee.dim == dim, ExitCode::bad_data,
            fmt::format("{}: was made for {} features, but rows have {}; give the model that "
                        "belongs to this pool",
                        where, committee.dim, dim));
    return outputs_of(*run_network(committee, kernels::Backend::cpu, where), committee.task,
                      committee.outputs, features);
}

}  // namespace sluice::model
