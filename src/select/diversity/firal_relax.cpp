#include "select/diversity/firal_relax.hpp"

#include "core/error.hpp"
#include "core/philox.hpp"
#include "kernels/worker_pool.hpp"
#include "select/diversity/row_greedy.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace sluice::select {
namespace {

constexpr std::int64_t num_probes = 16;
constexpr int num_steps = 60;
constexpr int first_step_of_mean = 30;
constexpr int steps_a_preconditioner = 4;
constexpr int most_iterations = 300;
constexpr double good_residual = 1e-2;  // of the right side

using Vectors = std::vector<double>;  // [D, C, probes]

// S, its blocks, and S^-1 of vectors.
class Information {
  public:
    Information(const FisherRows& rows, const FiralRules& rules, comm::Communicator& world)
        : rows_(rows), rules_(rules), world_(world) {}

    void set_weights(Vectors weights) { weights_ = std::move(weights); }

    void factorize_blocks() {
        factors_ = rows_.class_blocks(weights_, world_);
        for (Matrix& block : factors_) {
            for (std::int64_t d = 0; d < block.rows; ++d)
                block.row(d)[d] += rules_.squared_sigma;
            if (!factorize(block)) {
                throw comm::AgreedError(
                    ExitCode::bad_data,
                    "--diversify firal: the Fisher matrix is singular to float64's precision; "
                    "raise --sigma or scale the features, e.g. to unit variance");
            }
        }
    }

    Vectors solve(const Vectors& b) const {
        Vectors x(b.size(), 0.0);
        Vectors r = b;
        Vectors p = preconditioned(r);
        Vectors rz = dots(r, p);
        Vectors goals = dots(b, b);
        for (double& goal : goals)
            goal *= good_residual * good_residual;
        for (int count = 0; count < most_iterations; ++count) {
            const Vectors rr = dots(r, r);
            const auto is_done = [&](std::size_t j) { return rr[j] <= goals[j]; };
            if (all_probes(is_done)) break;
            const Vectors ap = times(p);
            const Vectors pap = dots(p, ap);
            Vectors steps(num_probes, 0.0);
            for (std::size_t j = 0; j < steps.size(); ++j)
                if (!is_done(j)) steps[j] = rz[j] / pap[j];
            add(steps, p, 1.0, x);
            add(steps, ap, -1.0, r);
            const Vectors z = preconditioned(r);
            const Vectors next = dots(r, z);
            for (std::size_t i = 0; i < p.size(); ++i) {
                const std::size_t j = i % num_probes;
                p[i] = z[i] + (is_done(j) ? 0.0 : next[j] / rz[j]) * p[i];
            }
            rz = next;
        }
        return x;
    }

    // One number for each probe.
    static Vectors dots(const Vectors& a, const Vectors& b) {
        Vectors sums(num_probes, 0.0);
        for (std::size_t i = 0; i < a.size(); ++i)
            sums[i % num_probes] += a[i] * b[i];
        return sums;
    }

  private:
    template <typename Test>
    static bool all_probes(const Test& test) {
        for (std::size_t j = 0; j < num_probes; ++j)
            if (!test(j)) return false;
        return true;
    }

    static void add(const Vectors& steps, const Vectors& v, double sign, Vectors& to) {
        for (std::size_t i = 0; i < to.size(); ++i)
            to[i] += sign * steps[i % num_probes] * v[i];
    }

