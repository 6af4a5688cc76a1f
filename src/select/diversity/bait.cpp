#include "core/error.hpp"
#include "select/diversity/all_rows.hpp"
#include "select/diversity/covariance.hpp"
#include "select/diversity/nearest_state.hpp"
#include "select/diversity/rules.hpp"

#include <algorithm>

namespace sluice::select {
namespace {

// F = sum of x x' over all rows [D,D], in the order of rows; each rank adds up some lines of it.
std::vector<double> information_of(const AllRows& all, comm::Communicator& world) {
    const auto dim = static_cast<std::size_t>(all.dim);
    const auto ranks = static_cast<std::size_t>(world.size());
    const auto rank = static_cast<std::size_t>(world.rank());
    const std::size_t begin = dim * rank / ranks;
    const std::size_t end = dim * (rank + 1) / ranks;
    std::vector<double> lines((end - begin) * dim, 0.0);
    for (std::int64_t i = 0; i < all.size(); ++i) {
        const float* const x = all.view().row(i);
        for (std::size_t k = begin; k < end; ++k) {
            for (std::size_t l = 0; l < dim; ++l) {
                lines[(k - begin) * dim + l] +=
                    static_cast<double>(x[k]) * static_cast<double>(x[l]);
            }
        }
    }
    return world.all_gather(std::span<const double>(lines));
}

// Rows x_i under a linear model: v_i = x_i' M x_i and b_i = x_i' M F M x_i, kept up to date as M
// changes by one row after the other.
class Leverages {
  public:
    Leverages(kernels::MatrixView rows, const Covariance& covariance, std::span<const double> f)
        : packed_(rows), along_m_(static_cast<std::size_t>(rows.rows)), along_w_(along_m_) {
        for (std::int64_t i = 0; i < rows.rows; ++i) {
            const std::vector<double> x =
                widened({rows.row(i), static_cast<std::size_t>(rows.dim)});
            const std::vector<double> m = covariance.times(x);
            v_.push_back(dot(x, m));
            b_.push_back(dot(m, times(f, m)));
        }
    }

    // `look.variance` is negative for a row that is taken back. `w` = M F m with M as it was.
    void update(const Covariance::Look& look, std::span<const double> w, double m_f_m,
                int num_threads) {
        packed_.dot(look.direction, along_m_, num_threads);
        packed_.dot(w, along_w_, num_threads);
        for (std::size_t i = 0; i < v_.size(); ++i) {
            const double part = along_m_[i] / look.variance;
            v_[i] -= along_m_[i] * part;
            b_[i] -= 2.0 * part * along_w_[i] - part * part * m_f_m;
        }
    }

    double v(std::size_t i) const { return v_[i]; }
    double b(std::size_t i) const { return b_[i]; }

    static std::vector<double> times(std::span<const double> matrix, std::span<const double> x) {
        std::vector<double> result(x.size());
        for (std::size_t k = 0; k < x.size(); ++k)
            result[k] = dot(matrix.subspan(k * x.size(), x.size()), x);
        return result;
    }

  private:
    PackedDots packed_;
    std::vector<double> along_m_;  // scratch
    std::vector<double> along_w_;  // scratch
    std::vector<double> v_;
    std::vector<double> b_;
};

// What M F m is to a row x that M is about to look at (or to forget).
struct Turn {
    std::vector<double> w;
    double m_f_m = 0.0;
};

Turn turn_of(std::span<const double> x, const Covariance& covariance, std::span<const double> f) {
    const std::vector<double> m = covariance.times(x);
    const std::vector<double> f_m = Leverages::times(f, m);
    return {covariance.times(f_m), dot(m, f_m)};
}

// BAIT for a linear model of the features: picks what makes tr(M F) least, F the shortlist's and
// M^-1 the centres' and picks' information. Twice as many rows as wanted are picked, then those are
// taken back, one by one, that are missed least.
class Bait {
  public:
    using Value = float;

    Bait(const ShortlistShare& share, const DiversityOptions& options, double sigma,
         std::vector<double> information)
        : share_(share),
          options_(options),
          information_(std::move(information)),
          covariance_(looked_at_centers(share, sigma)),
          rows_(share.features, covariance_, information_),
          taken_(share.rows.size(), 0) {}

