#include "study/batch_choice.hpp"

#include "comm/communicator.hpp"
#include "core/error.hpp"
#include "core/top_k.hpp"
#include "kernels/nearest_center.hpp"
#include "select/distinct.hpp"
#include "select/diversity.hpp"
#include "select/member_probabilities.hpp"
#include "study/item_choice.hpp"

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
      score_(select::parse_score(strategy.score)),
      places_(rows.features),
      scores_(rows.rows.size()) {
    if (strategy.diversity == "none") return;
    if (rules.metric != "cosine") return;
    directions_.assign(rows.features.begin(), rows.features.end());
    scale_to_directions(directions_, rows.dim, {});
    places_ = directions_;
}

void BatchChoice::add_centers(std::span<const std::int64_t> labeled) {
    labeled_.insert(labeled_.end(), labeled.begin(), labeled.end());
    std::sort(labeled_.begin(), labeled_.end());
    if (strategy_.diversity == "none") return;
    center_rows_.insert(center_rows_.end(), labeled.begin(), labeled.end());
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
    score_rows(rows_, score_, {network, labeled_, seed_, round, losses_, rules_.batch}, scores_);
    if (strategy_.price == Strategy::Price::divides_score) divide_by_cost();
    add_noise();
}

// Ranks get their noise when it is known which rows they are among.
void BatchChoice::add_noise() {
    using Kind = select::Randomization::Kind;
    const Kind kind = strategy_.randomization.kind;
    if (kind == Kind::none || kind == Kind::softrank || strategy_.items.has_items()) return;
    for (std::size_t i = 0; i < scores_.size(); ++i)
        add_noise(rows_.rows[i], scores_[i]);
}

void BatchChoice::add_noise(RowId row, float& score) const {
    const bool is_power = strategy_.randomization.kind == select::Randomization::Kind::power;
    require(!is_power || score >= 0.0F, ExitCode::usage,
            "--strategy: power takes logarithms, and the " + strategy_.score +
                " can be below 0; choose softmax or softrank");
    select::perturb_scores(strategy_.randomization, seed_, round_, row, {&score, 1});
}

std::vector<Candidate> BatchChoice::best_items(std::span<const std::uint8_t> open,
                                               std::int64_t size) const {
    using Kind = select::Randomization::Kind;
    const bool is_chance = score_.is_plain() && score_.sources.front() == "random";
    TopK best(static_cast<std::size_t>(size));
    for (Candidate item : item_candidates({rows_.item, scores_, open, labeled_}, strategy_.items,
                                          is_chance ? ItemScore::of_first : ItemScore::by_rule)) {
        const Kind kind = strategy_.randomization.kind;
        if (kind == Kind::power || kind == Kind::softmax)
            add_noise(rows_.rows[static_cast<std::size_t>(item.row)], item.score);
        best.offer(item);
    }
    return best.take_sorted();
}

void BatchChoice::divide_by_cost() {
    for (std::size_t i = 0; i < scores_.size(); ++i) {
        require(scores_[i] >= 0.0F, ExitCode::usage,
                "--strategy: per_cost divides scores, and the " + strategy_.score +
                    " can be below 0; choose another score");
        if (!rows_.cost.empty()) scores_[i] /= static_cast<float>(rows_.cost[i]);
    }
}

// Ten shortlists' best rows, and of these by their rank and chance: as select draws them.
std::vector<Candidate> BatchChoice::shortlist(std::span<const std::uint8_t> open,
                                              std::int64_t size) const {
    if (strategy_.randomization.kind != select::Randomization::Kind::softrank)
        return best_rows(open, size);
    std::vector<Candidate> drawn = best_rows(open, select::ranked_factor * size);
    for (std::size_t i = 0; i < drawn.size(); ++i) {
        const RowId row = rows_.rows[static_cast<std::size_t>(drawn[i].row)];
        drawn[i].score =
            select::rank_key(strategy_.randomization.coldness, static_cast<std::int64_t>(i) + 1,
                             select::gumbel_noise(seed_, round_, row));
    }
    std::sort(drawn.begin(), drawn.end(), better);
    drawn.resize(std::min(drawn.size(), static_cast<std::size_t>(size)));
    return drawn;
}

