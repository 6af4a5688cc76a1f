#pragma once

#include "model/pseudo_rules.hpp"
#include "model/train.hpp"
#include "select/diversity.hpp"
#include "select/embedding.hpp"
#include "select/item_rule.hpp"
#include "select/randomization.hpp"
#include "select/row_condition.hpp"
#include "study/hidden_labels.hpp"
#include "study/study_split.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace sluice::study {

/// How batches are chosen: one arm of a study.
struct Strategy {
    enum class Price {
        ignored,       ///< the score as it is
        divides_score  ///< score / cost: what a label brings for its price
    };
    enum class Count {
        rows,          ///< the shortlist holds rows
        distinct_rows  ///< of rows with the same features the shortlist holds one
    };

    enum class Training {
        labels,  ///< the learner is trained on labels alone
        pseudo   ///< and on what it is sure of itself, by StudyRules::pseudo
    };

    std::string name;                ///< as in curves and reports
    std::string score = "margin";    ///< canonical name, or expression of such
    std::string diversity = "none";  ///< canonical name
    double shortlist_factor = 1.0;   ///< shortlist = factor x batch; infinity: all candidates
    Count count = Count::rows;
    Price price = Price::ignored;
    select::Randomization randomization = {};
    select::DiversityParameters diversity_parameters = {};
    select::EmbeddingRule embedding = {};  ///< what its distances are of; the seed is the study's
    Training training = Training::labels;
    select::ItemRule items = {};  ///< rows of an item are asked about together, or each for itself
    std::vector<select::RowCondition> conditions = {};  ///< rows that fail one are not asked about
};

/// The arm that every study has: rows by chance.
Strategy random_strategy();

/// What all arms of a study have in common.
struct StudyRules {
    SplitRules split;
    OracleRules oracle;
    model::TrainOptions training;  ///< seed and round are set by the study
    model::PseudoRules pseudo;     ///< of strategies that train on such labels
    std::int64_t batch = 20;
    std::int64_t rounds = 12;
    double budget = std::numeric_limits<double>::infinity();  ///< of all labels' cost
    std::string metric = "euclidean";  ///< distance between features; or "cosine"
};

}  // namespace sluice::study
