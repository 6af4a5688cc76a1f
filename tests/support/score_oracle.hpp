#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// The scores once more, in double precision and straight from their definitions: nothing here is
/// shared with kernels/. Each takes a row of M x C values and returns the score.
namespace sluice::oracle {

using Row = std::vector<double>;

inline Row softmax(const Row& logits) {
    const double highest = *std::max_element(logits.begin(), logits.end());
    Row e;
    double sum = 0.0;
    for (const double x : logits)
        sum += e.emplace_back(std::exp(x - highest));
    for (double& value : e)
        value /= sum;
    return e;
}

/// Member m of a row of M x C.
inline Row member_of(const Row& row, std::size_t member, std::size_t classes) {
    const auto begin = row.begin() + static_cast<std::ptrdiff_t>(member * classes);
    return {begin, begin + static_cast<std::ptrdiff_t>(classes)};
}

/// Sums the small terms first, so that 1 - p1 of a nearly certain row keeps its digits.
inline double sum_of(Row terms) {
    std::sort(terms.begin(), terms.end(),
              [](double a, double b) { return std::abs(a) < std::abs(b); });
    double sum = 0.0;
    for (const double term : terms)
        sum += term;
    return sum;
}

inline double entropy(const Row& p) {
    Row terms;
    for (const double value : p)
        terms.push_back(value > 0.0 ? -value * std::log(value) : 0.0);
    return sum_of(terms);
}

inline double least_confidence(const Row& p) {
    return 1.0 - *std::max_element(p.begin(), p.end());
}

inline double margin(Row p) {
    std::sort(p.begin(), p.end(), std::greater<>());
    return (1.0 - p[0]) + p[1];
}

inline double ratio(Row p) {
    std::sort(p.begin(), p.end(), std::greater<>());
    return p[1] / p[0];
}

inline Row mean_of_members(const std::vector<Row>& members) {
    Row mean(members.front().size(), 0.0);
    for (const Row& member : members)
        for (std::size_t c = 0; c < mean.size(); ++c)
            mean[c] += member[c] / static_cast<double>(members.size());
    return mean;
}

/// Mean Kullback-Leibler divergence of the members from their mean, from r ln r - r + 1 and its
/// series near r = 1: the difference of entropies would lose what is asked for.
inline double bald(const std::vector<Row>& members) {
    const Row mean = mean_of_members(members);
    Row terms;
    for (const Row& member : members) {
        for (std::size_t c = 0; c < mean.size(); ++c) {
            if (mean[c] <= 0.0) continue;
            const double f = (member[c] - mean[c]) / mean[c];
            const double r = member[c] / mean[c];
            const double series = f * f * (0.5 - f * (1.0 / 6 - f * (1.0 / 12 - f / 20)));
            const double phi = std::abs(f) < 1e-3 ? series : r > 0.0 ? r * std::log(r) - f : 1.0;
            terms.push_back(mean[c] * phi / static_cast<double>(members.size()));
        }
    }
    return sum_of(terms);
}

/// Kullback-Leibler divergence of one member from the mean, by the same function of p / mean.
inline double divergence_from(const Row& mean, const Row& member) {
    Row terms;
    for (std::size_t c = 0; c < mean.size(); ++c) {
        if (mean[c] <= 0.0) continue;
        const double f = (member[c] - mean[c]) / mean[c];
        const double r = member[c] / mean[c];
        const double series = f * f * (0.5 - f * (1.0 / 6 - f * (1.0 / 12 - f / 20)));
        const double phi = std::abs(f) < 1e-3 ? series : r > 0.0 ? r * std::log(r) - f : 1.0;
        terms.push_back(mean[c] * phi);
    }
    return sum_of(terms);
}

inline double mean_kl(const std::vector<Row>& members) {
    const Row mean = mean_of_members(members);
    double sum = 0.0;
    for (const Row& member : members)
        sum += divergence_from(mean, member);
    return sum / static_cast<double>(members.size());
}

inline double max_kl(const std::vector<Row>& members) {
    const Row mean = mean_of_members(members);
    double most = 0.0;
    for (const Row& member : members)
        most = std::max(most, divergence_from(mean, member));
    return most;
}

/// H(mean p) - mean H(p), as it is defined.
inline double bald_as_entropies(const std::vector<Row>& members) {
    double mean_entropy = 0.0;
    for (const Row& member : members)
        mean_entropy += entropy(member) / static_cast<double>(members.size());
    return entropy(mean_of_members(members)) - mean_entropy;
}

inline double gini(const Row& p) {
    Row terms;
    for (const double value : p)
        terms.push_back(value * (1.0 - value));
    return sum_of(terms);
}

/// Sum over y of p_y |p - e_y|.
inline double gradient_length(const Row& p) {
    Row terms;
    for (std::size_t y = 0; y < p.size(); ++y) {
        Row squares;
        for (std::size_t c = 0; c < p.size(); ++c)
            squares.push_back(c == y ? (1.0 - p[c]) * (1.0 - p[c]) : p[c] * p[c]);
        terms.push_back(p[y] * std::sqrt(sum_of(squares)));
    }
    return sum_of(terms);
}

/// Mean Euclidean distance of the members from their mean.
inline double mean_deviation(const std::vector<Row>& members) {
    const Row mean = mean_of_members(members);
    double sum = 0.0;
    for (const Row& member : members) {
        double squares = 0.0;
        for (std::size_t t = 0; t < mean.size(); ++t)
            squares += (member[t] - mean[t]) * (member[t] - mean[t]);
        sum += std::sqrt(squares);
    }
    return sum / static_cast<double>(members.size());
}

inline double committee_std(const std::vector<Row>& members) {
    const Row mean = mean_of_members(members);
    double largest = 0.0;
    for (std::size_t t = 0; t < mean.size(); ++t) {
        double squares = 0.0;
        for (const Row& member : members)
            squares += (member[t] - mean[t]) * (member[t] - mean[t]);
        largest = std::max(largest, std::sqrt(squares / static_cast<double>(members.size())));
    }
    return largest;
}

/// Votes for each class: of every member for its most likely class, the lowest of several.
inline Row votes_of(const std::vector<Row>& members) {
    Row votes(members.front().size(), 0.0);
    for (const Row& member : members)
        votes[static_cast<std::size_t>(std::max_element(member.begin(), member.end()) -
                                       member.begin())] += 1.0;
    return votes;
}

inline double vote_entropy(const std::vector<Row>& members) {
    Row shares = votes_of(members);
    for (double& share : shares)
        share /= static_cast<double>(members.size());
    return entropy(shares);
}

inline double variation_ratio(const std::vector<Row>& members) {
    const Row votes = votes_of(members);
    return 1.0 -
           *std::max_element(votes.begin(), votes.end()) / static_cast<double>(members.size());
}

inline double boundary(const std::vector<Row>& members) {
    Row mean = mean_of_members(members);
    std::sort(mean.begin(), mean.end(), std::greater<>());
    return mean[1] - mean[0];
}

/// Of members that give T means and then T variances.
inline double total_std(const std::vector<Row>& members) {
    const Row mean = mean_of_members(members);
    const std::size_t components = mean.size() / 2;
    double largest = 0.0;
    for (std::size_t t = 0; t < components; ++t) {
        double squares = 0.0;
        for (const Row& member : members)
            squares += (member[t] - mean[t]) * (member[t] - mean[t]);
        largest =
            std::max(largest, squares / static_cast<double>(members.size()) + mean[components + t]);
    }
    return std::sqrt(largest);
}

/// Least confidence and margin of softmax of logits without 1 - p1: from the other classes' share.
inline double least_confidence_of_logits(const Row& logits) {
    Row p = softmax(logits);
    p.erase(std::max_element(p.begin(), p.end()));
    return sum_of(p);
}

inline double margin_of_logits(const Row& logits) {
    Row p = softmax(logits);
    p.erase(std::max_element(p.begin(), p.end()));
    return sum_of(p) + *std::max_element(p.begin(), p.end());
}

inline double entropy_of_logits(const Row& logits) {
    const double highest = *std::max_element(logits.begin(), logits.end());
    Row rest;
    Row spread;
    bool highest_seen = false;
    for (const double x : logits) {
        const double e = std::exp(x - highest);
        spread.push_back(e * (highest - x));
        if (x == highest && !highest_seen)
            highest_seen = true;
        else
            rest.push_back(e);
    }
    const double sum = sum_of(rest);
    return std::log1p(sum) + sum_of(spread) / (1.0 + sum);
}

inline double score_of_distribution(std::string_view name, const Row& p) {
    if (name == "least_confidence") return least_confidence(p);
    if (name == "margin") return margin(p);
    if (name == "ratio") return ratio(p);
    if (name == "entropy" || name == "consensus_entropy") return entropy(p);
    if (name == "gini") return gini(p);
    if (name == "gradient_length") return gradient_length(p);
    throw std::invalid_argument("no oracle for " + std::string(name));
}

}  // namespace sluice::oracle
