#include "core/error.hpp"
#include "kernels/worker_pool.hpp"
#include "select/diversity/joint_outcomes.hpp"
#include "select/diversity/nearest_state.hpp"
#include "select/diversity/rules.hpp"
#include "select/precise_log.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::select {
namespace {

constexpr std::int64_t most_outcomes = 2048;

// Greedy on the information that the labels of all picks together hold on the members. What a row
// adds, I(y; member | labels of the picks), is the mean over their outcomes s of
// H(sum of w_sm p_m) - sum of w_sm H(p_m), w_sm the members' probabilities given s: the exact step
// of the joint entropy while all outcomes are counted, and between 0 and ln min(M, C) also when
// they are drawn. \source Kirsch, van Amersfoort, Gal 2019, "BatchBALD", NeurIPS, equations 8 to
// 12; the gain by the
//         chain rule of information.
class JointInformation {
  public:
    using Value = float;

    JointInformation(const ShortlistShare& share, const DiversityOptions& options)
        : share_(share),
          options_(options),
          outcomes_(share.members, most_outcomes, options.seed, options.round),
          taken_(share.rows.size(), 0),
          gains_(share.rows.size()) {
        const auto classes = static_cast<std::size_t>(share.classes);
        for (std::size_t at = 0; at < share.member_says.size(); at += classes) {
            double entropy = 0.0;
            for (const float p : share.member_says.subspan(at, classes))
                entropy += entropy_term(static_cast<double>(p));
            entropies_.push_back(entropy);
        }
        update();
    }

    Gain best(std::int64_t) const {
        return best_free(share_.rows, taken_, [&](std::size_t i) { return gains_[i]; });
    }
    std::vector<float> say(std::int64_t local) const {
        const std::span<const float> said = says(static_cast<std::size_t>(local));
        return {said.begin(), said.end()};
    }
    void take(const Gain& pick, std::int64_t local, std::span<const float> said) {
        if (local >= 0) taken_[static_cast<std::size_t>(local)] = 1;
        outcomes_.take(said, pick.row);
        update();
    }
    float value(const Gain& pick) const { return static_cast<float>(pick.gain); }

    std::string note(std::int64_t num_picks) const {
        const double bound = std::min(
            precise_log(static_cast<double>(share_.members)),
            static_cast<double>(num_picks) * precise_log(static_cast<double>(share_.classes)));
        const double information = outcomes_.information();
        require(information <= bound + 1e-9, ExitCode::internal,
                fmt::format("batchbald: {} nats of information, more than the possible {}",
                            information, bound));
        return fmt::format(
            "batchbald: {:.6g} of at most {:.6g} nats on the members ({})", information, bound,
            outcomes_.is_exact() ? std::string("exact") : fmt::format("{} draws", most_outcomes));
    }

  private:
    std::span<const float> says(std::size_t local) const {
        const auto width = static_cast<std::size_t>(share_.members * share_.classes);
        return share_.member_says.subspan(local * width, width);
    }

    void update() {
        const std::vector<double> mean = outcomes_.mean_members();
        kernels::parallel_for(options_.num_threads, std::ssize(gains_), [&](std::int64_t i) {
            const auto local = static_cast<std::size_t>(i);
            if (taken_[local] == 0) gains_[local] = gain(local, mean);
        });
    }

    double gain(std::size_t local, std::span<const double> mean) const {
        const std::span<const float> said = says(local);
        const auto classes = static_cast<std::size_t>(share_.classes);
        double joint = 0.0;
        for (std::int64_t outcome = 0; outcome < outcomes_.size(); ++outcome) {
            const std::span<const double> members = outcomes_.members(outcome);
            double entropy = 0.0;
            for (std::size_t c = 0; c < classes; ++c) {
                double p = 0.0;
                for (std::size_t m = 0; m < members.size(); ++m)
                    p += members[m] * static_cast<double>(said[m * classes + c]);
                entropy += entropy_term(p);
            }
            joint += outcomes_.probability(outcome) * entropy;
        }
        double known = 0.0;
        for (std::size_t m = 0; m < mean.size(); ++m)
            known += mean[m] * entropies_[local * mean.size() + m];
        return joint - known;
    }

    const ShortlistShare& share_;
    const DiversityOptions& options_;
    JointOutcomes outcomes_;
    std::vector<std::uint8_t> taken_;
    std::vector<double> gains_;
    std::vector<double> entropies_;  // [rows, M]
};

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    world.agree([&] {
        require(share.members > 1, ExitCode::usage,
                "--diversify batchbald: a single member says nothing of what a label would tell; "
                "give a committee [N,M,C] or a model of several members");
    });
    JointInformation objective(share, options);
    DiverseBatch batch = pick_by_rows(share, options, objective, world);
    batch.note = objective.note(std::ssize(batch.picks));
    return batch;
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    DiversityForecast forecast = forecast_by_rows(sizes, sizes.member_floats);
    const std::int64_t of_members = sizes.member_floats * 8;
    forecast.memory_bytes += sizes.share_rows * of_members + 3 * most_outcomes * (of_members + 8);
    return forecast;
}

}  // namespace

DiversityDefinition batchbald_rule() {
    DiversityDefinition rule;
    rule.name = "batchbald";
    rule.aliases = {"batch_bald", "joint_bald"};
    rule.summary =
        "BatchBALD: the information that all labels of the batch together hold on the committee's "
        "members; exact up to 2,048 outcomes, then as many draws of them";
    rule.value = "nats that the pick adds";
    rule.needs_features = true;
    rule.needs_members = true;
    rule.pick = pick;
    rule.forecast = forecast;
    return rule;
}

}  // namespace sluice::select
