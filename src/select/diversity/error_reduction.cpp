#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/canonical_math.hpp"
#include "kernels/worker_pool.hpp"
#include "select/diversity/all_rows.hpp"
#include "select/diversity/fisher.hpp"
#include "select/diversity/joint_outcomes.hpp"
#include "select/diversity/row_greedy.hpp"
#include "select/diversity/rules.hpp"
#include "select/diversity/shared_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace sluice::select {
namespace {

constexpr std::int64_t most_parameters = 1024;
constexpr double most_work = 0x1p40;  // multiplications of one rank: some minutes on one core

using Square = std::vector<double>;  // [C, C]

// What the labels of a rank's rows take: for each row and class, the layer's answers to all rows.
void require_work(double share_rows, double all_rows, double dim, double classes) {
    require(dim * classes <= static_cast<double>(most_parameters), ExitCode::usage,
            fmt::format("--diversify error_reduction: a last layer of {} parameters is more than "
                        "{}; give a pool with fewer features or choose another rule",
                        dim * classes, most_parameters));
    const double parameters = dim * classes;
    const double work = share_rows * (all_rows * (dim + classes) * classes * classes +
                                      parameters * parameters * (1.0 + classes));
    require(work <= most_work, ExitCode::usage,
            fmt::format("--diversify error_reduction: {:.2g} multiplications on each rank for a "
                        "shortlist of {} rows, more than {:.2g}; lower --shortlist or use more "
                        "ranks",
                        work, all_rows, most_work));
}

// The layer's expected error after one label more, all in float64 and in one order.
class LastLayer {
  public:
    LastLayer(const ShortlistShare& share, comm::Communicator& world)
        : dim_(share.features.dim), classes_(share.classes), all_(gather_all_rows(share, world)) {
        ShortlistShare says = share;
        says.features = {share.member_says.data(), std::ssize(share.rows),
                         share.members * share.classes};
        const AllRows said = gather_all_rows(says, world);
        const auto width = static_cast<std::size_t>(said.dim);
        for (std::int64_t i = 0; i < said.size(); ++i) {
            const auto of_row =
                std::span(said.features).subspan(static_cast<std::size_t>(i) * width, width);
            says_.push_back(mean_probabilities(of_row, share.members));
        }
    }

    // M, the inverse of sigma^2 I + the information of the centres. \collective
    void know(const ShortlistShare& share, double noise) {
        const std::int64_t size = dim_ * classes_;
        Matrix known(size, size);
        const InformationSum information(dim_, classes_);
        const auto add = [&](kernels::MatrixView rows, std::span<const float> says) {
            const auto width = static_cast<std::size_t>(share.members * classes_);
            for (std::int64_t i = 0; i < rows.rows; ++i) {
                const auto of_row = says.subspan(static_cast<std::size_t>(i) * width, width);
                information.add(rows.row(i), class_root(mean_probabilities(of_row, share.members)),
                                1.0, known);
            }
        };
        if (share.num_centers > 0) share.visit_saying_centers(add);
        for (std::int64_t i = 0; i < size; ++i)
            known.row(i)[i] += noise;
        inverse_ = inverse_of(std::move(known));
        if (inverse_.rows == 0) {
            throw comm::AgreedError(
                ExitCode::bad_data,
                "--diversify error_reduction: the Fisher matrix of the labeled rows is singular to "
                "float64's precision; raise --sigma or scale the features, e.g. to unit variance");
        }
        for (const std::vector<double>& p : says_)
            error_now_ += entropy_of(p);
        error_now_ /= static_cast<double>(all_.size());
    }

    // By how much the label of a row lowers the mean entropy over all rows.
    double reduction(RowId row) const {
        const std::int64_t local = all_.find(row);
        const std::vector<double>& p = says_[static_cast<std::size_t>(local)];
        const std::vector<double> steps = steps_of(local, p);
        double expected = 0.0;
        for (std::int64_t label = 0; label < classes_; ++label) {
            const double chance = p[static_cast<std::size_t>(label)];
            if (chance > 0.0)
                expected += chance * error_after(steps.data() + label * dim_ * classes_);
        }
        return error_now_ - expected;
    }

