// G3, G4: the best of scores that lie on the device, and scores of which only the best leave it.
#include "benchmarks/gpu_case.hpp"
#include "core/philox.hpp"
#include "core/top_k.hpp"
#include "kernels/score_rows_cpu.hpp"
#include "kernels/score_rows_cuda.hpp"
#include "kernels/top_rows.hpp"
#include "kernels/top_rows_cuda.hpp"

#include <fmt/core.h>

#include <string>

namespace sluice::bench {
namespace {

using namespace kernels;

constexpr std::int64_t num_wanted = 100'000;

enum class Kind { random, sorted, all_equal, few_values };

std::vector<float> scores_of(Kind kind, std::int64_t count) {
    if (kind == Kind::random) return random_values(count);
    std::vector<float> scores(static_cast<std::size_t>(count), 0.5F);
    for (std::int64_t i = 0; i < count && kind != Kind::all_equal; ++i) {
        const auto place = static_cast<std::uint64_t>(i);
        scores[static_cast<std::size_t>(i)] =
            kind == Kind::sorted
                ? static_cast<float>(i) / static_cast<float>(count)
                : static_cast<float>(
                      random_words(fresh_seed(), RandomPurpose::pool_values, 1, place, 0).word[0] %
                      4);
    }
    return scores;
}

std::vector<Candidate> best_on_cpu(std::span<const float> scores, std::int64_t wanted) {
    TopK top(static_cast<std::size_t>(wanted));
    top.offer(scores, 0);
    return top.take_sorted();
}

// G3: scores that lie where they are selected from.
class TopKCase : public Case {
  public:
    TopKCase(Bench& bench, Kind kind, std::int64_t count)
        : bench_(bench),
          wanted_(std::min(num_wanted, count / 10 + 1)),
          scores_(bench::scores_of(kind, count)),
          expected_(best_on_cpu(scores_, wanted_)) {
        if (!bench.on_gpu()) return;
        on_device_.reserve(count);
        on_device_.upload(scores_.data(), count, bench.device().stream());
        bench.device().stream().synchronize();
        poisoned_.reserve(1);
        top_.emplace(wanted_, count);
    }

    std::vector<Figure> turn() override {
        const std::int64_t count = std::ssize(scores_);
        const double seconds = bench_.on_gpu()
                                   ? seconds_on_gpu()
                                   : bench::seconds_of([&] { best_on_cpu(scores_, wanted_); });
        return {{"ours", seconds, fmt::format("top {} of {} fp32 scores", wanted_, count)},
                {"floor", bench_.seconds_to_move(count), "reading them once"}};
    }

  private:
    double seconds_on_gpu() {
        DeviceBench& device = bench_.device();
        std::int64_t found = 0;
        const double seconds = device.seconds_of(poisoned_, device.stream(), [&] {
            found = top_->find(on_device_.data(), device.stream());
        });
        require(top_->take(found, device.stream()) == expected_, ExitCode::bad_data,
                "the best scores are not the CPU's");
        return seconds;
    }

    Bench& bench_;
    std::int64_t wanted_;
    std::vector<float> scores_;
    std::vector<Candidate> expected_;
    cuda::DeviceBuffer on_device_;
    cuda::DeviceBuffer poisoned_;
    std::optional<DeviceTopRows> top_;
};

struct Shape {
    std::int64_t rows;
    std::int64_t members;
    std::int64_t classes;

