#include "kernels/device_gradients.hpp"
#include "kernels/worker_pool.hpp"
#include "select/diversity/growing_panels.hpp"
#include "select/diversity/packed_dots.hpp"
#include "select/diversity/race_rounds.hpp"
#include "select/diversity/rules.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>

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

// Squared distances between gradients (p - onehot) x features of a last linear layer, which are
// never built: |g - g'|^2 = |q|^2 |x|^2 + |q'|^2 |x'|^2 - 2 (q.q') (x.x') for g = q x. In float64,
// where equal rows come out at exactly 0: a product of two float32 numbers is exact, so that it
// does not matter which of two rows is the panel of a tile and which the vector.
class GradientSpread : public Spread {
  public:
    GradientSpread(const ShortlistShare& share, const DiversityOptions& options)
        : share_(share),
          options_(options),
          errors_(output_errors(share)),
          norms_(share.rows.size()),
          pending_errors_(share.classes),
          pending_features_(share.features.dim) {
        for (std::int64_t i = 0; i < std::ssize(norms_); ++i) {
            norms_[static_cast<std::size_t>(i)] =
                norm({error(i), to_size(share.classes)}, {share.features.row(i), to_size(dim())});
        }
        squared_ = norms_;
        if (options.backend == kernels::Backend::cuda && !norms_.empty())
            device_ = kernels::make_device_gradients({errors(), share.features, norms_});
    }

    const std::vector<double>& norms() const { return norms_; }

    std::int64_t width() const override { return share_.classes + dim(); }
    void tell(std::int64_t local, float* to) const override {
        std::copy_n(error(local), share_.classes, to);
        std::copy_n(share_.features.row(local), dim(), to + share_.classes);
    }
    double of(std::int64_t local) const override { return squared_[to_size(local)]; }

    void add_pick(std::span<const float> told) override {
        const std::span<const float> q = told.first(to_size(share_.classes));
        const std::span<const float> x = told.subspan(to_size(share_.classes));
        pending_errors_.append(q);
        pending_features_.append(x);
        pending_norms_.push_back(norm(q, x));
        if (device_ == nullptr) return;
        sent_errors_.insert(sent_errors_.end(), q.begin(), q.end());
        sent_features_.insert(sent_features_.end(), x.begin(), x.end());
    }
    std::int64_t num_pending() const override { return std::ssize(pending_norms_); }

    void refresh() override {
        // The first pick makes all distances; its length was none.
        if (!has_pick_ && num_pending() > 0)
            squared_.assign(squared_.size(), std::numeric_limits<double>::infinity());
        has_pick_ = has_pick_ || num_pending() > 0;
        if (device_ == nullptr) {
            lower_all();
        } else {
            device_->lower({{sent_errors_.data(), num_pending(), share_.classes},
                            {sent_features_.data(), num_pending(), dim()},
                            pending_norms_},
                           squared_);
        }
        pending_errors_.clear();
        pending_features_.clear();
        pending_norms_.clear();
        sent_errors_.clear();
        sent_features_.clear();
    }

    void lower(std::span<const float> told, std::span<const std::int64_t> which, std::int64_t first,
               std::span<double> spreads) const override {
        std::vector<float> q;
        std::vector<float> x;
        std::vector<double> norms;
        for (const std::int64_t one : which) {
            const auto from = told.begin() + one * width();
            q.insert(q.end(), from, from + share_.classes);
            x.insert(x.end(), from + share_.classes, from + width());
            norms.push_back(
                norm({&*from, to_size(share_.classes)}, {&*from + share_.classes, to_size(dim())}));
        }
        for (std::int64_t i = 0; i < std::ssize(which); i += rows_at_once()) {
            const std::int64_t count = std::min(rows_at_once(), std::ssize(which) - i);
            lower_tile({q.data(), std::ssize(which), share_.classes},
                       {x.data(), std::ssize(which), dim()}, numbers_from(i, count), norms, first,
                       spreads.subspan(to_size(i), to_size(count)));
        }
    }

    float value(double spread) const override { return static_cast<float>(std::sqrt(spread)); }

