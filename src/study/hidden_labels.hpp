#pragma once

#include "core/types.hpp"
#include "model/training_set.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace sluice::study {

/// How a simulated oracle falls short of a perfect one.
struct OracleRules {
    double noise = 0.0;    ///< classes: share of answers that name another class, any other alike;
                           ///< numbers: standard deviation of normal noise, in the label's unit
    double refusal = 0.0;  ///< share of questions that get no answer, in [0, 1)
};

/// A row that has been refused so often is not asked again.
inline constexpr int max_refusals = 3;

/// What the oracle says of one item.
struct Answer {
    enum class Status { labeled, refused };

    Status status = Status::refused;
    std::int32_t class_index = -1;  ///< classification
    std::vector<float> targets;     ///< [T], regression
};

/// True labels of a test part, in the order of its items.
struct TestLabels {
    std::vector<std::int32_t> classes;
    std::vector<float> targets;  ///< [items, T]
};

/// The only holder of a data set's hidden labels: the simulated oracle. Others get a label by
/// asking for the item, noise and refusals included, or, as evaluators, those of a test part, whose
/// items cannot be asked. Noise and refusals are functions of (seed, row, times asked) alone.
class HiddenLabels {
  public:
    /// Takes the labels of `truth`; item i is its i-th row.
    explicit HiddenLabels(const model::TrainingSet& truth);

    /// The same labels with nothing asked or opened yet, for one run. Shares the labels' memory.
    HiddenLabels untouched(const OracleRules& rules, std::uint64_t seed) const;

    /// Throws Error(internal) for an item of the test part, one that has been answered, or one that
    /// was refused max_refusals times.
    Answer ask(std::int64_t item);

    /// How often an item has been refused.
    int refusals(std::int64_t item) const { return refusals_[static_cast<std::size_t>(item)]; }

    /// Questions put so far.
    std::int64_t num_asked() const { return num_asked_; }

    /// Labels for the evaluator. Throws Error(internal) if one of the items has been asked.
    TestLabels open_test_part(std::span<const std::int64_t> items);

    /// How many of these classes are not the true ones; for the evaluator. Classification only.
    std::int64_t count_wrong(std::span<const std::int64_t> items,
                             std::span<const std::int32_t> classes) const;

    /// The first `count` items of `order` as somebody would choose them who knows the classes: the
    /// classes take turns, each with its first item left. The one choice that looks at labels
    /// which are not asked for. Throws Error(usage) for labels that are numbers.
    std::vector<std::int64_t> class_by_class(std::span<const std::int64_t> order,
                                             std::int64_t count) const;

  private:
    struct Truth;
    enum class State : std::uint8_t { hidden, answered, in_test_part };

    explicit HiddenLabels(std::shared_ptr<const Truth> truth);
    std::int32_t answered_class(std::int64_t item) const;
    std::vector<float> answered_targets(std::int64_t item) const;

    std::shared_ptr<const Truth> truth_;
    OracleRules rules_;
    std::uint64_t seed_ = 0;
    std::vector<State> states_;           // [N]
    std::vector<std::uint8_t> refusals_;  // [N]
    std::int64_t num_asked_ = 0;
};

}  // namespace sluice::study
