#pragma once

#include "model/training_set.hpp"
#include "study/simulated_run.hpp"
#include "study/study_split.hpp"

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace sluice::test {

/// Rows 3, 6, 9, ... of three classes whose clouds in the plane touch.
inline model::TrainingSet three_clouds(std::int64_t size, unsigned seed = 1) {
    std::mt19937 random(seed);
    std::normal_distribution<float> noise(0.0F, 0.6F);
    model::TrainingSet set;
    set.task = model::Task::classification;
    set.dim = 2;
    set.outputs = 3;
    for (std::int64_t i = 0; i < size; ++i) {
        const auto which = static_cast<std::int32_t>(random() % 3);
        const auto angle = static_cast<float>(which) * 2.1F;
        set.rows.push_back(3 * (i + 1));
        set.features.push_back(std::cos(angle) + noise(random));
        set.features.push_back(std::sin(angle) + noise(random));
        set.classes.push_back(which);
    }
    return set;
}

/// Rows 0, 1, ... of a smooth function of one number.
inline model::TrainingSet one_wave(std::int64_t size) {
    model::TrainingSet set;
    set.task = model::Task::regression;
    set.dim = 1;
    set.outputs = 1;
    for (std::int64_t i = 0; i < size; ++i) {
        const float x = static_cast<float>(i) / static_cast<float>(size) * 4.0F - 2.0F;
        set.rows.push_back(i);
        set.features.push_back(x);
        set.targets.push_back(std::sin(2.0F * x));
    }
    return set;
}

inline study::StudyData study_of(const model::TrainingSet& set) {
    study::StudyPool pool;
    pool.name = "made";
    pool.task = set.task;
    pool.dim = set.dim;
    pool.outputs = set.outputs;
    pool.rows = set.rows;
    pool.features = set.features;
    pool.group = study::groups_of_copies(pool);
    return {pool, study::HiddenLabels(set)};
}

/// Small and quick: a linear model, or one little net for numbers.
inline study::StudyRules quick_rules(model::Task task) {
    study::StudyRules rules;
    rules.training.members = 1;
    rules.training.held_out = 0.0;
    rules.training.patience = 0;
    rules.training.max_epochs = 30;
    rules.training.learning_rate = 0.05;
    rules.training.hidden = {};
    if (task == model::Task::regression) {
        rules.training.head = model::Head::squares;
        rules.training.hidden = {8};
        rules.training.members = 3;
    }
    rules.split.start = 12;
    rules.batch = 5;
    rules.rounds = 4;
    return rules;
}

}  // namespace sluice::test
