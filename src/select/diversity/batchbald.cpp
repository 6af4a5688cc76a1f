#include "core/error.hpp"
#include "kernels/worker_pool.hpp"
#include "select/diversity/joint_labels.hpp"
#include "select/diversity/row_greedy.hpp"
#include "select/diversity/rules.hpp"

namespace sluice::select {
namespace {

// Joint labels that are all looked at, and samples beyond.
constexpr std::int64_t most_joint_labels = 4096;

// The label that tells most of which member is right, given the labels of the rows before.
class Information {
  public:
    using Value = float;

    Information(const ShortlistShare& share, const DiversityOptions& options)
        : share_(share),
          num_threads_(options.num_threads),
          taken_(share.rows.size(), 0),
          gains_(share.rows.size(), 0.0),
          joint_(share.members, share.classes, most_joint_labels, {options.seed, options.round}) {}

    Gain best(std::int64_t) {
        kernels::parallel_for(num_threads_, std::ssize(gains_), [&](std::int64_t local) {
            const auto i = static_cast<std::size_t>(local);
            if (taken_[i] == 0) gains_[i] = joint_.gain(member_table(says(local), share_.members));
        });
        return best_free(share_.rows, taken_, [&](std::size_t i) { return gains_[i]; });
    }

    std::vector<float> say(std::int64_t local) const {
        const std::span<const float> own = says(local);
        return {own.begin(), own.end()};
    }

    void take(Gain pick, std::int64_t local, std::span<const float> said) {
        if (local >= 0) taken_[static_cast<std::size_t>(local)] = 1;
        joint_.add(pick.row, member_table(said, share_.members));
    }

    float value(Gain) const { return static_cast<float>(joint_.information()); }

  private:
    std::span<const float> says(std::int64_t local) const {
        const auto floats = static_cast<std::size_t>(share_.members * share_.classes);
        return share_.member_says.subspan(static_cast<std::size_t>(local) * floats, floats);
    }

    const ShortlistShare& share_;
    int num_threads_;
    std::vector<std::uint8_t> taken_;
    std::vector<double> gains_;
    JointLabels joint_;
};

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    if (share.members < 2) {
        throw comm::AgreedError(
            ExitCode::bad_data,
            "--diversify batchbald: a single member disagrees with nobody; give a committee's "
            "probabilities or a model of several nets, or choose another rule");
    }
    Information information(share, options);
    return pick_by_rows(share, options, information, world);
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    constexpr auto real = static_cast<std::int64_t>(sizeof(double));
    DiversityForecast forecast;
    // Joint labels before and after a pick; the tables of the picks; gains.
    forecast.memory_bytes = 2 * most_joint_labels * (sizes.member_floats + 1) * real +
                            sizes.num_picks * sizes.member_floats * real +
                            sizes.share_rows * (real + 1);
    forecast.rounds = sizes.num_picks;
    forecast.bytes_received =
        sizes.num_picks * sizes.member_floats * static_cast<std::int64_t>(sizeof(float));
    return forecast;
}

}  // namespace

// The greedy on what the labels of the batch tell together about which member is right. Exact while
// the joint labels of the rows before are at most 4096 (with 10 classes: 4 picks; with 2: 13), then
// on that many samples of them, the same for all candidates: a function of seed, round and rows.
// What is printed never exceeds ln(members).
// \source Kirsch, van Amersfoort and Gal, "BatchBALD", NeurIPS 2019.
DiversityDefinition batchbald_rule() {
    DiversityDefinition rule;
    rule.name = "batchbald";
    rule.aliases = {"batch_bald", "batch-bald"};
    rule.summary =
        "what the labels of the batch tell together about which member of the committee is right; "
        "exact for the first picks, then sampled";
    rule.value = "nats that the labels of the batch so far tell, at most ln(members)";
    rule.needs_features = true;
    rule.needs_members = true;
    rule.pick = pick;
    rule.forecast = forecast;
    return rule;
}

}  // namespace sluice::select