  private:
    static double entropy_of(const std::vector<double>& p) {
        double entropy = 0.0;
        for (const double one : p)
            entropy += entropy_term(one);
        return entropy;
    }

    // M (x (x) I), [D C, C].
    std::vector<double> inverse_times(const float* x) const {
        std::vector<double> result(static_cast<std::size_t>(inverse_.rows * classes_), 0.0);
        for (std::int64_t i = 0; i < inverse_.rows; ++i)
            for (std::int64_t d = 0; d < dim_; ++d)
                for (std::int64_t c = 0; c < classes_; ++c)
                    result[static_cast<std::size_t>(i * classes_ + c)] +=
                        inverse_.row(i)[d * classes_ + c] * static_cast<double>(x[d]);
        return result;
    }

    // (I + S K)^-1 with S = diag p - p p^T and K = (x (x) I)^T M (x (x) I); S K has the
    // eigenvalues of a positive semi-definite matrix, so that the sum can be inverted.
    Matrix shrinking(const float* x, const std::vector<double>& p,
                     const std::vector<double>& inverse_x) const {
        Matrix own(classes_, classes_);
        for (std::int64_t d = 0; d < dim_; ++d)
            for (std::int64_t c = 0; c < classes_; ++c)
                for (std::int64_t e = 0; e < classes_; ++e)
                    own.row(c)[e] +=
                        static_cast<double>(x[d]) *
                        inverse_x[static_cast<std::size_t>((d * classes_ + c) * classes_ + e)];
        Matrix sum(classes_, classes_);
        for (std::int64_t c = 0; c < classes_; ++c) {
            for (std::int64_t e = 0; e < classes_; ++e) {
                double mean = 0.0;
                for (std::int64_t f = 0; f < classes_; ++f)
                    mean += p[static_cast<std::size_t>(f)] * own.row(f)[e];
                sum.row(c)[e] =
                    p[static_cast<std::size_t>(c)] * (own.row(c)[e] - mean) + (c == e ? 1.0 : 0.0);
            }
        }
        return inverse_of(std::move(sum));
    }

    // The Newton step of the layer for each label of a row, [C][D, C]:
    // M (x (x) I) (I + S K)^-1 (1[label] - p).
    std::vector<double> steps_of(std::int64_t local, const std::vector<double>& p) const {
        const float* const x = all_.view().row(local);
        const std::vector<double> inverse_x = inverse_times(x);
        const Matrix shrink = shrinking(x, p, inverse_x);
        std::vector<double> steps(static_cast<std::size_t>(classes_ * inverse_.rows), 0.0);
        Square turn(static_cast<std::size_t>(classes_));
        for (std::int64_t label = 0; label < classes_; ++label) {
            for (std::int64_t c = 0; c < classes_; ++c) {
                double sum = 0.0;
                for (std::int64_t e = 0; e < classes_; ++e)
                    sum += shrink.row(c)[e] *
                           ((e == label ? 1.0 : 0.0) - p[static_cast<std::size_t>(e)]);
                turn[static_cast<std::size_t>(c)] = sum;
            }
            double* const step = steps.data() + label * inverse_.rows;
            for (std::int64_t i = 0; i < inverse_.rows; ++i)
                for (std::int64_t c = 0; c < classes_; ++c)
                    step[i] += inverse_x[static_cast<std::size_t>(i * classes_ + c)] *
                               turn[static_cast<std::size_t>(c)];
        }
        return steps;
    }

    // Mean entropy over all rows once the layer has taken a step [D, C].
    double error_after(const double* step) const {
        double sum = 0.0;
        std::vector<double> logits(static_cast<std::size_t>(classes_));
        for (std::int64_t u = 0; u < all_.size(); ++u) {
            const float* const x = all_.view().row(u);
            std::fill(logits.begin(), logits.end(), 0.0);
            for (std::int64_t d = 0; d < dim_; ++d)
                for (std::int64_t c = 0; c < classes_; ++c)
                    logits[static_cast<std::size_t>(c)] +=
                        static_cast<double>(x[d]) * step[d * classes_ + c];
            sum += entropy_of(moved(says_[static_cast<std::size_t>(u)], logits));
        }
        return sum / static_cast<double>(all_.size());
    }

