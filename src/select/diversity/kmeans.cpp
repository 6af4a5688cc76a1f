#include "core/error.hpp"
#include "core/text.hpp"
#include "select/diversity/centers.hpp"
#include "select/diversity/clusters.hpp"
#include "select/diversity/rules.hpp"
#include "select/score_expression.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>

namespace sluice::select {
namespace {

bool is_nearer(const Member& a, const Member& b) {
    return a.squared < b.squared || (a.squared == b.squared && a.row < b.row);
}

// The row nearest to each centroid that moves.
std::vector<Member> nearest_of_each(const std::vector<Member>& members, std::int64_t count) {
    std::vector<Member> best(static_cast<std::size_t>(count));
    for (const Member& member : members) {
        if (member.cluster < 0) continue;
        Member& own = best[static_cast<std::size_t>(member.cluster)];
        if (own.cluster < 0 || is_nearer(member, own)) own = member;
    }
    std::erase_if(best, [](const Member& member) { return member.cluster < 0; });
    return best;
}

void keep_best_scored(std::vector<Member>& members, std::int64_t count) {
    const auto end = members.begin() + std::min(count, std::ssize(members));
    std::partial_sort(members.begin(), end, members.end(), [](const Member& a, const Member& b) {
        return better(a.candidate(), b.candidate());
    });
    members.erase(end, members.end());
}

// The best scored rows that are not among `chosen`, which they join.
void fill_up(std::vector<Member> mine, std::int64_t num_picks, std::vector<Member>& chosen,
             comm::Communicator& world) {
    std::unordered_set<RowId> taken;
    for (const Member& member : chosen)
        taken.insert(member.row);
    std::erase_if(mine, [&](const Member& member) { return taken.count(member.row) > 0; });
    const std::int64_t missing = num_picks - std::ssize(chosen);
    keep_best_scored(mine, missing);
    mine = world.all_gather(std::span<const Member>(mine));
    keep_best_scored(mine, missing);
    chosen.insert(chosen.end(), mine.begin(), mine.end());
}

std::vector<float> weights_of(const ShortlistShare& share, double strength,
                              comm::Communicator& world) {
    std::vector<float> weights;
    world.agree([&] {
        for (std::size_t i = 0; i < share.scores.size(); ++i) {
            const double score = share.scores[i];
            require(score >= 0.0 || strength == 0.0, ExitCode::usage,
                    "--diversify kmeans: row " + std::to_string(share.rows[i]) +
                        ": a score below 0 (" + number_text(score) +
                        ") is no weight; choose another score or --strength 0");
            weights.push_back(strength == 0.0 ? 1.0F
                                              : static_cast<float>(power_of(score, strength)));
            require(std::isfinite(weights.back()), ExitCode::usage,
                    "--strength: " + number_text(score) + " to the power " + number_text(strength) +
                        " is no finite weight; give a smaller one");
        }
    });
    return weights;
}

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    const double wanted = options.parameters.strength;
    const std::vector<float> weights = weights_of(share, std::isnan(wanted) ? 1.0 : wanted, world);
    const std::vector<float> nearest = nearest_centers(share, options);
    const Clusters clusters = k_means({share.rows, share.features, weights, nearest},
                                      k_means_options(options, options.num_picks), world);
    const std::vector<Member> mine = members_of(share, clusters);
    std::vector<Member> chosen = nearest_of_each(mine, clusters.count());
    chosen = nearest_of_each(world.all_gather(std::span<const Member>(chosen)), clusters.count());
    std::sort(chosen.begin(), chosen.end(), [&](const Member& a, const Member& b) {
        const std::int64_t left = clusters.weights[static_cast<std::size_t>(a.cluster)];
        const std::int64_t right = clusters.weights[static_cast<std::size_t>(b.cluster)];
        return left > right || (left == right && a.row < b.row);
    });
    fill_up(mine, options.num_picks, chosen, world);
    DiverseBatch batch;
    for (const Member& member : chosen)
        batch.picks.push_back({member.row, distance_of(member.squared, options.metric)});
    batch.rounds = clusters.seed_rounds + clusters.iterations;
    return batch;
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    return forecast_k_means(sizes, sizes.num_picks);
}

}  // namespace

// One cluster a pick, the heaviest first. Labeled and issued rows are centroids that do not move,
// so that what they stand for is left to them. Where copies make clusters fewer than picks, the
// best scored of the other rows follow. \source Zhdanov, "Diverse mini-batch Active Learning",
// arXiv 1901.05954 (2019), for the weights;
//         the centroids that do not move are ours.
DiversityDefinition kmeans_rule() {
    DiversityDefinition rule;
    rule.name = "kmeans";
    rule.aliases = {"k_means", "weighted_kmeans", "dbal_kmeans"};
    rule.summary =
        "k-means weighted by score^strength (1), labeled and pending rows as fixed centroids; the "
        "row nearest to each new centroid";
    rule.value = "distance to the centroid";
    rule.needs_features = true;
    rule.parameters = "strength";
    rule.pick = pick;
    rule.forecast = forecast;
    return rule;
}

}  // namespace sluice::select