  private:
    static std::size_t to_size(std::int64_t count) { return static_cast<std::size_t>(count); }
    static std::int64_t rows_at_once() { return kernels::products_tile().vectors; }
    static std::vector<std::int64_t> numbers_from(std::int64_t first, std::int64_t count) {
        std::vector<std::int64_t> numbers(to_size(count));
        std::iota(numbers.begin(), numbers.end(), first);
        return numbers;
    }
    static double norm(std::span<const float> q, std::span<const float> x) {
        const std::vector<double> wide_q = widened(q);
        const std::vector<double> wide_x = widened(x);
        return dot(wide_q, wide_q) * dot(wide_x, wide_x);
    }

    std::int64_t dim() const { return share_.features.dim; }
    const float* error(std::int64_t local) const { return errors_.data() + local * share_.classes; }

    kernels::MatrixView errors() const {
        return {errors_.data(), std::ssize(norms_), share_.classes};
    }

    void lower_all() {
        constexpr std::int64_t rows_a_task = 64;
        kernels::parallel_for(
            options_.num_threads, (std::ssize(squared_) + rows_a_task - 1) / rows_a_task,
            [&](std::int64_t task) {
                const std::int64_t end = std::min(std::ssize(squared_), (task + 1) * rows_a_task);
                for (std::int64_t i = task * rows_a_task; i < end; i += rows_at_once()) {
                    const std::int64_t count = std::min(rows_at_once(), end - i);
                    const std::span<double> spreads =
                        std::span(squared_).subspan(to_size(i), to_size(count));
                    lower_tile(errors(), share_.features, numbers_from(i, count), norms_, 0,
                               spreads);
                }
            });
    }

    // Rows are the vectors, the pending picks from `first` on the panels; norms [rows of errors].
    void lower_tile(kernels::MatrixView errors, kernels::MatrixView features,
                    std::span<const std::int64_t> rows, std::span<const double> norms,
                    std::int64_t first, std::span<double> spreads) const {
        const WideRows q(errors, rows);
        const WideRows x(features, rows);
        for (std::int64_t pick = GrowingPanels::panel_of(first); pick < num_pending();) {
            const GrowingPanels::Products of_errors = pending_errors_.times(pick, q);
            const GrowingPanels::Products of_features = pending_features_.times(pick, x);
            for (std::size_t j = 0; j < rows.size(); ++j) {
                for (std::int64_t p = 0; p < of_errors.count; ++p) {
                    const double cross = of_errors.at(j, p) * of_features.at(j, p);
                    const double sum = norms[to_size(rows[j])] + pending_norms_[to_size(pick + p)];
                    spreads[j] = std::min(spreads[j], std::max(0.0, sum - 2.0 * cross));
                }
            }
            pick += of_errors.count;
        }
    }

    const ShortlistShare& share_;
    const DiversityOptions& options_;
    std::vector<float> errors_;    // [rows, C]
    std::vector<double> norms_;    // [rows] squared lengths of the gradients
    std::vector<double> squared_;  // [rows] squared distances to the nearest pick
    GrowingPanels pending_errors_;
    GrowingPanels pending_features_;
    std::vector<double> pending_norms_;
    bool has_pick_ = false;
    std::unique_ptr<kernels::DeviceGradients> device_;  // where refresh() lowers there
    std::vector<float> sent_errors_;                    // [pending, C] for the device
    std::vector<float> sent_features_;                  // [pending, D]
};

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    std::optional<GradientSpread> made;
    world.agree([&] { made.emplace(share, options); });
    GradientSpread& spread = *made;
    RaceRounds rounds(share, options, spread, std::vector<double>(share.rows.size(), 1.0), world);
    // The longest gradient comes first.
    const std::vector<std::uint8_t> none(share.rows.size(), 0);
    rounds.pick_first(
        best_free(share.rows, none, [&](std::size_t i) { return spread.norms()[i]; }));
    return rounds.pick();
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    const auto real = static_cast<std::int64_t>(sizeof(float));
    const std::int64_t classes = std::max(sizes.classes, std::int64_t{1});
    DiversityForecast forecast = RaceRounds::forecast(sizes, sizes.dim + classes);
    forecast.memory_bytes += sizes.share_rows * (classes * real + 16);
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