    // S v: each row turns its products u into w p (u - p . u), and what it gets goes back along x.
    Vectors times(const Vectors& v) const {
        const std::int64_t classes = rows_.classes();
        const std::int64_t columns = classes * num_probes;
        Vectors products = rows_.products(v, columns);
        kernels::parallel_for(rules_.num_threads, rows_.own().size(), [&](std::int64_t i) {
            double* const u = products.data() + i * columns;
            const double* const p = rows_.p(i);
            const double weight = weights_[static_cast<std::size_t>(rows_.own().begin + i)];
            double mean[num_probes] = {};
            for (std::int64_t c = 0; c < classes; ++c)
                for (std::int64_t j = 0; j < num_probes; ++j)
                    mean[j] += p[c] * u[c * num_probes + j];
            for (std::int64_t c = 0; c < classes; ++c)
                for (std::int64_t j = 0; j < num_probes; ++j) {
                    double& value = u[c * num_probes + j];
                    value = weight * p[c] * (value - mean[j]);
                }
        });
        Vectors result = rows_.sum(products, columns, world_);
        for (std::size_t i = 0; i < result.size(); ++i)
            result[i] += rules_.squared_sigma * v[i];
        return result;
    }

    Vectors preconditioned(const Vectors& v) const {
        Vectors result = v;
        const std::int64_t columns = rows_.classes() * num_probes;
        kernels::parallel_for(rules_.num_threads, rows_.classes(), [&](std::int64_t c) {
            const Matrix& factor = factors_[static_cast<std::size_t>(c)];
            double* const first = result.data() + c * num_probes;
            const auto subtract = [&](std::int64_t from, double times, std::int64_t to) {
                for (std::int64_t j = 0; j < num_probes; ++j)
                    first[to * columns + j] -= times * first[from * columns + j];
            };
            const auto divide = [&](std::int64_t d) {
                for (std::int64_t j = 0; j < num_probes; ++j)
                    first[d * columns + j] /= factor.row(d)[d];
            };
            for (std::int64_t d = 0; d < factor.rows; ++d) {
                for (std::int64_t e = 0; e < d; ++e)
                    subtract(e, factor.row(d)[e], d);
                divide(d);
            }
            for (std::int64_t d = factor.rows; d-- > 0;) {
                divide(d);
                for (std::int64_t e = 0; e < d; ++e)
                    subtract(d, factor.row(d)[e], e);
            }
        });
        return result;
    }