    // p e^change, its sum 1; sure of one class where all others vanish.
    static std::vector<double> moved(const std::vector<double>& p,
                                     const std::vector<double>& change) {
        const double highest = *std::max_element(change.begin(), change.end());
        std::vector<double> result(p.size());
        double sum = 0.0;
        for (std::size_t c = 0; c < p.size(); ++c) {
            result[c] = p[c] * static_cast<double>(
                                   kernels::canonical_exp(static_cast<float>(change[c] - highest)));
            sum += result[c];
        }
        for (double& one : result)
            one = sum > 0.0 ? one / sum : 0.0;
        return result;
    }

    std::int64_t dim_;
    std::int64_t classes_;
    AllRows all_;
    std::vector<std::vector<double>> says_;  // [rows][C]
    Matrix inverse_{0, 0};
    double error_now_ = 0.0;
};

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    if (options.num_picks <= 0) return {};
    const auto all_rows = static_cast<double>(world.sum(std::ssize(share.rows)));
    const auto share_rows = static_cast<double>(world.max(std::ssize(share.rows)));
    world.agree([&] {
        require_work(share_rows, all_rows, static_cast<double>(share.features.dim),
                     static_cast<double>(share.classes));
    });
    LastLayer layer(share, world);
    const double sigma = options.parameters.sigma;
    layer.know(share, std::isnan(sigma) ? 1.0 : sigma * sigma);
    std::vector<Gain> gains(share.rows.size());
    kernels::parallel_for(options.num_threads, std::ssize(gains), [&](std::int64_t local) {
        const auto i = static_cast<std::size_t>(local);
        gains[i] = {layer.reduction(share.rows[i]), share.rows[i]};
    });
    leave_if_stopped(world);
    DiverseBatch batch;
    for (const Gain& gain : best_of_ranks(std::move(gains), options.num_picks, world))
        batch.picks.push_back({gain.row, static_cast<float>(gain.gain)});
    batch.rounds = 3;
    return batch;
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    const auto classes = std::max<std::int64_t>(sizes.classes, 1);
    require_work(static_cast<double>(sizes.share_rows), static_cast<double>(sizes.shortlist_rows),
                 static_cast<double>(sizes.dim), static_cast<double>(classes));
    const std::int64_t parameters = sizes.dim * classes;
    constexpr auto real = static_cast<std::int64_t>(sizeof(double));
    const std::int64_t floats = sizes.dim + sizes.member_floats;
    DiversityForecast forecast;
    forecast.memory_bytes = all_rows_memory(sizes) +
                            sizes.shortlist_rows * (2 * sizes.member_floats * 4 + classes * real) +
                            parameters * (3 * parameters + 2 * classes * sizes.num_threads) * real;
    forecast.rounds = 3;
    forecast.bytes_received = sizes.shortlist_rows * floats * 4;
    return forecast;
}

}  // namespace

// The B rows whose labels are expected to lower the mean entropy over the shortlist most, each as
// if it were asked for alone. The learner is a softmax layer on the features which says what the
// members' mean says; a label moves it by one Newton step of the log-likelihood with prior
// precision sigma^2, whose Hessian is that of the centres and the new row, in place of a new
// training for every row and label. \source Roy and McCallum, "Toward Optimal Active Learning
// through Sampling Estimation of Error Reduction", ICML 2001, equation 3 (log loss); the step:
// Koh and Liang, "Understanding Black-box Predictions via Influence Functions", ICML 2017, with
// the row's own information in the Hessian by Woodbury's identity.
DiversityDefinition error_reduction_rule() {
    DiversityDefinition rule;
    rule.name = "error_reduction";
    rule.aliases = {"roy_mccallum", "eer_classes"};
    rule.summary =
        "expected error reduction of classes (Roy and McCallum): the rows whose label, by what the "
        "model expects of it, lowers the mean entropy of a softmax layer over the shortlist most; "
        "one Newton step a label, noise sigma (1)";
    rule.value = "nats by which the mean entropy falls";
    rule.needs_features = true;
    rule.needs_members = true;
    rule.parameters = "sigma";
    rule.pick = pick;
    rule.forecast = forecast;
    return rule;
}

}  // namespace sluice::select
