#include "study/simulated_run.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "model/loss_head.hpp"
#include "select/score_expression.hpp"
#include "study/batch_choice.hpp"
#include "study/sure_rows.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <span>

namespace sluice::study {
namespace {

constexpr std::int64_t loss_folds = 5;

std::vector<float> features_of(const StudyPool& pool, std::span<const std::int64_t> items) {
    std::vector<float> features;
    features.reserve(items.size() * static_cast<std::size_t>(pool.dim));
    for (const std::int64_t item : items)
        features.insert(features.end(), pool.row(item), pool.row(item) + pool.dim);
    return features;
}

// One seed's data: the parts, the oracle, and what it has said so far.
class Learner {
  public:
    Learner(const StudyData& data, const StudyRules& rules, std::uint64_t seed)
        : pool_(data.pool),
          rules_(rules),
          seed_(seed),
          oracle_(data.labels.untouched(rules.oracle, seed)),
          split_(split_items(pool_, rules.split, seed, oracle_)),
          answers_(split_.pool.size()) {
        test_.features = features_of(pool_, split_.test);
        test_.rows = static_cast<std::int64_t>(split_.test.size());
        test_.labels = oracle_.open_test_part(split_.test);
    }

    const StudySplit& split() const { return split_; }
    std::int64_t num_labels() const { return num_labels_; }

    // Local index (place in the pool part) of an item.
    std::int64_t local(std::int64_t item) const {
        return std::lower_bound(split_.pool.begin(), split_.pool.end(), item) - split_.pool.begin();
    }

    bool is_askable(std::int64_t local) const {
        const auto i = static_cast<std::size_t>(local);
        return cost_ + cost_of(split_.pool[i]) <= rules_.budget &&
               answers_[i].status == Answer::Status::refused &&
               oracle_.refusals(split_.pool[i]) < max_refusals;
    }

    // Whether the oracle gave a label.
    bool ask(std::int64_t local) {
        const auto i = static_cast<std::size_t>(local);
        const std::int64_t item = split_.pool[i];
        answers_[i] = oracle_.ask(item);
        if (answers_[i].status == Answer::Status::refused) return false;
        ++num_labels_;
        cost_ += cost_of(item);
        return true;
    }

    // Pseudo-labels for the training of `round`, by the network of the round before.
    void label_by_network(std::int64_t round, std::span<const float> features) {
        sure_.clear();
        const double delta = rules_.pseudo.delta_of(round);
        if (delta <= 0.0 || !network_) return;
        std::vector<std::uint8_t> open(answers_.size());
        for (std::size_t i = 0; i < open.size(); ++i)
            open[i] = answers_[i].status == Answer::Status::refused ? 1 : 0;
        sure_ = sure_rows(network_, features, open, delta, rules_.pseudo.most_of(num_labels_));
    }

    enum class LossHead { none, trained };

    void train(std::int64_t round, LossHead head = LossHead::none) {
        model::TrainOptions options = rules_.training;
        options.seed = seed_;
        options.round = static_cast<std::uint32_t>(round);
        const model::TrainingSet set = training_set();
        model::check_trainable(set, options);
        committee_ = model::train_committee(set, options);
        if (head == LossHead::trained) model::train_loss_head(set, options, loss_folds, committee_);
        network_ = model::run_network(committee_, kernels::Backend::cpu, pool_.name);
    }

    // What predicts the loss of labels, null without a loss head.
    std::shared_ptr<const kernels::CommitteeNetwork> losses() const {
        if (!committee_.loss_head) return nullptr;
        return model::run_network(*committee_.loss_head, kernels::Backend::cpu, pool_.name);
    }

    // What the strategy's distances are of, null for features.
    std::shared_ptr<const select::Embedder> embedder(const Strategy& strategy) const {
        select::EmbeddingRule rule = strategy.embedding;
        if (rule.on == select::DiversifyOn::features) return nullptr;
        rule.seed = seed_;
        return select::embed_by_model(rule, committee_, network_, kernels::Backend::cpu,
                                      pool_.name);
    }

