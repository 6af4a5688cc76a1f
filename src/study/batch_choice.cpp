#include "study/batch_choice.hpp"

#include "comm/communicator.hpp"
#include "core/error.hpp"
#include "core/top_k.hpp"
#include "kernels/nearest_center.hpp"
#include "kernels/random_score.hpp"
#include "select/distinct.hpp"
#include "select/diversity.hpp"
#include "select/member_probabilities.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace sluice::study {

Strategy random_strategy() {
    Strategy strategy;
    strategy.name = "random";
    strategy.score = "random";
    return strategy;
}

BatchChoice::BatchChoice(const ChoiceRows& rows, const Strategy& strategy, const StudyRules& rules,
                         std::uint64_t seed)
    : rows_(rows),
      strategy_(strategy),
      rules_(rules),
      seed_(seed),
      places_(rows.features),
      scores_(rows.rows.size()) {
    if (strategy.diversity == "none") return;
    if (rules.metric != "cosine") return;
    directions_.assign(rows.features.begin(), rows.features.end());
    const auto count = static_cast<std::int64_t>(rows.rows.size());
    const std::int64_t bad = kernels::normalize_rows(directions_.data(), count, rows.dim);
    require(bad < 0, ExitCode::bad_data,
            "features[" + std::to_string(bad < 0 ? 0 : rows.rows[static_cast<std::size_t>(bad)]) +
                "]: all numbers are 0, so the row has no direction for --metric cosine; use "
                "euclidean");
    places_ = directions_;
}

void BatchChoice::add_centers(std::span<const std::int64_t> labeled) {
    if (strategy_.diversity == "none") return;
    labeled_.insert(labeled_.end(), labeled.begin(), labeled.end());
    const auto dim = static_cast<std::size_t>(rows_.dim);
    for (const std::int64_t local : labeled) {
        const auto place = places_.subspan(static_cast<std::size_t>(local) * dim, dim);
        centers_.insert(centers_.end(), place.begin(), place.end());
    }
}

void BatchChoice::score(const std::shared_ptr<const kernels::CommitteeNetwork>& network,
                        std::uint32_t round) {
    network_ = network;
    round_ = round;
    if (strategy_.score == "random") {
        const kernels::RandomScore random{seed_, round};
        std::transform(rows_.rows.begin(), rows_.rows.end(), scores_.begin(), random);
    } else {
        const auto scorer = kernels::make_committee_scorer(kernels::Backend::cpu, network,
                                                           kernels::find_score(strategy_.score));
        const auto count = static_cast<RowId>(rows_.rows.size());
        scorer->score(
            {rows_.features.data(), {0, count}, 1, rows_.dim, kernels::ScoreInput::features},
            scores_);
        check_scores();
    }
    if (strategy_.price == Strategy::Price::divides_score) divide_by_cost();
}

void BatchChoice::check_scores() const {
    for (std::size_t i = 0; i < scores_.size(); ++i) {
        require(std::isfinite(scores_[i]), ExitCode::bad_data,
                "the " + strategy_.score + " of row " + std::to_string(rows_.rows[i]) +
                    " is not a number: training has diverged; lower --learning-rate");
    }
}

void BatchChoice::divide_by_cost() {
    for (std::size_t i = 0; i < scores_.size(); ++i) {
        require(scores_[i] >= 0.0F, ExitCode::usage,
                "--strategy: per_cost divides scores, and the " + strategy_.score +
                    " can be below 0; choose another score");
        if (!rows_.cost.empty()) scores_[i] /= static_cast<float>(rows_.cost[i]);
    }
}

