#include "select/diversity/joint_outcomes.hpp"

#include "core/philox.hpp"
#include "select/precise_log.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace sluice::select {

double entropy_term(double p) {
    return p < std::numeric_limits<double>::min() ? 0.0 : -p * precise_log(p);
}

// One outcome with one more label: the members that it speaks for.
struct JointOutcomes::Split {
    std::span<const float> says;  // [M, C]
    std::int64_t members;

    std::int64_t classes() const { return std::ssize(says) / members; }

    // The probability of class c, and members [M] given it.
    double of_class(std::span<const double> before, std::int64_t c,
                    std::vector<double>& after) const {
        double sum = 0.0;
        after.resize(before.size());
        for (std::size_t m = 0; m < before.size(); ++m) {
            const auto at = m * static_cast<std::size_t>(classes()) + static_cast<std::size_t>(c);
            after[m] = before[m] * static_cast<double>(says[at]);
            sum += after[m];
        }
        for (double& value : after)
            value = sum > 0.0 ? value / sum : 0.0;
        return sum;
    }
};

JointOutcomes::JointOutcomes(std::int64_t members, std::int64_t most, std::uint64_t seed,
                             std::uint32_t round)
    : num_members_(members),
      most_(most),
      seed_(seed),
      round_(round),
      probability_(1, 1.0),
      members_(static_cast<std::size_t>(members), 1.0 / static_cast<double>(members)) {}

std::span<const double> JointOutcomes::members(std::int64_t outcome) const {
    const auto width = static_cast<std::size_t>(num_members_);
    return std::span(members_).subspan(static_cast<std::size_t>(outcome) * width, width);
}

std::vector<double> JointOutcomes::mean_members() const {
    std::vector<double> mean(static_cast<std::size_t>(num_members_), 0.0);
    for (std::int64_t outcome = 0; outcome < size(); ++outcome) {
        const std::span<const double> of_outcome = members(outcome);
        for (std::size_t m = 0; m < mean.size(); ++m)
            mean[m] += probability(outcome) * of_outcome[m];
    }
    return mean;
}

double JointOutcomes::random_number(std::int64_t pick, std::int64_t outcome) const {
    const Philox4 words =
        random_words(seed_, RandomPurpose::diversity_answer, round_,
                     static_cast<std::uint64_t>(pick), static_cast<std::uint32_t>(outcome));
    const std::uint64_t bits = (std::uint64_t{words.word[1]} << 32) | words.word[0];
    return (static_cast<double>(bits >> 11) + 0.5) * 0x1p-53;
}

void JointOutcomes::take(std::span<const float> says, std::int64_t pick) {
    const Split split{says, num_members_};
    if (is_exact_ && size() * split.classes() > most_) draw_outcomes();
    if (is_exact_) {
        split_all(split);
    } else {
        draw_one_each(split, pick);
    }
}

// From all outcomes to `most` draws of them, spread evenly over their probabilities.
void JointOutcomes::draw_outcomes() {
    is_exact_ = false;
    const double total = std::accumulate(probability_.begin(), probability_.end(), 0.0);
    const double step = total / static_cast<double>(most_);
    double target = step * random_number(-1, 0);
    std::vector<double> drawn;
    double sum = 0.0;
    std::int64_t outcome = -1;
    for (std::int64_t i = 0; i < most_; ++i, target += step) {
        while (outcome < 0 || (sum < target && outcome + 1 < size()))
            sum += probability(++outcome);
        drawn.insert(drawn.end(), members(outcome).begin(), members(outcome).end());
    }
    members_ = std::move(drawn);
    probability_.assign(static_cast<std::size_t>(most_), 1.0 / static_cast<double>(most_));
}

void JointOutcomes::split_all(const Split& split) {
    std::vector<double> probability;
    std::vector<double> members;
    std::vector<double> after;
    for (std::int64_t outcome = 0; outcome < size(); ++outcome) {
        for (std::int64_t c = 0; c < split.classes(); ++c) {
            const double share = split.of_class(this->members(outcome), c, after);
            if (!(share > 0.0)) continue;
            probability.push_back(this->probability(outcome) * share);
            members.insert(members.end(), after.begin(), after.end());
        }
    }
    probability_ = std::move(probability);
    members_ = std::move(members);
}

void JointOutcomes::draw_one_each(const Split& split, std::int64_t pick) {
    std::vector<double> after;
    std::vector<double> best;
    for (std::int64_t outcome = 0; outcome < size(); ++outcome) {
        const double target = random_number(pick, outcome);
        double sum = 0.0;
        for (std::int64_t c = 0; c < split.classes(); ++c) {
            const double share = split.of_class(members(outcome), c, after);
            if (share > 0.0) best = after;  // the last possible class, should rounding leave a gap
            sum += share;
            if (sum >= target) break;
        }
        std::copy(best.begin(), best.end(), members_.begin() + outcome * num_members_);
    }
}

double JointOutcomes::information() const {
    double left = 0.0;
    for (std::int64_t outcome = 0; outcome < size(); ++outcome) {
        double entropy = 0.0;
        for (const double p : members(outcome))
            entropy += entropy_term(p);
        left += probability(outcome) * entropy;
    }
    return std::max(0.0, precise_log(static_cast<double>(num_members_)) - left);
}

}  // namespace sluice::select