    Gain best(std::int64_t) const {
        return best_free(share_.rows, taken_, [&](std::size_t i) {
            return rows_.b(i) / (covariance_.squared_sigma() + rows_.v(i));
        });
    }
    std::vector<float> say(std::int64_t local) const {
        const float* const row = share_.features.row(local);
        return {row, row + share_.features.dim};
    }
    void take(const Gain&, std::int64_t local, std::span<const float> said) {
        if (local >= 0) taken_[static_cast<std::size_t>(local)] = 1;
        picked_.insert(picked_.end(), said.begin(), said.end());
        const std::vector<double> x = widened(said);
        const Turn turn = turn_of(x, covariance_, information_);
        rows_.update(covariance_.look_at(x), turn.w, turn.m_f_m, options_.num_threads);
    }
    float value(const Gain& pick) const { return static_cast<float>(pick.gain); }

    // Takes picks back until `num_left` are left; of equals the later one goes. Every rank does.
    void prune(std::vector<DiversePick>& picks, std::int64_t num_left) {
        const kernels::MatrixView view{picked_.data(), std::ssize(picks), share_.features.dim};
        Leverages leverages(view, covariance_, information_);
        std::vector<std::uint8_t> gone(picks.size(), 0);
        for (auto left = std::ssize(picks); left > num_left; --left) {
            std::size_t least = picks.size();
            double least_loss = 0.0;
            for (std::size_t i = 0; i < picks.size(); ++i) {
                if (gone[i] != 0) continue;
                const double loss = leverages.b(i) / (covariance_.squared_sigma() - leverages.v(i));
                if (least < picks.size() && loss > least_loss) continue;
                least = i;
                least_loss = loss;
            }
            gone[least] = 1;
            const std::vector<double> x = widened(
                {view.row(static_cast<std::int64_t>(least)), static_cast<std::size_t>(view.dim)});
            const Turn turn = turn_of(x, covariance_, information_);
            Covariance::Look look = covariance_.forget(x);
            look.variance = -look.variance;
            leverages.update(look, turn.w, turn.m_f_m, options_.num_threads);
        }
        std::size_t kept = 0;
        for (std::size_t i = 0; i < picks.size(); ++i)
            if (gone[i] == 0) picks[kept++] = picks[i];
        picks.resize(kept);
    }

  private:
    static Covariance looked_at_centers(const ShortlistShare& share, double sigma) {
        Covariance covariance(share.features.dim, sigma * sigma);
        look_at_centers(share, covariance);
        return covariance;
    }

    const ShortlistShare& share_;
    const DiversityOptions& options_;
    std::vector<double> information_;  // F
    Covariance covariance_;            // M
    Leverages rows_;
    std::vector<std::uint8_t> taken_;
    std::vector<float> picked_;  // [picks, D]
};

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    const double sigma = noise_of(options.parameters.sigma, share, world);
    Bait objective(share, options, sigma, information_of(gather_all_rows(share, world), world));
    DiversityOptions twice = options;
    twice.num_picks = 2 * options.num_picks;
    DiverseBatch batch = pick_by_rows(share, twice, objective, world);
    const std::int64_t num_picks =
        std::min(options.num_picks, static_cast<std::int64_t>(batch.picks.size()));
    objective.prune(batch.picks, num_picks);
    return batch;
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    DiversityForecast forecast = forecast_by_rows(sizes, sizes.dim);
    const std::int64_t rows = sizes.dim * 4;
    forecast.memory_bytes += all_rows_memory(sizes) +
                             (sizes.share_rows + 4 * sizes.num_picks) * rows +
                             3 * sizes.dim * sizes.dim * 8;
    forecast.rounds *= 2;
    forecast.bytes_received = 2 * forecast.bytes_received + sizes.shortlist_rows * (rows + 12) +
                              sizes.dim * sizes.dim * 8;
    return forecast;
}

}  // namespace

DiversityDefinition bait_rule() {
    DiversityDefinition rule;
    rule.name = "bait";
    rule.aliases = {"bait_fb", "fisher"};
    rule.summary =
        "BAIT: least tr(M F) of a linear model, F the information of the shortlist, M the "
        "covariance after centres and picks with noise sigma (usually a thousandth of the longest "
        "row); 2 B rows forward, then B taken back";
    rule.value = "fall of tr(M F) when picked";
    rule.needs_features = true;
    rule.parameters = "sigma";
    rule.pick = pick;
    rule.forecast = forecast;
    return rule;
}

}  // namespace sluice::select