std::vector<Candidate> BatchChoice::shortlist(std::span<const std::uint8_t> open,
                                              std::int64_t size) const {
    const auto capacity = static_cast<std::size_t>(size);
    TopK rows(strategy_.count == Strategy::Count::rows ? capacity : 0);
    select::DistinctTopK distinct(strategy_.count == Strategy::Count::rows ? 0 : capacity);
    for (std::size_t i = 0; i < open.size(); ++i) {
        if (open[i] == 0) continue;
        const Candidate candidate{scores_[i], static_cast<RowId>(i)};
        rows.offer(candidate);
        if (distinct.may_enter(candidate))
            distinct.offer({candidate, select::row_digest(row(candidate.row))});
    }
    std::vector<Candidate> best = rows.take_sorted();
    for (const select::DigestedCandidate& one : distinct.take_sorted())
        best.push_back(one.candidate);
    return best;
}

std::vector<std::int64_t> BatchChoice::choose(std::span<const std::uint8_t> open,
                                              std::int64_t count) const {
    const auto all = static_cast<double>(open.size());
    const double wanted = strategy_.shortlist_factor * static_cast<double>(rules_.batch);
    const auto size = std::max(count, static_cast<std::int64_t>(std::min(all, wanted)));
    std::vector<Candidate> best = shortlist(open, size);
    if (strategy_.diversity != "none") return spread(std::move(best), count);
    best.resize(std::min(best.size(), static_cast<std::size_t>(count)));
    std::vector<std::int64_t> chosen;
    for (const Candidate& candidate : best)
        chosen.push_back(candidate.row);
    return chosen;
}

std::vector<std::int64_t> BatchChoice::spread(std::vector<Candidate> shortlist,
                                              std::int64_t count) const {
    std::sort(shortlist.begin(), shortlist.end(),
              [](const Candidate& left, const Candidate& right) { return left.row < right.row; });
    const auto dim = static_cast<std::size_t>(rows_.dim);
    std::vector<RowId> locals;
    std::vector<float> scores;
    std::vector<float> places;
    for (const Candidate& candidate : shortlist) {
        const auto place = places_.subspan(static_cast<std::size_t>(candidate.row) * dim, dim);
        locals.push_back(candidate.row);
        scores.push_back(candidate.score);
        places.insert(places.end(), place.begin(), place.end());
    }
    const select::DiversityDefinition& rule = select::find_diversity(strategy_.diversity);
    select::ShortlistShare share;
    share.rows = locals;
    share.scores = scores;
    share.features = {places.data(), std::ssize(locals), rows_.dim};
    std::vector<float> said;
    if (rule.needs_members) {
        said = member_says(locals);
        share.member_says = said;
        share.members = network_->members();
        share.classes = network_->outputs();
    }
    share.num_centers = std::ssize(centers_) / rows_.dim;
    share.visit_centers = [&](const auto& visit) {
        visit({centers_.data(), share.num_centers, rows_.dim});
    };
    share.visit_saying_centers = [&](const auto& visit) {
        visit({centers_.data(), share.num_centers, rows_.dim}, member_says(labeled_));
    };
    select::DiversityOptions options;
    options.num_picks = count;
    options.metric = rules_.metric == "cosine" ? select::Metric::cosine : select::Metric::euclidean;
    options.seed = seed_;
    options.round = round_;
    options.parameters = strategy_.diversity_parameters;
    comm::Communicator alone;
    const select::DiverseBatch result = rule.pick(share, options, alone);
    std::vector<std::int64_t> chosen;
    for (const select::DiversePick& pick : result.picks)
        chosen.push_back(pick.row);
    return chosen;
}

// [locals, M, C] class probabilities.
std::vector<float> BatchChoice::member_says(std::span<const RowId> locals) const {
    require(network_ != nullptr && select::speaks_of_classes(network_->output()), ExitCode::usage,
            "--strategy: " + strategy_.diversity +
                " needs class probabilities, which this model does not give; choose another rule");
    std::vector<float> features;
    for (const std::int64_t local : locals) {
        const auto of_row = row(local);
        features.insert(features.end(), of_row.begin(), of_row.end());
    }
    return select::model_probabilities(*network_, features);
}

}  // namespace sluice::study