std::vector<Candidate> BatchChoice::best_rows(std::span<const std::uint8_t> open,
                                              std::int64_t size) const {
    if (strategy_.items.has_items()) return best_items(open, size);
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
    std::vector<std::int64_t> chosen;
    if (strategy_.diversity != "none") {
        chosen = spread(std::move(best), count);
    } else {
        best.resize(std::min(best.size(), static_cast<std::size_t>(count)));
        for (const Candidate& candidate : best)
            chosen.push_back(candidate.row);
    }
    if (!strategy_.items.has_items()) return chosen;
    return rows_of_items({rows_.item, scores_, open, labeled_}, chosen, count);
}

std::vector<std::int64_t> BatchChoice::spread(std::vector<Candidate> shortlist,
                                              std::int64_t count) const {
    std::sort(shortlist.begin(), shortlist.end(),
              [](const Candidate& left, const Candidate& right) { return left.row < right.row; });
    std::vector<RowId> locals;
    std::vector<float> scores;
    for (const Candidate& candidate : shortlist) {
        locals.push_back(candidate.row);
        scores.push_back(candidate.score);
    }
    const std::vector<float> places = places_of(locals);
    const std::vector<float> centers = embedder_ ? places_of(center_rows_) : centers_;
    const std::int64_t dim = embedder_ ? embedder_->dim() : rows_.dim;
    const select::DiversityDefinition& rule = select::find_diversity(strategy_.diversity);
    select::ShortlistShare share;
    share.rows = locals;
    share.scores = scores;
    share.features = {places.data(), std::ssize(locals), dim};
    std::vector<float> said;
    if (rule.needs_members) {
        said = member_says(locals);
        share.member_says = said;
        share.members = network_->members();
        share.classes = network_->outputs();
    }
    share.num_centers = std::ssize(center_rows_);
    share.visit_centers = [&](const auto& visit) {
        visit({centers.data(), share.num_centers, dim});
    };
    share.visit_saying_centers = [&](const auto& visit) {
        visit({centers.data(), share.num_centers, dim}, member_says(center_rows_));
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
    return select::model_probabilities(*network_, features_of(locals));
}

std::vector<float> BatchChoice::features_of(std::span<const RowId> locals) const {
    std::vector<float> features;
    for (const std::int64_t local : locals) {
        const auto of_row = row(local);
        features.insert(features.end(), of_row.begin(), of_row.end());
    }
    return features;
}

// [locals, D] what distances see.
std::vector<float> BatchChoice::places_of(std::span<const RowId> locals) const {
    std::vector<float> places;
    if (!embedder_) {
        const auto dim = static_cast<std::size_t>(rows_.dim);
        for (const std::int64_t local : locals) {
            const auto place = places_.subspan(static_cast<std::size_t>(local) * dim, dim);
            places.insert(places.end(), place.begin(), place.end());
        }
        return places;
    }
    places.resize(locals.size() * static_cast<std::size_t>(embedder_->dim()));
    embedder_->embed(features_of(locals), places);
    const auto is_number = [](float place) { return std::isfinite(place); };
    const auto bad = std::find_if_not(places.begin(), places.end(), is_number) - places.begin();
    if (bad < std::ssize(places)) {
        const auto at = static_cast<std::size_t>(bad / embedder_->dim());
        throw Error(ExitCode::bad_data,
                    "what the model makes of row " +
                        std::to_string(rows_.rows[static_cast<std::size_t>(locals[at])]) +
                        " is not a number: training has diverged (lower --learning-rate)");
    }
    if (rules_.metric == "cosine") scale_to_directions(places, embedder_->dim(), locals);
    return places;
}

// Scales to unit length.
void BatchChoice::scale_to_directions(std::vector<float>& places, std::int64_t dim,
                                      std::span<const RowId> locals) const {
    const std::int64_t bad = kernels::normalize_rows(places.data(), std::ssize(places) / dim, dim);
    if (bad < 0) return;
    const RowId local = locals.empty() ? bad : locals[static_cast<std::size_t>(bad)];
    throw Error(ExitCode::bad_data,
                "features[" + std::to_string(rows_.rows[static_cast<std::size_t>(local)]) +
                    "]: all numbers are 0, so the row has no direction for --metric cosine; use "
                    "euclidean");
}

}  // namespace sluice::study