    std::int64_t elements() const { return members * classes; }
    ScoreBlock block(const float* values) const {
        return {values, {0, rows}, members, classes, ScoreInput::committee_logits};
    }
};

// G4: bald of logits that lie where they are scored, with the bound that the best have in the end:
// what most blocks of a pool meet. The floor is the scores alone.
class FilterCase : public Case {
  public:
    FilterCase(Bench& bench, const Shape& shape)
        : bench_(bench),
          shape_(shape),
          wanted_(std::min(num_wanted, shape.rows / 10 + 1)),
          scorer_(make_scorer(Backend::cpu, find_score("bald"), 1, 0)) {
        const std::int64_t count = shape.rows * shape.elements();
        if (!bench.on_gpu()) {
            host_ = random_values(count);
            return;
        }
        values_.reserve(count);
        scores_.reserve(shape.rows);
        tile_.reserve(
            std::max<std::int64_t>(1, score_tile_floats(shape.block(values_.data()), shape.rows)));
        require(passed_.try_reserve(shape.rows), ExitCode::unavailable, "not enough memory");
        bench.device().fill(values_);
        queue_scores();
        DeviceTopRows top(wanted_, shape.rows);
        const cuda::Stream& stream = bench.device().stream();
        best_ = top.take(top.find(scores_.data(), stream), stream);
    }

    std::vector<Figure> turn() override {
        const auto [both, alone] = bench_.on_gpu() ? seconds_on_gpu() : seconds_on_cpu();
        return {{"ours", both,
                 fmt::format("[{},{},{}] fp32 logits to bald, the best {} pass", shape_.rows,
                             shape_.members, shape_.classes, wanted_)},
                {"floor", alone, "the scores alone"}};
    }

  private:
    void queue_scores() {
        score_on_device(list_index(find_score("bald")), shape_.block(values_.data()),
                        {scores_.data(), tile_.data(), bench_.device().stream()});
    }

    std::pair<double, double> seconds_on_gpu() {
        DeviceBench& device = bench_.device();
        const double alone = device.seconds_of(scores_, device.stream(), [&] { queue_scores(); });
        const double both = device.seconds_of(scores_, device.stream(), [&] {
            queue_scores();
            queue_passing(scores_.data(), shape_.rows, limit_of(best_.back(), 0), passed_,
                          device.stream());
        });
        // All of the best but the last one are better than it.
        const auto passed = receive_passing(shape_.rows, passed_, device.stream());
        require(passed.size() + 1 == best_.size(), ExitCode::bad_data,
                "other rows pass than the best");
        return {both, alone};
    }

    std::pair<double, double> seconds_on_cpu() const {
        std::vector<float> scores(static_cast<std::size_t>(shape_.rows));
        const auto score = [&] { scorer_->score(shape_.block(host_.data()), scores); };
        const double alone = bench::seconds_of(score);
        return {bench::seconds_of([&] {
                    score();
                    best_on_cpu(scores, wanted_);
                }),
                alone};
    }

    Bench& bench_;
    Shape shape_;
    std::int64_t wanted_;
    std::unique_ptr<Scorer> scorer_;
    std::vector<float> host_;
    std::vector<Candidate> best_;
    cuda::DeviceBuffer values_;
    cuda::DeviceBuffer scores_;
    cuda::DeviceBuffer tile_;
    PassedRows passed_;
};

}  // namespace

std::vector<CaseDefinition> top_k_cases() {
    std::vector<CaseDefinition> cases;
    for (const auto& [id, kind] :
         {std::pair{"G3", Kind::random}, std::pair{"G3.sorted", Kind::sorted},
          std::pair{"G3.all-equal", Kind::all_equal}, std::pair{"G3.few-values", Kind::few_values}})
        cases.push_back({id, [kind = kind](Bench& bench) {
                             return std::make_unique<TopKCase>(bench, kind,
                                                               bench.shrunk(256'000'000));
                         }});
    for (const Shape& shape :
         {Shape{20'000'000, 5, 10}, Shape{2'000'000, 8, 100}, Shape{200'000, 8, 1000}})
        cases.push_back({fmt::format("G4.bald.{}", shape.classes), [shape](Bench& bench) {
                             return std::make_unique<FilterCase>(
                                 bench,
                                 Shape{bench.shrunk(shape.rows), shape.members, shape.classes});
                         }});
    return cases;
}

}  // namespace sluice::bench
