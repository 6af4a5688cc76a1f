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

using kernels::ScoreInput;

constexpr std::int64_t block_rows = 1024;

bool are_numbers(ScoreInput input) {
    return input == ScoreInput::predictions || input == ScoreInput::gaussian_predictions;
}

bool are_probabilities(ScoreInput input) {
    return input == ScoreInput::probabilities || input == ScoreInput::committee_probabilities;
}

// Adds values / M to `mean`.
void add_share(std::span<const float> values, float share, std::span<float> mean) {
    for (std::size_t i = 0; i < values.size(); ++i)
        mean[i] += values[i] * share;
}

// Adds softmax(logits) / M to `mean`.
void add_softmax(std::span<const float> logits, float share, std::span<float> mean) {
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
    Summary(ModelOutputs& outputs, ScoreInput input, std::int64_t members,
            std::int64_t member_width)
        : outputs_(outputs),
          said_shares_(are_numbers(input) || are_probabilities(input)),
          members_(members),
          member_width_(member_width) {}

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
                if (said_shares_) {
                    add_share(member, share, mean);
                } else {
                    add_softmax(member, share, mean);
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
            block.input = ScoreInput::probabilities;
            scores = scores_of("entropy", block);
            const float most = kernels::canonical_log(static_cast<float>(outputs_.width));
            for (float& score : scores)
                score /= most;
        } else if (members_ > 1) {
            block.values = predictions_.data();
            block.members = members_;
            block.input = ScoreInput::predictions;
            scores = scores_of("committee_std", block);
        }
        outputs_.uncertainty.insert(outputs_.uncertainty.end(), scores.begin(), scores.end());
    }

    ModelOutputs& outputs_;
    bool said_shares_;  // what members say is averaged as it is, not as logits
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

ModelOutputs outputs_of(const MemberOutputs& said) {
    ModelOutputs outputs;
    outputs.task = are_numbers(said.input) ? Task::regression : Task::classification;
    outputs.width = said.width;
    const std::int64_t row_size = said.members * said.width;
    Summary summary(outputs, said.input, said.members, said.width);
    summary.add(said.values, row_size == 0 ? 0 : std::ssize(said.values) / row_size);
    return outputs;
}

ModelOutputs outputs_of(const kernels::CommitteeNetwork& network, Task task, std::int64_t width,
                        std::span<const float> features) {
    ModelOutputs outputs;
    outputs.task = task;
    outputs.width = width;
    Summary summary(outputs, network.output(), network.members(), network.outputs());
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
