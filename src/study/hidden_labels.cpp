#include "study/hidden_labels.hpp"

#include "core/error.hpp"
#include "core/philox.hpp"
#include "pool/made_math.hpp"

#include <cmath>
#include <deque>
#include <string>

namespace sluice::study {

struct HiddenLabels::Truth {
    model::Task task = model::Task::classification;
    std::int64_t outputs = 0;
    std::vector<RowId> rows;
    std::vector<std::int32_t> classes;
    std::vector<float> targets;
};

namespace {

// A standard normal number of two random words. \source Box and Muller 1958
float normal_of(std::uint32_t radius, std::uint32_t angle) {
    return std::sqrt(-2.0F * pool::made_log(unit_float(radius))) *
           pool::made_sine_cosine(unit_float(angle)).cosine;
}

}  // namespace

HiddenLabels::HiddenLabels(std::shared_ptr<const Truth> truth)
    : truth_(std::move(truth)),
      states_(truth_->rows.size(), State::hidden),
      refusals_(truth_->rows.size(), 0) {}

HiddenLabels::HiddenLabels(const model::TrainingSet& truth)
    : HiddenLabels(std::make_shared<const Truth>(
          Truth{truth.task, truth.outputs, truth.rows, truth.classes, truth.targets})) {}

HiddenLabels HiddenLabels::untouched(const OracleRules& rules, std::uint64_t seed) const {
    HiddenLabels result(truth_);
    result.rules_ = rules;
    result.seed_ = seed;
    return result;
}

Answer HiddenLabels::ask(std::int64_t item) {
    const auto i = static_cast<std::size_t>(item);
    require(states_[i] == State::hidden && refusals_[i] < max_refusals, ExitCode::internal,
            "hidden label of row " + std::to_string(truth_->rows[i]) + " must not be asked for");
    ++num_asked_;
    const auto row = static_cast<std::uint64_t>(truth_->rows[i]);
    const Philox4 words = random_words(seed_, RandomPurpose::study_refusal, refusals_[i], row, 0);
    if (unit_float(words.word[0]) < rules_.refusal) {
        ++refusals_[i];
        return {};
    }
    states_[i] = State::answered;
    Answer answer{Answer::Status::labeled, -1, {}};
    if (truth_->task == model::Task::classification) {
        answer.class_index = answered_class(item);
    } else {
        answer.targets = answered_targets(item);
    }
    return answer;
}

std::int32_t HiddenLabels::answered_class(std::int64_t item) const {
    const auto i = static_cast<std::size_t>(item);
    const std::int32_t truth = truth_->classes[i];
    const Philox4 words = random_words(seed_, RandomPurpose::study_noise, refusals_[i],
                                       static_cast<std::uint64_t>(truth_->rows[i]), 0);
    if (truth_->outputs < 2 || !(unit_float(words.word[0]) < rules_.noise)) return truth;
    const auto others = static_cast<std::uint64_t>(truth_->outputs - 1);
    const auto shift = static_cast<std::int64_t>((words.word[1] * others) >> 32);
    return static_cast<std::int32_t>((truth + 1 + shift) % truth_->outputs);
}

std::vector<float> HiddenLabels::answered_targets(std::int64_t item) const {
    const auto i = static_cast<std::size_t>(item);
    const auto begin = truth_->targets.begin() + item * truth_->outputs;
    std::vector<float> targets(begin, begin + truth_->outputs);
    if (rules_.noise == 0.0) return targets;
    for (std::size_t t = 0; t < targets.size(); ++t) {
        const Philox4 words = random_words(seed_, RandomPurpose::study_noise, refusals_[i],
                                           static_cast<std::uint64_t>(truth_->rows[i]),
                                           static_cast<std::uint32_t>(t));
        targets[t] += static_cast<float>(rules_.noise) * normal_of(words.word[0], words.word[1]);
    }
    return targets;
}

TestLabels HiddenLabels::open_test_part(std::span<const std::int64_t> items) {
    TestLabels result;
    for (const std::int64_t item : items) {
        const auto i = static_cast<std::size_t>(item);
        require(states_[i] != State::answered && refusals_[i] == 0, ExitCode::internal,
                "row " + std::to_string(truth_->rows[i]) + " was asked for and cannot test");
        states_[i] = State::in_test_part;
        if (truth_->task == model::Task::classification) {
            result.classes.push_back(truth_->classes[i]);
        } else {
            const auto begin = truth_->targets.begin() + item * truth_->outputs;
            result.targets.insert(result.targets.end(), begin, begin + truth_->outputs);
        }
    }
    return result;
}

std::int64_t HiddenLabels::count_wrong(std::span<const std::int64_t> items,
                                       std::span<const std::int32_t> classes) const {
    std::int64_t wrong = 0;
    for (std::size_t i = 0; i < items.size(); ++i)
        wrong += classes[i] == truth_->classes[static_cast<std::size_t>(items[i])] ? 0 : 1;
    return wrong;
}

std::vector<std::int64_t> HiddenLabels::class_by_class(std::span<const std::int64_t> order,
                                                       std::int64_t count) const {
    require(truth_->task == model::Task::classification, ExitCode::usage,
            "--start-by class: the labels are numbers, not classes; use --start-by chance");
    std::vector<std::deque<std::int64_t>> waiting(static_cast<std::size_t>(truth_->outputs));
    for (const std::int64_t item : order) {
        const auto which =
            static_cast<std::size_t>(truth_->classes[static_cast<std::size_t>(item)]);
        waiting[which].push_back(item);
    }
    std::vector<std::int64_t> chosen;
    for (bool found = true; found;) {
        found = false;
        for (auto& items : waiting) {
            if (items.empty()) continue;
            if (static_cast<std::int64_t>(chosen.size()) == count) return chosen;
            chosen.push_back(items.front());
            items.pop_front();
            found = true;
        }
    }
    return chosen;
}

}  // namespace sluice::study
