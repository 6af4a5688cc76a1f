// G1, G2, G8: scores of logits on the device, features to scores, and logits that stream there.
#include "benchmarks/gpu_case.hpp"
#include "kernels/committee_network.hpp"
#include "kernels/committee_network_backends.hpp"
#include "kernels/cuda/row_stream.hpp"
#include "kernels/half.hpp"
#include "kernels/score_rows_cpu.hpp"
#include "kernels/score_rows_cuda.hpp"

#include <fmt/core.h>

namespace sluice::bench {
namespace {

using namespace kernels;

struct Shape {
    std::int64_t rows;
    std::int64_t members;
    std::int64_t classes;

    std::int64_t elements() const { return members * classes; }
    ScoreBlock block(const float* values) const {
        const auto input = members > 1 ? ScoreInput::committee_logits : ScoreInput::logits;
        return {values, {0, rows}, members, classes, input};
    }
    std::string text() const { return fmt::format("[{},{},{}] logits", rows, members, classes); }
};

template <class Value>
std::vector<Value> to_host(const Value* from, std::int64_t count) {
    std::vector<Value> values(static_cast<std::size_t>(count));
    cuda::check(
        cudaMemcpy(values.data(), from, values.size() * sizeof(Value), cudaMemcpyDeviceToHost));
    return values;
}

// The bits of `scores` must be those that `scorer` on the CPU gives for the block's rows.
void require_same(const Scorer& scorer, const ScoreBlock& block, std::span<const float> scores) {
    std::vector<float> expected(scores.size());
    scorer.score(block, expected);
    require(std::memcmp(scores.data(), expected.data(), scores.size_bytes()) == 0,
            ExitCode::bad_data, "the scores differ from the CPU's");
}

// G1: logits that lie where they are scored.
class ScoreCase : public Case {
  public:
    enum class Stored { floats, halves };

    ScoreCase(Bench& bench, std::string name, const Shape& shape, Stored stored)
        : bench_(bench),
          name_(std::move(name)),
          shape_(shape),
          stored_(stored),
          scorer_(make_scorer(Backend::cpu, find_score(name_), 1, 0)) {
        const std::int64_t count = shape.rows * shape.elements();
        if (!bench.on_gpu()) {
            host_ = random_values(count);
            return;
        }
        if (stored == Stored::halves) {
            halves_.reserve(count);
            bench.device().fill(halves_);
        } else {
            values_.reserve(count);
            bench.device().fill(values_);
        }
        scores_.reserve(shape.rows);
        tile_.reserve(std::max<std::int64_t>(1, score_tile_floats(block(), shape.rows)));
    }

    std::vector<Figure> turn() override {
        const double seconds = bench_.on_gpu() ? seconds_on_gpu() : seconds_on_cpu();
        const std::int64_t count = shape_.rows * shape_.elements();
        const std::int64_t floats = (stored_ == Stored::halves ? count / 2 : count) + shape_.rows;
        return {{"ours", seconds, shape_.text() + " where they are scored" + how_stored()},
                {"floor", bench_.seconds_to_move(floats), "reading them and writing the scores"}};
    }

  private:
    // The CPU widens what it reads, long before it scores: nothing to rehearse.
    std::string how_stored() const {
        if (stored_ == Stored::floats) return "";
        return bench_.on_gpu() ? ", stored in 16 bits" : ", widened";
    }

    ScoreBlock block() const {
        ScoreBlock block = shape_.block(values_.data());
        if (stored_ == Stored::halves) block.halves = halves_.data();
        return block;
    }

    double seconds_on_cpu() const {
        std::vector<float> scores(static_cast<std::size_t>(shape_.rows));
        return bench::seconds_of([&] { scorer_->score(shape_.block(host_.data()), scores); });
    }

    double seconds_on_gpu() {
        const std::size_t index = list_index(find_score(name_));
        DeviceBench& device = bench_.device();
        const double seconds = device.seconds_of(scores_, device.stream(), [&] {
            score_on_device(index, block(), {scores_.data(), tile_.data(), device.stream()});
        });
        Shape first = shape_;
        first.rows = std::min<std::int64_t>(shape_.rows, 1000);
        const std::vector<float> values = first_values(first.rows * first.elements());
        require_same(*scorer_, first.block(values.data()), to_host(scores_.data(), first.rows));
        return seconds;
    }

    std::vector<float> first_values(std::int64_t count) const {
        if (stored_ == Stored::floats) return to_host(values_.data(), count);
        std::vector<float> values;
        for (const Half half : to_host(halves_.data(), count))
            values.push_back(widened(half));
        return values;
    }

    Bench& bench_;
    std::string name_;
    Shape shape_;
    Stored stored_;
    std::unique_ptr<Scorer> scorer_;
    std::vector<float> host_;
    cuda::DeviceBuffer values_;
    cuda::DeviceArray<Half> halves_;
    cuda::DeviceBuffer scores_;
    cuda::DeviceBuffer tile_;
};

// G2: features that lie on the device, through one linear layer.
class HeadCase : public Case {
  public:
    HeadCase(Bench& bench, std::int64_t rows, std::int64_t classes)
        : bench_(bench),
          rows_(rows),
          classes_(classes),
          weight_(random_values(classes * dim)),
          bias_(random_values(classes)),
          on_cpu_(make_committee_scorer(Backend::cpu, network(Backend::cpu), entropy())) {
        if (!bench.on_gpu()) {
            host_ = random_values(rows * dim);
            return;
        }
        network_ = network(Backend::cuda);
        slot_.emplace();
        slot_->values.reserve(rows * dim);
        slot_->results.reserve(rows);
        bench.device().fill(slot_->values);
        require(reserve_committee_scores(*network_, list_index(entropy()), *slot_, rows),
                ExitCode::unavailable, "G2: not enough device memory");
    }

