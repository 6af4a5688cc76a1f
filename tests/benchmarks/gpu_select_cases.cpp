// G5, G6, G7: k-center, k-means++ and log-det from host memory to the picks in it, and the
// assignment of k-means.
#include "benchmarks/gpu_case.hpp"
#include "kernels/device_rows.hpp"
#include "select/diversity.hpp"

#include <fmt/core.h>

#include <numeric>

namespace sluice::bench {
namespace {

using kernels::Backend;

// A rule as `sluice select` calls it, copies to the device included.
class RuleCase : public Case {
  public:
    struct Size {
        std::int64_t rows;
        std::int64_t dim;
        std::int64_t picks;
    };

    RuleCase(Bench& bench, const std::string& rule, const Size& size)
        : bench_(bench),
          rule_(select::find_diversity(rule)),
          size_(size),
          values_(random_values(size.rows * size.dim)),
          rows_(static_cast<std::size_t>(size.rows)),
          scores_(rows_.size(), 1.0F) {
        std::iota(rows_.begin(), rows_.end(), RowId{0});
    }

    std::vector<Figure> turn() override {
        std::vector<select::DiversePick> expected;
        std::vector<select::DiversePick> picks;
        const double cpu = bench::seconds_of([&] { expected = pick(Backend::cpu); });
        const double ours = bench::seconds_of([&] { picks = pick(bench_.backend()); });
        const auto is_same = [](const select::DiversePick& a, const select::DiversePick& b) {
            return a.row == b.row && a.value == b.value;
        };
        require(std::ranges::equal(picks, expected, is_same), ExitCode::bad_data,
                rule_.name + ": the picks differ from the CPU's");
        const double pass = bench_.seconds_to_move(size_.rows * size_.dim);
        return {{"ours", ours,
                 fmt::format("N={} D={} B={} from host memory, picks as the CPU's", size_.rows,
                             size_.dim, size_.picks)},
                {"cpu", cpu, fmt::format("the same on {} threads", all_threads())},
                {"floor", static_cast<double>(size_.picks) * pass,
                 "one pass over the rows on the device for each pick"}};
    }

  private:
    std::vector<select::DiversePick> pick(Backend backend) const {
        comm::Communicator alone;
        select::ShortlistShare share;
        share.rows = rows_;
        share.scores = scores_;
        share.features = {values_.data(), size_.rows, size_.dim};
        select::DiversityOptions options;
        options.num_picks = size_.picks;
        options.backend = backend;
        options.num_threads = all_threads();
        return rule_.pick(share, options, alone).picks;
    }

    Bench& bench_;
    const select::DiversityDefinition& rule_;
    Size size_;
    std::vector<float> values_;
    std::vector<RowId> rows_;
    std::vector<float> scores_;
};

// G7: every row's nearest centroid; rows stay on the device, distances go there and back.
class AssignmentCase : public Case {
  public:
    AssignmentCase(Bench& bench, std::int64_t rows, std::int64_t centroids)
        : bench_(bench),
          num_rows_(rows),
          num_centroids_(centroids),
          values_(random_values(rows * dim)),
          centroids_(random_values(centroids * dim)),
          resident_(bench.backend(), {values_.data(), rows, dim}),
          all_(static_cast<std::size_t>(rows)),
          distance_(all_.size()),
          center_(all_.size()) {
        std::iota(all_.begin(), all_.end(), std::int64_t{0});
    }

    std::vector<Figure> turn() override {
        start();
        const double ours = bench::seconds_of([&] {
            resident_.relax_nearest_of(all_, centroids(), {distance_, center_, 0}, all_threads());
        });
        require_same();
        return {{"ours", ours,
                 fmt::format("assignment of N={} D={} K={}, fp32 FMA chains, rows on the device",
                             num_rows_, dim, num_centroids_)}};
    }

  private:
    static constexpr std::int64_t dim = 128;

    kernels::MatrixView centroids() const { return {centroids_.data(), num_centroids_, dim}; }

    void start() {
        std::fill(distance_.begin(), distance_.end(), std::numeric_limits<float>::infinity());
        std::fill(center_.begin(), center_.end(), -1);
    }

    // Of the first rows.
    void require_same() const {
        const auto count = std::min<std::size_t>(all_.size(), 4096);
        std::vector<float> distance(count, std::numeric_limits<float>::infinity());
        std::vector<std::int32_t> center(count, -1);
        kernels::relax_nearest_of(
            Backend::cpu, {values_.data(), static_cast<std::int64_t>(count), dim},
            std::span(all_).first(count), centroids(), {distance, center, 0}, all_threads());
        require(std::equal(distance.begin(), distance.end(), distance_.begin()) &&
                    std::equal(center.begin(), center.end(), center_.begin()),
                ExitCode::bad_data, "G7: the nearest centroids differ from the CPU's");
    }

    Bench& bench_;
    std::int64_t num_rows_;
    std::int64_t num_centroids_;
    std::vector<float> values_;
    std::vector<float> centroids_;
    kernels::ResidentRows resident_;
    std::vector<std::int64_t> all_;
    std::vector<float> distance_;
    std::vector<std::int32_t> center_;
};

CaseDefinition rule_case(const std::string& id, const std::string& rule,
                         const RuleCase::Size& size) {
    return {id, [=](Bench& bench) {
                const std::int64_t rows = bench.shrunk(size.rows);
                return std::make_unique<RuleCase>(
                    bench, rule, RuleCase::Size{rows, size.dim, std::min(size.picks, rows / 4)});
            }};
}

}  // namespace

std::vector<CaseDefinition> select_cases() {
    return {rule_case("G5", "k_center", {1'000'000, 512, 1000}),
            rule_case("G6.kmeanspp", "kmeanspp", {1'000'000, 512, 1000}),
            rule_case("G6.maxdet", "maxdet", {200'000, 256, 1000}),
            {"G7", [](Bench& bench) {
                 return std::make_unique<AssignmentCase>(bench, bench.shrunk(8'000'000),
                                                         bench.shrunk(1024));
             }}};
}

}  // namespace sluice::bench
