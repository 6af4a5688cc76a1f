#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/worker_pool.hpp"
#include "select/diversity/fisher.hpp"
#include "select/diversity/row_greedy.hpp"
#include "select/diversity/rules.hpp"

#include <algorithm>
#include <cmath>
#include <list>

namespace sluice::select {
namespace {

constexpr std::int64_t most_parameters = 1024;
constexpr std::int64_t rows_kept_for_one = 2;  // the forward greedy picks twice the batch

std::vector<double> root_of(const ShortlistShare& share, std::span<const float> says) {
    return class_root(mean_probabilities(says, share.members));
}

std::span<const float> says_of(std::span<const float> all, std::int64_t row,
                               const ShortlistShare& share) {
    const auto floats = static_cast<std::size_t>(share.members * share.classes);
    return all.empty() ? all : all.subspan(static_cast<std::size_t>(row) * floats, floats);
}

// Rows join by the largest fall of tr(M F), and the picks leave again by the least rise.
class ForwardBackward {
  public:
    using Value = float;

    ForwardBackward(const ShortlistShare& share, const DiversityOptions& options)
        : share_(share),
          num_threads_(options.num_threads),
          rank_(share.classes),
          taken_(share.rows.size(), 0),
          gains_(share.rows.size(), 0.0),
          trace_(share.features.dim, rank_, {0, 0}, {0, 0}) {}

    // F of the shortlist and the centres, M of the centres. \collective
    void prepare(double noise, comm::Communicator& world) {
        const std::int64_t dim = share_.features.dim;
        std::vector<std::vector<double>> roots;
        for (std::int64_t i = 0; i < share_.features.rows; ++i)
            roots.push_back(root_of(share_, says_of(share_.member_says, i, share_)));
        const InformationSum information(dim, rank_);
        Matrix error = information.over_ranks(share_.features, roots, world);
        Matrix known = sum_of_centers(information);
        const std::int64_t num_rows = world.sum(share_.features.rows) + share_.num_centers;
        for (std::size_t i = 0; i < error.values.size(); ++i)
            error.values[i] = (error.values[i] + known.values[i]) / static_cast<double>(num_rows);
        for (std::int64_t i = 0; i < known.rows; ++i)
            known.row(i)[i] += noise;
        Matrix inverse = inverse_of(std::move(known));
        if (inverse.rows == 0) {
            throw comm::AgreedError(
                ExitCode::bad_data,
                "--diversify bait_classes: the Fisher matrix of the labeled rows is singular to "
                "float64's "
                "precision; raise --sigma or scale the features, e.g. to unit variance");
        }
        trace_ = FisherTrace(dim, rank_, std::move(inverse), std::move(error));
        rows_.resize(roots.size());
        kernels::parallel_for(num_threads_, std::ssize(roots), [&](std::int64_t i) {
            const auto at = static_cast<std::size_t>(i);
            rows_[at] = trace_.row(share_.features.row(i), std::move(roots[at]));
        });
    }

    Gain best(std::int64_t) {
        kernels::parallel_for(num_threads_, std::ssize(rows_), [&](std::int64_t local) {
            const auto i = static_cast<std::size_t>(local);
            if (taken_[i] == 0) gains_[i] = trace_.fall(rows_[i]);
        });
        return best_free(share_.rows, taken_, [&](std::size_t i) { return gains_[i]; });
    }

    std::vector<float> say(std::int64_t local) const {
        const float* const x = share_.features.row(local);
        std::vector<float> said(x, x + share_.features.dim);
        const auto says = says_of(share_.member_says, local, share_);
        said.insert(said.end(), says.begin(), says.end());
        return said;
    }

    void take(Gain, std::int64_t local, std::span<const float> said) {
        if (local >= 0) taken_[static_cast<std::size_t>(local)] = 1;
        const auto dim = static_cast<std::size_t>(share_.features.dim);
        said_.push_back({said.begin(), said.end()});
        const std::vector<float>& own = said_.back();
        FisherRow row = trace_.row(own.data(), root_of(share_, std::span(own).subspan(dim)));
        update_all(trace_.join(row), row);
        picked_.push_back(std::move(row));
    }

    float value(Gain pick) const { return static_cast<float>(pick.gain); }

    // Which of the picks, in order, leaves last of all; the same on all ranks.
    void prune(std::int64_t num_picks, std::vector<DiversePick>& picks) {
        rows_.clear();  // nothing joins any more
        while (std::ssize(picks) > num_picks) {
            std::size_t least = 0;
            for (std::size_t i = 1; i < picks.size(); ++i) {
                const double rise = trace_.rise(picked_[i]);
                const double lowest = trace_.rise(picked_[least]);
                if (rise < lowest || (rise == lowest && picks[i].row > picks[least].row)) least = i;
            }
            if (!std::isfinite(trace_.rise(picked_[least]))) {
                throw comm::AgreedError(
                    ExitCode::bad_data,
                    "--diversify bait_classes: without any of the picks the Fisher "
                    "matrix is singular to float64's precision; raise --sigma "
                    "or scale the features, e.g. to unit variance");
            }
            const FisherRow gone = picked_[least];
            picks.erase(picks.begin() + static_cast<std::int64_t>(least));
            picked_.erase(picked_.begin() + static_cast<std::int64_t>(least));
            FisherRow unused = gone;
            update_all(trace_.leave(gone), unused);
        }
    }

