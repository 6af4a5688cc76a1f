#include "select/diversity/nearest_state.hpp"
#include "select/diversity/packed_dots.hpp"
#include "select/diversity/race.hpp"
#include "select/diversity/rules.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::select {
namespace {

// The part of a row's last-layer gradient that is the outputs': mean probability - the most
// probable class (ties to the lower), [rows, C].
std::vector<float> output_errors(const ShortlistShare& share) {
    const auto classes = static_cast<std::size_t>(share.classes);
    std::vector<float> errors(share.rows.size() * classes);
    for (std::size_t i = 0; i < share.rows.size(); ++i) {
        const std::span<float> mean = std::span(errors).subspan(i * classes, classes);
        const auto members = static_cast<std::size_t>(share.members);
        const std::span<const float> said =
            share.member_says.subspan(i * members * classes, members * classes);
        for (std::size_t c = 0; c < classes; ++c) {
            for (std::size_t m = 0; m < members; ++m)
                mean[c] += said[m * classes + c];
            mean[c] /= static_cast<float>(share.members);
        }
        *std::max_element(mean.begin(), mean.end()) -= 1.0F;
    }
    return errors;
}

// k-means++ on the gradients (p - onehot) x features of a last linear layer, which are never built:
// |g - g'|^2 = |q|^2 |x|^2 + |q'|^2 |x'|^2 - 2 (q.q') (x.x') for g = q x. In float64, where equal
// rows come out at exactly 0.
class Gradients {
  public:
    using Value = float;

    Gradients(const ShortlistShare& share, const DiversityOptions& options)
        : share_(share),
          options_(options),
          errors_(output_errors(share)),
          packed_errors_({errors_.data(), std::ssize(share.rows), share.classes}),
          packed_features_(share.features),
          norms_(share.rows.size()),
          squared_(share.rows.size()),
          taken_(share.rows.size(), 0) {
        for (std::size_t i = 0; i < norms_.size(); ++i) {
            const std::vector<double> q = widened(error(i));
            const std::vector<double> x = widened(features(i));
            norms_[i] = dot(q, q) * dot(x, x);
        }
        squared_ = norms_;
    }

    // The longest gradient comes first.
    Gain best(std::int64_t pick) const {
        if (pick == 0)
            return best_free(share_.rows, taken_, [&](std::size_t i) { return norms_[i]; });
        return Race{options_.seed, options_.round, pick}.winner(share_.rows, taken_, squared_);
    }

    std::vector<float> say(std::int64_t local) const {
        const auto i = static_cast<std::size_t>(local);
        std::vector<float> said(error(i).begin(), error(i).end());
        said.insert(said.end(), features(i).begin(), features(i).end());
        said.push_back(static_cast<float>(std::sqrt(squared_[i])));
        return said;
    }

    void take(const Gain&, std::int64_t local, std::span<const float> said) {
        if (local >= 0) taken_[static_cast<std::size_t>(local)] = 1;
        value_ = said.back();
        const auto classes = static_cast<std::size_t>(share_.classes);
        const std::vector<double> q = widened(said.first(classes));
        const std::vector<double> x = widened(said.subspan(classes, said.size() - classes - 1));
        const double norm = dot(q, q) * dot(x, x);
        std::vector<double> of_errors(squared_.size());
        std::vector<double> of_features(squared_.size());
        packed_errors_.dot(q, of_errors, options_.num_threads);
        packed_features_.dot(x, of_features, options_.num_threads);
        for (std::size_t i = 0; i < squared_.size(); ++i) {
            const double cross = of_errors[i] * of_features[i];
            const double squared = std::max(0.0, norms_[i] + norm - 2.0 * cross);
            // The first pick makes all distances; its length was none.
            squared_[i] = has_pick_ ? std::min(squared_[i], squared) : squared;
        }
        has_pick_ = true;
    }

    float value(const Gain&) const { return value_; }

  private:
    std::span<const float> error(std::size_t i) const {
        const auto classes = static_cast<std::size_t>(share_.classes);
        return std::span(errors_).subspan(i * classes, classes);
    }
    std::span<const float> features(std::size_t i) const {
        return {share_.features.row(static_cast<std::int64_t>(i)),
                static_cast<std::size_t>(share_.features.dim)};
    }

    const ShortlistShare& share_;
    const DiversityOptions& options_;
    std::vector<float> errors_;  // [rows, C]
    PackedDots packed_errors_;
    PackedDots packed_features_;
    std::vector<double> norms_;    // [rows] squared lengths of the gradients
    std::vector<double> squared_;  // [rows] squared distances to the nearest pick
    std::vector<std::uint8_t> taken_;
    bool has_pick_ = false;
    float value_ = 0.0F;
};

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    Gradients objective(share, options);
    return pick_by_rows(share, options, objective, world);
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    const auto real = static_cast<std::int64_t>(sizeof(float));
    DiversityForecast forecast = forecast_by_rows(sizes, sizes.dim + sizes.member_floats + 1);
    forecast.memory_bytes += sizes.share_rows * (sizes.dim + 2 * sizes.member_floats + 8) * real;
    return forecast;
}

}  // namespace

DiversityDefinition badge_rule() {
    DiversityDefinition rule;
    rule.name = "badge";
    rule.aliases = {"batch_badge", "gradient_embedding", "gradients"};
    rule.summary =
        "BADGE: k-means++ on the gradients of a last linear layer on the features, the longest "
        "first; no centres";
    rule.value = "distance to the nearest gradient when picked; the length of the first";
    rule.needs_features = true;
    rule.needs_members = true;
    rule.pick = pick;
    rule.forecast = forecast;
    return rule;
}

}  // namespace sluice::select