    const std::shared_ptr<const kernels::CommitteeNetwork>& network() const { return network_; }

    RunPoint point(std::int64_t round) const {
        RunPoint result{round, num_labels_, oracle_.num_asked(), cost_, {}};
        result.pseudo = std::ssize(sure_);
        result.wrong = num_wrong();
        std::vector<double> values = measure(*network_, pool_.task, pool_.outputs, test_);
        // Decision values are no probabilities.
        if (rules_.training.head == model::Head::hinge)
            values.back() = std::numeric_limits<double>::quiet_NaN();
        std::copy(values.begin(), values.end(), result.values);
        return result;
    }

  private:
    double cost_of(std::int64_t item) const {
        return pool_.cost.empty() ? 1.0 : pool_.cost[static_cast<std::size_t>(item)];
    }

    std::int64_t num_wrong() const {
        std::vector<std::int64_t> items;
        std::vector<std::int32_t> classes;
        for (const SureRow& row : sure_) {
            items.push_back(split_.pool[static_cast<std::size_t>(row.local)]);
            classes.push_back(row.class_index);
        }
        return oracle_.count_wrong(items, classes);
    }

    // What is known of a row to train on: an answer, or what the network is sure of.
    std::vector<Answer> known() const {
        std::vector<Answer> all = answers_;
        for (const SureRow& row : sure_)
            all[static_cast<std::size_t>(row.local)] = {
                Answer::Status::labeled, row.class_index, {}};
        return all;
    }

    model::TrainingSet training_set() const {
        model::TrainingSet set;
        set.task = pool_.task;
        set.dim = pool_.dim;
        set.outputs = pool_.outputs;
        set.target_names = pool_.target_names;
        set.target_units = pool_.target_units;
        set.source = pool_.name;
        const std::vector<Answer> all = known();
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (all[i].status == Answer::Status::refused) continue;
            const bool is_answer = answers_[i].status == Answer::Status::labeled;
            if (!sure_.empty()) set.pseudo.push_back(is_answer ? 0.0F : rules_.pseudo.weight);
            const std::int64_t item = split_.pool[i];
            set.rows.push_back(pool_.rows[static_cast<std::size_t>(item)]);
            set.features.insert(set.features.end(), pool_.row(item), pool_.row(item) + pool_.dim);
            add_label(all[i], set);
        }
        return set;
    }

    static void add_label(const Answer& answer, model::TrainingSet& set) {
        if (set.task == model::Task::classification) set.classes.push_back(answer.class_index);
        set.targets.insert(set.targets.end(), answer.targets.begin(), answer.targets.end());
    }

    const StudyPool& pool_;
    const StudyRules& rules_;
    std::uint64_t seed_;
    HiddenLabels oracle_;
    StudySplit split_;
    TestPart test_;
    std::vector<Answer> answers_;  // by local index
    std::vector<SureRow> sure_;    // pseudo-labels of this round
    std::int64_t num_labels_ = 0;
    double cost_ = 0.0;
    model::Committee committee_;
    std::shared_ptr<const kernels::CommitteeNetwork> network_;
};

// One strategy's way through a learner's pool.
class Run {
  public:
    Run(const StudyData& data, const Strategy& strategy, const StudyRules& rules,
        std::uint64_t seed)
        : rules_(rules),
          strategy_(strategy),
          reads_losses_(loss_head_of(strategy)),
          learner_(data, rules, seed),
          features_(features_of(data.pool, learner_.split().pool)) {
        for (const std::int64_t item : learner_.split().pool) {
            rows_.push_back(data.pool.rows[static_cast<std::size_t>(item)]);
            if (!data.pool.cost.empty())
                costs_.push_back(data.pool.cost[static_cast<std::size_t>(item)]);
            if (strategy.items.has_items())
                items_.push_back(data.pool.group[static_cast<std::size_t>(item)]);
            is_wanted_.push_back(meets_conditions(data.pool, item) ? 1 : 0);
        }
        choice_.emplace(ChoiceRows{rows_, features_, data.pool.dim, costs_, items_}, strategy,
                        rules, seed);
    }