  private:
    // Blocks of centres are the same on all ranks, and so is the order of this sum. \collective
    Matrix sum_of_centers(const InformationSum& information) const {
        const std::int64_t size = share_.features.dim * rank_;
        Matrix sum(size, size);
        const auto add = [&](kernels::MatrixView rows, std::span<const float> says) {
            for (std::int64_t i = 0; i < rows.rows; ++i)
                information.add(rows.row(i), root_of(share_, says_of(says, i, share_)), 1.0, sum);
        };
        if (share_.num_centers == 0) return sum;
        share_.visit_saying_centers(add);
        return sum;
    }

    void update_all(const FisherTrace::Step& step, FisherRow& joined) {
        kernels::parallel_for(num_threads_, std::ssize(rows_), [&](std::int64_t local) {
            const auto i = static_cast<std::size_t>(local);
            if (taken_[i] == 0) trace_.update(step, rows_[i]);
        });
        for (FisherRow& row : picked_)
            trace_.update(step, row);
        trace_.update(step, joined);
    }

    const ShortlistShare& share_;
    int num_threads_;
    std::int64_t rank_;
    std::vector<std::uint8_t> taken_;
    std::vector<double> gains_;
    FisherTrace trace_;
    std::vector<FisherRow> rows_;         // of the share
    std::vector<FisherRow> picked_;       // on every rank
    std::list<std::vector<float>> said_;  // what picked_ points to
};

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    ForwardBackward greedy(share, options);
    const double sigma = options.parameters.sigma;
    greedy.prepare(std::isnan(sigma) ? 1.0 : sigma * sigma, world);
    DiversityOptions twice = options;
    twice.num_picks = rows_kept_for_one * options.num_picks;
    DiverseBatch batch = pick_by_rows(share, twice, greedy, world);
    greedy.prune(options.num_picks, batch.picks);
    return batch;
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    const std::int64_t rank = sizes.classes;
    const std::int64_t parameters = sizes.dim * rank;
    require(parameters <= most_parameters, ExitCode::usage,
            "--diversify bait_classes: a last layer of " + count_text(parameters) +
                " parameters is more than " + count_text(most_parameters) +
                "; give a pool with fewer features or choose another rule");
    constexpr auto real = static_cast<std::int64_t>(sizeof(double));
    const std::int64_t rows = sizes.share_rows + rows_kept_for_one * sizes.num_picks;
    const std::int64_t floats_of_pick = sizes.dim + sizes.member_floats;
    DiversityForecast forecast;
    forecast.memory_bytes = 6 * parameters * parameters * real +
                            rows * (3 * rank * rank * real + std::int64_t{sizeof(FisherRow)}) +
                            4 * parameters * rank * real;
    forecast.rounds = rows_kept_for_one * sizes.num_picks;
    forecast.bytes_received = rows_kept_for_one * sizes.num_picks * floats_of_pick *
                                  static_cast<std::int64_t>(sizeof(float)) +
                              parameters * parameters * real;
    return forecast;
}

}  // namespace

// Picks twice the batch, each time the row that makes tr(M F) fall most, then lets the row leave
// whose leaving makes it rise least until the batch is left. M is the inverse of sigma^2 I + the
// Fisher information of labeled, pending and picked rows, F the mean information of the shortlist
// and the labeled rows. Not monotone with the backward half, so each pick looks at every row. The
// rounding of F to whole numbers (InformationSum) is below 2^-(60 - log2 rows) of its largest term.
// \source Ash, Goel, Krishnamurthy and Kakade, "Gone Fishing: Neural Active Learning with Fisher
//         Embeddings", NeurIPS 2021, algorithm 1 (lambda = sigma^2 = 1).
DiversityDefinition bait_classes_rule() {
    DiversityDefinition rule;
    rule.name = "bait_classes";
    rule.aliases = {"bait_classification"};
    rule.summary =
        "BAIT of a softmax layer: least tr(M F), F the Fisher information of the shortlist, M the "
        "inverse of that of centres and picks with noise sigma (1); 2 B rows forward, then B taken "
        "back";
    rule.value = "fall of tr(M F) when picked";
    rule.needs_features = true;
    rule.needs_members = true;
    rule.parameters = "sigma";
    rule.pick = pick;
    rule.forecast = forecast;
    return rule;
}

}  // namespace sluice::select