    std::vector<Figure> turn() override {
        const auto what =
            fmt::format("[{},{}] to {} classes to entropy, fp32 FMA chains", rows_, dim, classes_);
        return {{"ours", bench_.on_gpu() ? seconds_on_gpu() : seconds_on_cpu(), what},
                {"floor", bench_.seconds_to_move(rows_ * dim), "reading the features once"}};
    }

  private:
    static constexpr std::int64_t dim = 512;

    static const ScoreDefinition& entropy() { return find_score("entropy"); }

    std::shared_ptr<const CommitteeNetwork> network(Backend backend) const {
        NetworkDefinition definition;
        definition.dim = dim;
        definition.outputs = definition.first_variance = classes_;
        definition.output = ScoreInput::committee_logits;
        definition.members = {
            {{dim, classes_, weight_.data(), bias_.data(), Activation::identity}}};
        return make_committee_network(backend, definition);
    }

    static ScoreBlock block(const float* values, std::int64_t rows) {
        return {values, {0, rows}, 1, dim, ScoreInput::features};
    }

    double seconds_on_cpu() const {
        std::vector<float> scores(static_cast<std::size_t>(rows_));
        return bench::seconds_of([&] { on_cpu_->score(block(host_.data(), rows_), scores); });
    }

    double seconds_on_gpu() {
        const double seconds = bench_.device().seconds_of(slot_->results, slot_->stream, [&] {
            queue_committee_scores(*network_, list_index(entropy()), *slot_, rows_);
        });
        const std::int64_t first = std::min<std::int64_t>(rows_, 1000);
        const std::vector<float> values = to_host(slot_->values.data(), first * dim);
        require_same(*on_cpu_, block(values.data(), first), to_host(slot_->results.data(), first));
        return seconds;
    }

    Bench& bench_;
    std::int64_t rows_;
    std::int64_t classes_;
    std::vector<float> weight_;
    std::vector<float> bias_;
    std::unique_ptr<Scorer> on_cpu_;
    std::shared_ptr<const CommitteeNetwork> network_;
    std::optional<cuda::RowSlot> slot_;
    std::vector<float> host_;
};

// G8: logits in the caller's memory, where the scores go back to.
class StreamCase : public Case {
  public:
    StreamCase(Bench& bench, const Shape& shape)
        : bench_(bench),
          shape_(shape),
          count_(shape.rows * shape.elements()),
          scorer_(make_scorer(bench.backend(), find_score("bald"), 1, 0)),
          on_cpu_(make_scorer(Backend::cpu, find_score("bald"), 1, 0)),
          scores_(static_cast<std::size_t>(shape.rows)) {
        host_.reserve(count_);
        const std::vector<float> values = random_values(count_);
        std::copy(values.begin(), values.end(), host_.data());
        if (bench.on_gpu()) device_.reserve(count_);
    }

    std::vector<Figure> turn() override {
        std::fill(scores_.begin(), scores_.end(), std::numeric_limits<float>::quiet_NaN());
        const double ours =
            bench::seconds_of([&] { scorer_->score(shape_.block(host_.data()), scores_); });
        Shape first = shape_;
        first.rows = std::min<std::int64_t>(shape_.rows, 1000);
        require_same(*on_cpu_, first.block(host_.data()),
                     std::span(scores_).first(static_cast<std::size_t>(first.rows)));
        return {{"ours", ours, "bald of " + shape_.text() + " in host memory, one thread"},
                {"floor", seconds_to_send(), "their copy from pinned host memory alone"}};
    }

  private:
    double seconds_to_send() {
        if (!bench_.on_gpu()) return bench_.seconds_to_move(count_);
        return bench::seconds_of([&] {
            device_.upload(host_.data(), count_, bench_.device().stream());
            bench_.device().stream().synchronize();
        });
    }

    Bench& bench_;
    Shape shape_;
    std::int64_t count_;
    std::unique_ptr<Scorer> scorer_;
    std::unique_ptr<Scorer> on_cpu_;
    std::vector<float> scores_;
    cuda::PinnedBuffer host_;
    cuda::DeviceBuffer device_;
};

}  // namespace

std::vector<CaseDefinition> score_cases() {
    using Stored = ScoreCase::Stored;
    std::vector<CaseDefinition> cases;
    const auto add = [&](const char* form, const char* name, const Shape& shape, Stored stored) {
        cases.push_back({fmt::format("{}.{}.{}", form, name, shape.classes), [=](Bench& bench) {
                             return std::make_unique<ScoreCase>(
                                 bench, name,
                                 Shape{bench.shrunk(shape.rows), shape.members, shape.classes},
                                 stored);
                         }});
    };
    for (const Shape& shape :
         {Shape{20'000'000, 5, 10}, Shape{2'000'000, 8, 100}, Shape{200'000, 8, 1000}})
        for (const char* name : {"bald", "entropy", "margin"}) {
            add("G1", name, shape, Stored::floats);
            add("G1.half", name, shape, Stored::halves);
        }
    for (const std::int64_t classes : {10, 100, 1000})
        cases.push_back({fmt::format("G2.{}", classes), [=](Bench& bench) {
                             return std::make_unique<HeadCase>(bench, bench.shrunk(1 << 18),
                                                               classes);
                         }});
    cases.push_back(
        {"G8", [](Bench& bench) {
             return std::make_unique<StreamCase>(bench, Shape{bench.shrunk(4'000'000), 5, 10});
         }});
    return cases;
}

}  // namespace sluice::bench
