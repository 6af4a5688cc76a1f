#pragma once

#include "select/diversity.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace sluice::select::test {

/// A whole shortlist, the same on every rank. Row ids are not the places.
struct List {
    std::int64_t dim = 1;
    std::vector<float> features;  ///< [N,D]
    std::vector<float> scores;    ///< [N]
    std::int64_t members = 3;
    std::int64_t classes = 4;
    std::vector<float> says;     ///< [N,M,C]
    std::vector<float> centers;  ///< [L,D]

    std::int64_t size() const { return static_cast<std::int64_t>(scores.size()); }
    std::int64_t num_centers() const { return static_cast<std::int64_t>(centers.size()) / dim; }
    static RowId row(std::int64_t place) { return 3 * place + 7; }
    static std::int64_t place(RowId row) { return (row - 7) / 3; }
    const float* at(std::int64_t place) const { return features.data() + place * dim; }
    const float* center(std::int64_t number) const { return centers.data() + number * dim; }
};

/// `levels` > 0: features and scores are small integers and halves, full of ties and copies.
inline List make_list(std::int64_t size, std::int64_t dim, unsigned seed, int levels,
                      std::int64_t num_centers) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    const auto number = [&] {
        return levels > 0 ? static_cast<float>(generator() % static_cast<unsigned>(levels))
                          : normal(generator);
    };
    List list;
    list.dim = dim;
    for (std::int64_t i = 0; i < size * dim; ++i)
        list.features.push_back(number());
    for (std::int64_t i = 0; i < num_centers * dim; ++i)
        list.centers.push_back(number());
    for (std::int64_t i = 0; i < size; ++i) {
        list.scores.push_back(levels > 0 ? 0.25F * static_cast<float>(1 + generator() % 4)
                                         : 0.01F + std::abs(normal(generator)));
        for (std::int64_t m = 0; m < list.members; ++m) {
            std::vector<float> weights(static_cast<std::size_t>(list.classes));
            float sum = 0.0F;
            for (float& weight : weights) {
                weight = levels > 0 ? static_cast<float>(1 + generator() % 3)
                                    : std::exp(2.0F * normal(generator));
                sum += weight;
            }
            for (const float weight : weights)
                list.says.push_back(weight / sum);
        }
    }
    return list;
}

/// Which rank holds a place: even shares, or shares that interleave.
enum class Split { contiguous, interleaved, last_rank };

inline int owner(Split split, std::int64_t place, std::int64_t size, int num_ranks) {
    if (split == Split::last_rank) return num_ranks - 1;
    if (split == Split::interleaved) return static_cast<int>((place * 7919 / 3) % num_ranks);
    return static_cast<int>(place * num_ranks / size);
}

/// Picks from the list, dealt out over the ranks of `world`.
inline DiverseBatch pick(const List& list, const std::string& rule, const DiversityOptions& options,
                         comm::Communicator& world, Split split = Split::contiguous) {
    List mine;
    std::vector<RowId> rows;
    const std::int64_t said = list.members * list.classes;
    for (std::int64_t i = 0; i < list.size(); ++i) {
        if (owner(split, i, list.size(), world.size()) != world.rank()) continue;
        rows.push_back(List::row(i));
        mine.scores.push_back(list.scores[static_cast<std::size_t>(i)]);
        mine.features.insert(mine.features.end(), list.at(i), list.at(i) + list.dim);
        const auto from = list.says.begin() + i * said;
        mine.says.insert(mine.says.end(), from, from + said);
    }
    ShortlistShare share;
    share.rows = rows;
    share.scores = mine.scores;
    share.features = {mine.features.data(), static_cast<std::int64_t>(rows.size()), list.dim};
    share.member_says = mine.says;
    share.members = list.members;
    share.classes = list.classes;
    share.num_centers = list.num_centers();
    share.visit_centers = [&](const auto& visit) {  // in two blocks
        const std::int64_t half = list.num_centers() / 2;
        if (half > 0) visit({list.center(0), half, list.dim});
        visit({list.center(half), list.num_centers() - half, list.dim});
    };
    share.visit_saying_centers = [&](const auto& visit) {  // they say what the first rows say
        visit({list.centers.data(), list.num_centers(), list.dim},
              std::span(list.says).first(static_cast<std::size_t>(list.num_centers() * said)));
    };
    return find_diversity(rule).pick(share, options, world);
}

inline DiversityOptions options_of(std::int64_t num_picks, DiversityParameters parameters = {}) {
    DiversityOptions options;
    options.num_picks = num_picks;
    options.seed = 5;
    options.round = 2;
    options.parameters = parameters;
    return options;
}

using Places = std::vector<std::int64_t>;

inline double squared(const float* x, const float* y, std::int64_t dim) {
    double sum = 0.0;
    for (std::int64_t k = 0; k < dim; ++k)
        sum += (double{x[k]} - double{y[k]}) * (double{x[k]} - double{y[k]});
    return sum;
}

/// Squared distance to the nearest centre or chosen row; infinity without any.
inline double nearest(const List& list, const Places& chosen, std::int64_t place) {
    double least = std::numeric_limits<double>::infinity();
    for (std::int64_t c = 0; c < list.num_centers(); ++c)
        least = std::min(least, squared(list.at(place), list.center(c), list.dim));
    for (const std::int64_t one : chosen)
        least = std::min(least, squared(list.at(place), list.at(one), list.dim));
    return least;
}

/// Pools of all sorts, with and without ties and centres.
inline constexpr unsigned num_pools = 20;
inline List pool(unsigned number) {
    return make_list(40 + 3 * number, 1 + number % 7, 100 + number, number % 4 == 3 ? 5 : 0,
                     number % 3 == 0 ? 0 : number % 5 + 1);
}

/// What a rule needs to be told to run at all.
inline DiversityParameters usual_parameters(const std::string& rule) {
    DiversityParameters parameters;
    if (rule == "prob_cover") parameters.radius = 1.5;
    return parameters;
}

}  // namespace sluice::select::test
