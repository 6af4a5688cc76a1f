#pragma once

#include "core/philox.hpp"
#include "model/train.hpp"

#include <cstdint>

namespace sluice::test {

/// A number in (-1, 1), a function of its place alone.
inline float made_number(std::int64_t row, std::int64_t column) {
    const Philox4 words =
        random_words(7, RandomPurpose::pool_values, 0, static_cast<std::uint64_t>(row),
                     static_cast<std::uint32_t>(column));
    return 2.0F * unit_float(words.word[0]) - 1.0F;
}

/// Blobs: the features of class c are noise, plus `distance` in component c.
inline model::TrainingSet made_classes(std::int64_t labels, std::int64_t dim, std::int64_t classes,
                                       float distance = 2.0F) {
    model::TrainingSet set;
    set.task = model::Task::classification;
    set.dim = dim;
    set.outputs = classes;
    set.source = "made labels";
    for (std::int64_t i = 0; i < labels; ++i) {
        const std::int64_t own = i % classes;
        set.rows.push_back(3 * i);
        set.classes.push_back(static_cast<std::int32_t>(own));
        for (std::int64_t k = 0; k < dim; ++k)
            set.features.push_back(made_number(i, k) + (k == own % dim ? distance : 0.0F));
    }
    return set;
}

/// Targets 10 + 3 x0 - 2 x1 and, if there are two, x0 x1, with noise of the given size.
inline model::TrainingSet made_numbers(std::int64_t labels, std::int64_t dim, std::int64_t targets,
                                       float noise = 0.0F) {
    model::TrainingSet set;
    set.task = model::Task::regression;
    set.dim = dim;
    set.outputs = targets;
    set.source = "made labels";
    for (std::int64_t i = 0; i < labels; ++i) {
        set.rows.push_back(3 * i);
        for (std::int64_t k = 0; k < dim; ++k)
            set.features.push_back(made_number(i, k));
        const float x0 = made_number(i, 0);
        const float x1 = made_number(i, 1);
        set.targets.push_back(10.0F + 3.0F * x0 - 2.0F * x1 + noise * made_number(i, 1000));
        if (targets > 1) set.targets.push_back(x0 * x1 + noise * made_number(i, 1001));
    }
    return set;
}

/// Options of a small net that trains in no time.
inline model::TrainOptions small_options() {
    model::TrainOptions options;
    options.hidden = {8};
    options.members = 2;
    options.max_epochs = 30;
    options.learning_rate = 0.01;
    return options;
}

}  // namespace sluice::test