    std::vector<RunPoint> points(const std::function<void()>& after_round) {
        std::vector<RunPoint> result;
        ask_start();
        for (std::int64_t round = 0;; ++round) {
            if (strategy_.training == Strategy::Training::pseudo)
                learner_.label_by_network(round, features_);
            learner_.train(round, reads_losses_);
            result.push_back(learner_.point(round));
            if (after_round) after_round();
            if (round == rules_.rounds || ask_batch(round + 1) == 0) return result;
        }
    }

  private:
    void ask_start() {
        for (const std::int64_t item : learner_.split().start_order) {
            if (learner_.num_labels() == rules_.split.start) return;
            ask(learner_.local(item));
        }
    }

    // Labels gained.
    std::int64_t ask_batch(std::int64_t round) {
        choice_->hear_losses(learner_.losses());
        choice_->score(learner_.network(), static_cast<std::uint32_t>(round));
        choice_->look_through(learner_.embedder(strategy_));
        std::vector<std::uint8_t> open(rows_.size());
        for (std::size_t i = 0; i < open.size(); ++i)
            open[i] = learner_.is_askable(static_cast<std::int64_t>(i)) ? is_wanted_[i] : 0;
        const std::int64_t before = learner_.num_labels();
        while (learner_.num_labels() - before < rules_.batch) {
            const std::int64_t wanted = rules_.batch - (learner_.num_labels() - before);
            const std::vector<std::int64_t> chosen = choice_->choose(open, wanted);
            if (chosen.empty()) break;
            for (const std::int64_t local : chosen) {
                open[static_cast<std::size_t>(local)] = 0;  // asked once a round
                ask(local);
            }
        }
        return learner_.num_labels() - before;
    }

    bool meets_conditions(const StudyPool& pool, std::int64_t item) const {
        return std::ranges::all_of(
            strategy_.conditions, [&](const select::RowCondition& condition) {
                return condition.holds(
                    pool.numbers.at(condition.role)[static_cast<std::size_t>(item)]);
            });
    }

    // Asks unless the label would cost more than is left.
    void ask(std::int64_t local) {
        const std::int64_t labeled[] = {local};
        if (learner_.is_askable(local) && learner_.ask(local)) choice_->add_centers(labeled);
    }

    static Learner::LossHead loss_head_of(const Strategy& strategy) {
        const std::vector<std::string> sources = select::parse_score(strategy.score).sources;
        return std::ranges::count(sources, "learning_loss") > 0 ? Learner::LossHead::trained
                                                                : Learner::LossHead::none;
    }

    const StudyRules& rules_;
    const Strategy& strategy_;
    Learner::LossHead reads_losses_;
    Learner learner_;
    std::vector<float> features_;  // [n,D] of the pool part
    std::vector<RowId> rows_;
    std::vector<double> costs_;            // [n], or empty
    std::vector<std::int64_t> items_;      // [n], or empty
    std::vector<std::uint8_t> is_wanted_;  // [n]
    std::optional<BatchChoice> choice_;
};

}  // namespace

std::vector<RunPoint> simulate_run(const StudyData& data, const Strategy& strategy,
                                   const StudyRules& rules, std::uint64_t seed,
                                   const std::function<void()>& after_round) {
    return Run(data, strategy, rules, seed).points(after_round);
}

RunPoint simulate_all_labels(const StudyData& data, const StudyRules& rules, std::uint64_t seed) {
    StudyRules willing = rules;
    willing.oracle.refusal = 0.0;
    willing.budget = std::numeric_limits<double>::infinity();
    Learner learner(data, willing, seed);
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(learner.split().pool.size()); ++i)
        learner.ask(i);
    learner.train(0);
    return learner.point(0);
}

}  // namespace sluice::study
