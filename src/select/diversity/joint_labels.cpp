#include "select/diversity/joint_labels.hpp"

#include "core/philox.hpp"
#include "select/precise_log.hpp"

#include <algorithm>

namespace sluice::select {
namespace {

// -x ln x, 0 for what is too small to count.
double entropy_term(double x) {
    return x > 1e-290 ? -x * precise_log(x) : 0.0;
}

double entropy_of(const double* values, std::int64_t count) {
    double sum = 0.0;
    for (std::int64_t i = 0; i < count; ++i)
        sum += entropy_term(values[i]);
    return sum;
}

}  // namespace

std::vector<double> member_table(std::span<const float> member_says, std::int64_t members) {
    std::vector<double> table(member_says.begin(), member_says.end());
    const std::int64_t classes = std::ssize(table) / members;
    for (std::int64_t m = 0; m < members; ++m) {
        double* const own = table.data() + m * classes;
        double sum = 0.0;
        for (std::int64_t c = 0; c < classes; ++c)
            sum += own[c];
        for (std::int64_t c = 0; c < classes; ++c)
            own[c] /= sum;
    }
    return table;
}

JointLabels::JointLabels(std::int64_t members, std::int64_t classes, std::int64_t most, Draws draws)
    : members_(members),
      classes_(classes),
      most_(most),
      draws_(draws),
      weights_{1.0},
      posteriors_(static_cast<std::size_t>(members), 1.0 / static_cast<double>(members)) {}

double JointLabels::gain(const std::vector<double>& table) const {
    std::vector<double> own(static_cast<std::size_t>(members_));
    for (std::int64_t m = 0; m < members_; ++m)
        own[static_cast<std::size_t>(m)] = entropy_of(table.data() + m * classes_, classes_);
    std::vector<double> mean(static_cast<std::size_t>(classes_));
    double sum = 0.0;
    for (std::int64_t k = 0; k < count(); ++k) {
        const double* const posterior = posteriors_.data() + k * members_;
        std::fill(mean.begin(), mean.end(), 0.0);
        double conditional = 0.0;
        for (std::int64_t m = 0; m < members_; ++m) {
            const double* const p = table.data() + m * classes_;
            for (std::int64_t c = 0; c < classes_; ++c)
                mean[static_cast<std::size_t>(c)] += posterior[m] * p[c];
            conditional += posterior[m] * own[static_cast<std::size_t>(m)];
        }
        sum += weights_[static_cast<std::size_t>(k)] *
               (entropy_of(mean.data(), classes_) - conditional);
    }
    return sum;
}

void JointLabels::add(RowId row, std::vector<double> table) {
    picked_.push_back({row, std::move(table)});
    if (is_exact_ && count() * classes_ > most_) {
        start_samples();
    } else if (is_exact_) {
        multiply(picked_.back());
    } else {
        sample(picked_.back());
    }
}

// Each joint label splits into one for each class.
void JointLabels::multiply(const Picked& picked) {
    std::vector<double> weights;
    std::vector<double> posteriors;
    std::vector<double> next(static_cast<std::size_t>(members_));
    for (std::int64_t k = 0; k < count(); ++k) {
        for (std::int64_t c = 0; c < classes_; ++c) {
            double chance = 0.0;
            for (std::int64_t m = 0; m < members_; ++m) {
                double& own = next[static_cast<std::size_t>(m)];
                own = posteriors_[static_cast<std::size_t>(k * members_ + m)] *
                      picked.table[static_cast<std::size_t>(m * classes_ + c)];
                chance += own;
            }
            const double weight = weights_[static_cast<std::size_t>(k)] * chance;
            if (!(weight > 1e-290)) continue;  // cannot be
            weights.push_back(weight);
            for (const double own : next)
                posteriors.push_back(own / chance);
        }
    }
    weights_ = std::move(weights);
    posteriors_ = std::move(posteriors);
}

// As many samples of each member's joint labels; all rows picked so far are drawn anew.
void JointLabels::start_samples() {
    is_exact_ = false;
    const std::int64_t samples = (most_ + members_ - 1) / members_ * members_;
    weights_.assign(static_cast<std::size_t>(samples), 1.0 / static_cast<double>(samples));
    posteriors_.assign(static_cast<std::size_t>(samples * members_),
                       1.0 / static_cast<double>(members_));
    for (const Picked& picked : picked_)
        sample(picked);
}

void JointLabels::sample(const Picked& picked) {
    for (std::int64_t k = 0; k < count(); ++k) {
        const std::int64_t label = draw(picked, k);
        double* const posterior = posteriors_.data() + k * members_;
        double chance = 0.0;
        for (std::int64_t m = 0; m < members_; ++m) {
            posterior[m] *= picked.table[static_cast<std::size_t>(m * classes_ + label)];
            chance += posterior[m];
        }
        for (std::int64_t m = 0; m < members_; ++m)
            posterior[m] /= chance;
    }
}

// The label that sample's member gives the row: the same for all candidates.
std::int64_t JointLabels::draw(const Picked& picked, std::int64_t sample) const {
    const Philox4 words =
        random_words(draws_.seed, RandomPurpose::label_draws, draws_.round,
                     static_cast<std::uint64_t>(picked.row), static_cast<std::uint32_t>(sample));
    const double u = (words.word[0] + (words.word[1] + 0.5) * 0x1p-32) * 0x1p-32;
    const double* const p = picked.table.data() + sample % members_ * classes_;
    std::int64_t label = 0;
    double sum = 0.0;
    for (std::int64_t c = 0; c < classes_; ++c) {
        if (p[c] <= 0.0) continue;
        label = c;
        sum += p[c];
        if (sum > u) break;
    }
    return label;
}

double JointLabels::information() const {
    double sum = 0.0;
    for (std::int64_t k = 0; k < count(); ++k) {
        sum += weights_[static_cast<std::size_t>(k)] *
               entropy_of(posteriors_.data() + k * members_, members_);
    }
    return std::max(0.0, precise_log(static_cast<double>(members_)) - sum);
}

double JointLabels::joint_entropy() const {
    return entropy_of(weights_.data(), count());
}

}  // namespace sluice::select
