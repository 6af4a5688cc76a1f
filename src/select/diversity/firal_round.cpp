#include "select/diversity/firal_round.hpp"

#include "core/error.hpp"
#include "kernels/worker_pool.hpp"
#include "select/diversity/fisher.hpp"
#include "select/diversity/row_greedy.hpp"
#include "select/diversity/symmetric_eigenvalues.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <span>

namespace sluice::select {
namespace {

constexpr std::int64_t rows_a_task = 16;

void factorize_or_throw(Matrix& matrix) {
    if (factorize(matrix)) return;
    throw Error(ExitCode::bad_data,
                "--diversify firal: the Fisher matrix is singular to float64's precision; raise "
                "--sigma or scale the features, e.g. to unit variance");
}

// The inverse of a lower triangular matrix.
Matrix inverse_of_lower(const Matrix& lower) {
    Matrix inverse(lower.rows, lower.rows);
    for (std::int64_t i = 0; i < lower.rows; ++i) {
        double* const to = inverse.row(i);
        for (std::int64_t k = 0; k < i; ++k)
            for (std::int64_t j = 0; j <= k; ++j)
                to[j] -= lower.row(i)[k] * inverse.row(k)[j];
        to[i] = 1.0;
        for (std::int64_t j = 0; j <= i; ++j)
            to[j] /= lower.row(i)[i];
    }
    return inverse;
}

// (a b)^T of lower triangular matrices.
Matrix turned_product(const Matrix& a, const Matrix& b) {
    Matrix result(a.rows, a.rows);
    std::vector<double> row(static_cast<std::size_t>(a.rows));
    for (std::int64_t i = 0; i < a.rows; ++i) {
        std::fill(row.begin(), row.end(), 0.0);
        for (std::int64_t k = 0; k <= i; ++k)
            for (std::int64_t j = 0; j <= k; ++j)
                row[static_cast<std::size_t>(j)] += a.row(i)[k] * b.row(k)[j];
        for (std::int64_t j = 0; j <= i; ++j)
            result.row(j)[i] = row[static_cast<std::size_t>(j)];
    }
    return result;
}

Matrix turned(const Matrix& a) {
    Matrix result(a.columns, a.rows);
    for (std::int64_t i = 0; i < a.rows; ++i)
        for (std::int64_t j = 0; j < a.columns; ++j)
            result.row(j)[i] = a.row(i)[j];
    return result;
}

// One class. With S = L L^T, everything is kept as L^-1 (...) L^-T.
struct ClassBlock {
    Matrix inverse;      // L^-1
    Matrix known;        // of the centres and sigma^2 I
    Matrix taken;        // of the picks and their part of `known`
    Matrix turned_look;  // (R^-1 L^-1)^T, R R^T = rate taken + shift I
    Matrix inverse_r;    // R^-1

    ClassBlock(Matrix spread, const Matrix& centers)
        : inverse(0, 0),
          known(0, 0),
          taken(spread.rows, spread.rows),
          turned_look(0, 0),
          inverse_r(0, 0) {
        factorize_or_throw(spread);
        inverse = inverse_of_lower(spread);
        known = product(product(inverse, centers), turned(inverse));
    }

    void take_part_of_known(double part) {
        for (std::size_t i = 0; i < taken.values.size(); ++i)
            taken.values[i] += part * known.values[i];
    }

    void follow(double rate, double shift) {
        Matrix leader = taken;
        for (double& value : leader.values)
            value *= rate;
        for (std::int64_t i = 0; i < leader.rows; ++i)
            leader.row(i)[i] += shift;
        factorize_or_throw(leader);
        inverse_r = inverse_of_lower(leader);
        turned_look = turned_product(inverse_r, inverse);
    }

    void take(const std::vector<float>& x, double weight) {
        std::vector<double> y(x.size(), 0.0);
        for (std::int64_t i = 0; i < taken.rows; ++i)
            for (std::int64_t k = 0; k <= i; ++k)
                y[static_cast<std::size_t>(i)] +=
                    inverse.row(i)[k] * static_cast<double>(x[static_cast<std::size_t>(k)]);
        for (std::int64_t i = 0; i < taken.rows; ++i)
            for (std::int64_t k = 0; k < taken.rows; ++k)
                taken.row(i)[k] +=
                    weight * y[static_cast<std::size_t>(i)] * y[static_cast<std::size_t>(k)];
    }

    // How much tr(B^-1 S) falls by weight x x^T. `scratch` [2 D].
    double fall(const float* x, double weight, std::span<double> scratch) const {
        const std::int64_t dim = taken.rows;
        std::fill(scratch.begin(), scratch.end(), 0.0);
        double* const f = scratch.data();
        double* const g = f + dim;
        for (std::int64_t d = 0; d < dim; ++d) {
            const auto factor = static_cast<double>(x[d]);
            const double* const from = turned_look.row(d);
            for (std::int64_t e = d; e < dim; ++e)
                f[e] += factor * from[e];
        }
        for (std::int64_t d = 0; d < dim; ++d) {
            const double* const from = inverse_r.row(d);
            for (std::int64_t e = 0; e <= d; ++e)
                g[e] += f[d] * from[e];
        }
        double inverse_square = 0.0;
        double error_square = 0.0;
        for (std::int64_t d = 0; d < dim; ++d) {
            inverse_square += f[d] * f[d];
            error_square += g[d] * g[d];
        }
        return weight * error_square / (1.0 + weight * inverse_square);
    }
};

class BlockRound {
  public:
    BlockRound(const FisherRows& rows, const FiralRules& rules, const std::vector<double>& weights,
               comm::Communicator& world)
        : rows_(rows),
          rules_(rules),
          world_(world),
          num_parameters_(static_cast<double>(rows.dim() * rows.classes())),
          rate_(8.0 * std::sqrt(num_parameters_)),
          shift_(std::sqrt(num_parameters_)),
          is_taken_(static_cast<std::size_t>(rows.num_rows()), 0) {
        std::vector<Matrix> spreads = blocks_of(weights);
        std::vector<Matrix> known =
            blocks_of(std::vector<double>(static_cast<std::size_t>(rows.num_rows()), 0.0));
        blocks_.resize(spreads.size());
        for_classes([&](std::size_t c) {
            blocks_[c] = std::make_unique<ClassBlock>(std::move(spreads[c]), known[c]);
        });
    }