    const FisherRows& rows_;
    const FiralRules& rules_;
    comm::Communicator& world_;
    Vectors weights_;  // [places]
    std::vector<Matrix> factors_;
};

// Random signs [C, probes] of a row in a step.
std::vector<double> signs_of(const FiralRules& rules, RowId row, int step, std::int64_t count) {
    std::vector<double> signs;
    const std::int64_t blocks = (count + 127) / 128;
    for (std::int64_t block = 0; block < blocks; ++block) {
        const Philox4 words = random_words(rules.seed, RandomPurpose::fisher_probes, rules.round,
                                           static_cast<std::uint64_t>(row),
                                           static_cast<std::uint32_t>(step * blocks + block));
        for (std::int64_t bit = 0; bit < 128 && std::ssize(signs) < count; ++bit)
            signs.push_back((words.word[bit / 32] >> (bit % 32) & 1U) != 0 ? -1.0 : 1.0);
    }
    return signs;
}

// Vectors b with E[b b^T] the mean information of the shortlist: sums of x (x) root s / sqrt(rows)
// with root = diag(sqrt p) - p sqrt(p)^T and signs s.
Vectors probes_of(const FisherRows& rows, const FiralRules& rules, int step,
                  comm::Communicator& world) {
    const std::int64_t classes = rows.classes();
    const std::int64_t columns = classes * num_probes;
    Vectors a(static_cast<std::size_t>(rows.own().size() * columns), 0.0);
    const double part = 1.0 / std::sqrt(static_cast<double>(rows.num_rows()));
    kernels::parallel_for(rules.num_threads, rows.own().size(), [&](std::int64_t i) {
        const std::int64_t place = rows.own().begin + i;
        if (place >= rows.num_rows()) return;  // a centre
        const double* const p = rows.p(i);
        const std::vector<double> signs = signs_of(rules, rows.row(place), step, columns);
        for (std::int64_t j = 0; j < num_probes; ++j) {
            double mean = 0.0;
            for (std::int64_t c = 0; c < classes; ++c)
                mean += std::sqrt(p[c]) * signs[static_cast<std::size_t>(c * num_probes + j)];
            for (std::int64_t c = 0; c < classes; ++c) {
                const double own =
                    std::sqrt(p[c]) * signs[static_cast<std::size_t>(c * num_probes + j)];
                a[static_cast<std::size_t>(i * columns + c * num_probes + j)] =
                    part * (own - p[c] * mean);
            }
        }
    });
    return rows.sum(a, columns, world);
}

// How fast the weight of each row of the shortlist makes the trace fall, by q = S^-1 b.
std::vector<double> slopes_of(const FisherRows& rows, const FiralRules& rules, const Vectors& q,
                              comm::Communicator& world) {
    const std::int64_t classes = rows.classes();
    const std::int64_t columns = classes * num_probes;
    const Vectors products = rows.products(q, columns);
    const std::int64_t own =
        std::clamp<std::int64_t>(rows.num_rows() - rows.own().begin, 0, rows.own().size());
    std::vector<double> slopes(static_cast<std::size_t>(own));
    kernels::parallel_for(rules.num_threads, own, [&](std::int64_t i) {
        const double* const u = products.data() + i * columns;
        const double* const p = rows.p(i);
        double sum = 0.0;
        for (std::int64_t j = 0; j < num_probes; ++j) {
            double mean = 0.0;
            double square = 0.0;
            for (std::int64_t c = 0; c < classes; ++c) {
                const double value = u[c * num_probes + j];
                mean += p[c] * value;
                square += p[c] * value * value;
            }
            sum += std::max(0.0, square - mean * mean);
        }
        slopes[static_cast<std::size_t>(i)] =
            static_cast<double>(rules.num_picks) * sum / static_cast<double>(num_probes);
    });
    return world.all_gather(std::span<const double>(slopes));
}

void scale_to_one(std::vector<double>& weights) {
    double sum = 0.0;
    for (const double weight : weights)
        sum += weight;
    for (double& weight : weights)
        weight /= sum;
}

}  // namespace

std::vector<double> place_weights(const FisherRows& rows, const std::vector<double>& weights,
                                  std::int64_t num_picks) {
    std::vector<double> result(static_cast<std::size_t>(rows.num_places()), 1.0);
    for (std::size_t i = 0; i < weights.size(); ++i)
        result[i] = static_cast<double>(num_picks) * weights[i];
    return result;
}

RelaxedWeights relax_firal(const FisherRows& rows, const FiralRules& rules,
                           comm::Communicator& world) {
    Information information(rows, rules, world);
    const auto num_rows = static_cast<std::size_t>(rows.num_rows());
    std::vector<double> weights(num_rows, 1.0 / static_cast<double>(num_rows));
    RelaxedWeights result{std::vector<double>(num_rows, 0.0), 0.0};
    for (int step = 0; step < num_steps; ++step) {
        leave_if_stopped(world);
        information.set_weights(place_weights(rows, weights, rules.num_picks));
        if (step % steps_a_preconditioner == 0) information.factorize_blocks();
        const Vectors b = probes_of(rows, rules, step, world);
        const Vectors q = information.solve(b);
        if (step >= first_step_of_mean) {
            for (std::size_t i = 0; i < num_rows; ++i)
                result.weights[i] += weights[i];
            for (const double trace : Information::dots(b, q))
                result.objective += trace / num_probes / (num_steps - first_step_of_mean);
        }
        const std::vector<double> slopes = slopes_of(rows, rules, q, world);
        if (*std::max_element(slopes.begin(), slopes.end()) == 0.0) break;  // nothing to learn
        for (std::size_t i = 0; i < num_rows; ++i)
            weights[i] *= std::sqrt(slopes[i]);
        scale_to_one(weights);
    }
    if (result.objective == 0.0) result.weights = weights;
    scale_to_one(result.weights);
    return result;
}

}  // namespace sluice::select
