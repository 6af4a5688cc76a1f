#include "core/error.hpp"
#include "kernels/worker_pool.hpp"
#include "pool/made_precise.hpp"
#include "select/diversity/firal.hpp"
#include "select/diversity/fisher.hpp"
#include "select/diversity/nearest_state.hpp"
#include "select/diversity/row_greedy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sluice::select {
namespace {

constexpr int most_steps = 200;
constexpr double good_gap = 1e-3;  // of the objective

// The whole shortlist on every rank, by row.
struct WholeList {
    std::vector<RowId> rows;
    std::vector<std::vector<float>> features;
    std::vector<std::vector<double>> roots;
    std::int64_t size() const { return std::ssize(rows); }
};

WholeList gather_list(const ShortlistShare& share, comm::Communicator& world) {
    const auto rows = world.all_gather(share.rows);
    const auto dim = static_cast<std::size_t>(share.features.dim);
    const auto values = world.all_gather(std::span(share.features.data, share.rows.size() * dim));
    const auto says = world.all_gather(share.member_says);
    std::vector<std::size_t> order(rows.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return rows[a] < rows[b]; });
    const auto floats = static_cast<std::size_t>(share.members * share.classes);
    WholeList list;
    for (const std::size_t i : order) {
        const float* const x = values.data() + i * dim;
        list.rows.push_back(rows[i]);
        list.features.emplace_back(x, x + dim);
        list.roots.push_back(class_root(
            mean_probabilities(std::span(says).subspan(i * floats, floats), share.members)));
    }
    return list;
}

void add_times(Matrix& sum, const Matrix& term, double weight) {
    for (std::size_t i = 0; i < sum.values.size(); ++i)
        sum.values[i] += weight * term.values[i];
}

Matrix inverse_or_throw(const Matrix& matrix) {
    Matrix inverse = inverse_of(matrix);
    if (inverse.rows == 0) {
        throw comm::AgreedError(ExitCode::bad_data,
                                "--diversify firal: the Fisher matrix is singular to float64's "
                                "precision; raise --sigma or scale the features, e.g. to unit "
                                "variance");
    }
    return inverse;
}

class Firal {
  public:
    Firal(const ShortlistShare& share, const DiversityOptions& options, comm::Communicator& world)
        : dim_(share.features.dim),
          rank_(share.classes),
          num_threads_(options.num_threads),
          list_(gather_list(share, world)),
          information_(dim_, rank_),
          known_(dim_ * rank_, dim_ * rank_),
          wanted_(dim_ * rank_, dim_ * rank_),
          num_picks_(std::min(options.num_picks, list_.size())) {
        const double sigma = value_or(options.parameters.sigma, 1.0);
        if (share.num_centers > 0)
            share.visit_saying_centers(
                [&](auto rows, auto says) { add_centers(rows, says, share); });
        for (std::int64_t i = 0; i < known_.rows; ++i)
            known_.row(i)[i] += sigma * sigma;
        const double part = 1.0 / static_cast<double>(std::max<std::int64_t>(1, list_.size()));
        for (std::int64_t i = 0; i < list_.size(); ++i)
            information_.add(x(i), root(i), part, wanted_);
    }

    // Weights of the rows, their sum 1, by mirror descent; a step that does not help is halved.
    void relax(comm::Communicator& world) {
        weights_.assign(list_.rows.size(), 1.0 / static_cast<double>(list_.size()));
        View now = look(weights_);
        double rate = 1.0;
        for (int step = 0; step < most_steps && now.gap > good_gap * now.objective; ++step) {
            leave_if_stopped(world);
            std::vector<double> next(weights_.size());
            const double steepest = *std::max_element(now.slopes.begin(), now.slopes.end());
            double sum = 0.0;
            for (std::size_t i = 0; i < next.size(); ++i) {
                next[i] = weights_[i] * pool::precise_exp(rate * (now.slopes[i] / steepest - 1.0));
                sum += next[i];
            }
            for (double& weight : next)
                weight /= sum;
            View there = look(next);
            if (there.objective > now.objective) {
                rate *= 0.5;
                if (rate < 1e-6) break;
                continue;
            }
            weights_ = std::move(next);
            now = std::move(there);
            rate = std::min(600.0, 2.0 * rate);
        }
        objective_ = now.objective;
        gap_ = now.gap;
    }

    // Follow the regularised leader: the row that makes tr(B^-1 S) least, S what the weights say.
    std::vector<DiversePick> round(comm::Communicator& world) {
        const Matrix spread = spread_of(weights_);
        const double rate = 8.0 * std::sqrt(static_cast<double>(spread.rows));
        const double share_of_known = 1.0 / static_cast<double>(num_picks_);
        Matrix taken(spread.rows, spread.rows);  // information of the picks and their part of known
        double shift = std::sqrt(static_cast<double>(spread.rows));
        std::vector<std::uint8_t> is_taken(list_.rows.size(), 0);
        std::vector<DiversePick> picks;
        while (std::ssize(picks) < num_picks_) {
            leave_if_stopped(world);
            add_times(taken, known_, share_of_known);
            Matrix leader = taken;
            for (std::size_t i = 0; i < leader.values.size(); ++i)
                leader.values[i] = rate * leader.values[i] + shift * spread.values[i];
            const FisherTrace trace(dim_, rank_, inverse_or_throw(leader), spread);
            std::vector<double> falls(list_.rows.size(), 0.0);
            kernels::parallel_for(num_threads_, list_.size(), [&](std::int64_t i) {
                const auto at = static_cast<std::size_t>(i);
                if (is_taken[at] != 0) return;
                std::vector<double> scaled = root(i);
                for (double& value : scaled)
                    value *= std::sqrt(rate);
                falls[at] = trace.fall(trace.row(x(i), std::move(scaled)));
            });
            const Gain best =
                best_free(list_.rows, is_taken, [&](std::size_t i) { return falls[i]; });
            const auto at = static_cast<std::size_t>(
                std::lower_bound(list_.rows.begin(), list_.rows.end(), best.row) -
                list_.rows.begin());
            is_taken[at] = 1;
            picks.push_back({best.row, static_cast<float>(best.gain)});
            information_.add(x(static_cast<std::int64_t>(at)), list_.roots[at], 1.0, taken);
            shift = next_shift(spread, taken, rate, shift);
        }
        return picks;
    }