    DiversePick pick() {
        for_classes([&](std::size_t c) {
            blocks_[c]->take_part_of_known(1.0 / static_cast<double>(rules_.num_picks));
            blocks_[c]->follow(rate_, shift_);
        });
        const Gain best = best_of_ranks(best_own(), world_);
        const std::int64_t place = place_of(best.row);
        is_taken_[static_cast<std::size_t>(place)] = 1;
        const std::vector<float> x = rows_.x_of(place, world_);
        const std::vector<double> p = rows_.p_of(place, world_);
        std::vector<std::vector<double>> eigenvalues(blocks_.size());
        for_classes([&](std::size_t c) {
            blocks_[c]->take(x, p[c] * (1.0 - p[c]));
            eigenvalues[c] = symmetric_eigenvalues(blocks_[c]->taken);
        });
        shift_ = next_shift(eigenvalues);
        return {best.row, static_cast<float>(best.gain)};
    }

  private:
    template <typename Step>
    void for_classes(const Step& step) {
        world_.agree([&] {
            kernels::parallel_for(rules_.num_threads, std::ssize(blocks_),
                                  [&](std::int64_t c) { step(static_cast<std::size_t>(c)); });
        });
    }

    std::vector<Matrix> blocks_of(const std::vector<double>& weights) const {
        std::vector<Matrix> blocks =
            rows_.class_blocks(place_weights(rows_, weights, rules_.num_picks), world_);
        for (Matrix& block : blocks)
            for (std::int64_t d = 0; d < block.rows; ++d)
                block.row(d)[d] += rules_.squared_sigma;
        return blocks;
    }

    // The best free row among this rank's places.
    Gain best_own() const {
        const std::int64_t own =
            std::clamp<std::int64_t>(rows_.num_rows() - rows_.own().begin, 0, rows_.own().size());
        std::vector<Gain> best(static_cast<std::size_t>((own + rows_a_task - 1) / rows_a_task));
        kernels::parallel_for(rules_.num_threads, std::ssize(best), [&](std::int64_t task) {
            std::vector<double> scratch(static_cast<std::size_t>(2 * rows_.dim()));
            Gain& own_best = best[static_cast<std::size_t>(task)];
            const std::int64_t end = std::min(own, (task + 1) * rows_a_task);
            for (std::int64_t i = task * rows_a_task; i < end; ++i) {
                const std::int64_t place = rows_.own().begin + i;
                if (is_taken_[static_cast<std::size_t>(place)] != 0) continue;
                const Gain one{fall_of(i, scratch), rows_.row(place)};
                if (beats(one, own_best)) own_best = one;
            }
        });
        Gain result;
        for (const Gain& one : best)
            if (beats(one, result)) result = one;
        return result;
    }

    double fall_of(std::int64_t own, std::span<double> scratch) const {
        double sum = 0.0;
        for (std::size_t c = 0; c < blocks_.size(); ++c) {
            const double p = rows_.p(own)[c];
            sum += blocks_[c]->fall(rows_.x(own), rate_ * p * (1.0 - p), scratch);
        }
        return sum;
    }

    std::int64_t place_of(RowId row) const {
        std::int64_t low = 0;
        std::int64_t high = rows_.num_rows();
        while (high - low > 1) {
            const std::int64_t middle = low + (high - low) / 2;
            (rows_.row(middle) <= row ? low : high) = middle;
        }
        return low;
    }

    // The shift v with the sum of (v + rate t)^-2 over all eigenvalues t at 1, by bisection: at the
    // lower end the smallest one alone gives 1, at the upper end all together give no more.
    double next_shift(const std::vector<std::vector<double>>& eigenvalues) const {
        double least = std::numeric_limits<double>::infinity();
        for (const std::vector<double>& own : eigenvalues)
            least = std::min(least, *std::min_element(own.begin(), own.end()));
        double low = 1.0 - rate_ * least;
        double high = std::sqrt(num_parameters_) - rate_ * least;
        for (int halving = 0; halving < 60; ++halving) {
            const double middle = 0.5 * (low + high);
            double sum = 0.0;
            for (const std::vector<double>& own : eigenvalues)
                for (const double value : own)
                    sum += 1.0 / ((middle + rate_ * value) * (middle + rate_ * value));
            (sum <= 1.0 ? high : low) = middle;
        }
        return high;
    }

    const FisherRows& rows_;
    const FiralRules& rules_;
    comm::Communicator& world_;
    double num_parameters_;
    double rate_;
    double shift_;
    std::vector<std::uint8_t> is_taken_;
    std::vector<std::unique_ptr<ClassBlock>> blocks_;
};

}  // namespace

std::vector<DiversePick> round_firal(const FisherRows& rows, const FiralRules& rules,
                                     const std::vector<double>& weights, Progress* progress,
                                     comm::Communicator& world) {
    BlockRound round(rows, rules, weights, world);
    std::vector<DiversePick> picks;
    while (std::ssize(picks) < rules.num_picks) {
        leave_if_stopped(world);
        picks.push_back(round.pick());
        if (progress != nullptr) progress->advance(1);
    }
    return picks;
}

}  // namespace sluice::select