    double objective() const { return objective_; }
    double gap() const { return gap_; }
    std::int64_t num_picks() const { return num_picks_; }

  private:
    // tr(S^-1 wanted) at some weights, how fast each weight makes it fall, and how far above the
    // least possible value it may be at most (it is convex in the weights).
    struct View {
        double objective = 0.0;
        std::vector<double> slopes;
        double gap = 0.0;
    };

    const float* x(std::int64_t i) const {
        return list_.features[static_cast<std::size_t>(i)].data();
    }
    const std::vector<double>& root(std::int64_t i) const {
        return list_.roots[static_cast<std::size_t>(i)];
    }

    void add_centers(kernels::MatrixView rows, std::span<const float> says,
                     const ShortlistShare& share) {
        const auto floats = static_cast<std::size_t>(share.members * share.classes);
        for (std::int64_t i = 0; i < rows.rows; ++i) {
            const auto own = says.subspan(static_cast<std::size_t>(i) * floats, floats);
            information_.add(rows.row(i), class_root(mean_probabilities(own, share.members)), 1.0,
                             known_);
        }
    }

    Matrix spread_of(const std::vector<double>& weights) const {
        Matrix sum = known_;
        for (std::int64_t i = 0; i < list_.size(); ++i) {
            information_.add(x(i), root(i),
                             static_cast<double>(num_picks_) * weights[static_cast<std::size_t>(i)],
                             sum);
        }
        return sum;
    }

    View look(const std::vector<double>& weights) const {
        const FisherTrace trace(dim_, rank_, inverse_or_throw(spread_of(weights)), wanted_);
        View view{trace.trace(), std::vector<double>(weights.size()), 0.0};
        kernels::parallel_for(num_threads_, list_.size(), [&](std::int64_t i) {
            const FisherRow row = trace.row(x(i), root(i));
            double slope = 0.0;
            for (std::int64_t c = 0; c < rank_; ++c)
                slope += row.own_error[static_cast<std::size_t>(c * rank_ + c)];
            view.slopes[static_cast<std::size_t>(i)] = static_cast<double>(num_picks_) * slope;
        });
        double mean = 0.0;
        for (std::size_t i = 0; i < weights.size(); ++i)
            mean += weights[i] * view.slopes[i];
        view.gap = *std::max_element(view.slopes.begin(), view.slopes.end()) - mean;
        return view;
    }

    // The shift v with tr((v I + rate T)^-2) = 1, T = L^-1 taken L^-T and L L^T = spread: below the
    // last one, as T has grown. By bisection; beyond the lower end the matrix is not positive.
    static double next_shift(const Matrix& spread, const Matrix& taken, double rate, double last) {
        const auto is_above = [&](double shift) {
            Matrix factor = taken;
            for (std::size_t i = 0; i < factor.values.size(); ++i)
                factor.values[i] = rate * factor.values[i] + shift * spread.values[i];
            Matrix positive = factor;
            if (!factorize(positive)) return false;
            const Matrix inverse = inverse_of(std::move(factor));
            if (inverse.rows == 0) return false;
            // tr((v I + rate T)^-2) = tr(B^-1 spread B^-1 spread).
            const Matrix one = product(inverse, spread);
            double sum = 0.0;
            for (std::int64_t i = 0; i < one.rows; ++i)
                for (std::int64_t k = 0; k < one.rows; ++k)
                    sum += one.row(i)[k] * one.row(k)[i];
            return sum <= 1.0;
        };
        double width = std::max(1.0, std::abs(last));
        double low = last - width;
        while (is_above(low)) {
            width *= 2.0;
            low = last - width;
        }
        double high = last;
        for (int halving = 0; halving < 40 && high - low > 1e-9 * width; ++halving) {
            const double middle = 0.5 * (low + high);
            (is_above(middle) ? high : low) = middle;
        }
        return high;
    }

    std::int64_t dim_;
    std::int64_t rank_;
    int num_threads_;
    WholeList list_;
    InformationSum information_;
    Matrix known_;   // of labeled and issued rows, and sigma^2 I
    Matrix wanted_;  // mean of the shortlist
    std::int64_t num_picks_;
    std::vector<double> weights_;
    double objective_ = 0.0;
    double gap_ = 0.0;
};

}  // namespace

// Every rank has the whole (small) shortlist and does all of it, in one order. Relaxed: the weights
// with least tr(S^-1 F), S the information of labeled rows, sigma^2 I and the weighted shortlist;
// the bound printed is that of a convex function's tangent. Rounded: one row at a time against the
// matrices of the regularised leader.
DiverseBatch firal_exact(const ShortlistShare& share, const DiversityOptions& options,
                         comm::Communicator& world) {
    Firal firal(share, options, world);
    DiverseBatch batch;
    if (firal.num_picks() == 0) return batch;
    firal.relax(world);
    batch.picks = firal.round(world);
    batch.rounds = 1;
    batch.note = fmt::format("firal: relaxed tr(S^-1 F) {:.6g}, at most {:.3g} above the least",
                             firal.objective(), firal.gap());
    return batch;
}

}  // namespace sluice::select
