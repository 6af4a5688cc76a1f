#include "core/partition.hpp"
#include "core/progress.hpp"
#include "select/diversity/clusters.hpp"
#include "select/in_parallel.hpp"
#include "select/k_means.hpp"
#include "select/scores/cluster_neighbors.hpp"
#include "select/scores/feature_scores.hpp"

#include <algorithm>
#include <limits>

namespace sluice::select {
namespace {

constexpr std::int64_t num_nearest = 20;
constexpr double least_distance = 1e-5;
constexpr std::int64_t rows_at_once = 1024;
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

// A rank's part of the pool in memory, without the rows that are not usable.
struct Share {
    RowRange range;
    std::vector<RowId> rows;
    std::vector<float> features;  // [rows, dim]
};

void read_rows(const FeatureTable& table, RowRange rows, float* to) {
    const std::int64_t dim = table.dim();
    for (RowId begin = rows.begin; begin < rows.end; begin += rows_at_once) {
        const RowRange block{begin, std::min(begin + rows_at_once, rows.end)};
        table.read(block,
                   {to + (begin - rows.begin) * dim, static_cast<std::size_t>(block.size() * dim)});
    }
}

void drop_unusable(std::int64_t dim, Share& share) {
    std::int64_t kept = 0;
    for (RowId row = share.range.begin; row < share.range.end; ++row) {
        const float* from = share.features.data() + (row - share.range.begin) * dim;
        if (!is_usable({from, static_cast<std::size_t>(dim)})) continue;
        std::copy_n(from, dim, share.features.data() + kept++ * dim);
        share.rows.push_back(row);
    }
    share.features.resize(static_cast<std::size_t>(kept * dim));
}

Share read_share(const ScorePreparation& from) {
    const std::int64_t dim = from.features.dim();
    Share share;
    share.range = part_of_rows(from.features.num_rows(), from.world.rank(), from.world.size());
    from.world.agree([&] {
        share.features.resize(static_cast<std::size_t>(share.range.size() * dim));
        in_parallel(from.num_threads, [&](int part) {
            const RowRange some = part_of_rows(share.range.size(), part, from.num_threads);
            read_rows(from.features, {share.range.begin + some.begin, share.range.begin + some.end},
                      share.features.data() + some.begin * dim);
        });
        drop_unusable(dim, share);
    });
    return share;
}

Clusters cluster(const Share& share, const ScorePreparation& from) {
    KMeansOptions options;
    options.num_clusters = num_typical_clusters(std::ssize(from.labeled), from.num_picks);
    options.seed = from.seed;
    options.round = from.round;
    options.num_threads = from.num_threads;
    options.backend = from.backend;
    Progress progress("clustering the pool", options.max_iterations, "iterations at most");
    options.progress = &progress;
    const kernels::MatrixView features{share.features.data(), std::ssize(share.rows),
                                       from.features.dim()};
    return k_means({share.rows, features, {}, {}}, options, from.world);
}

// Of the share's range; NaN for rows that are not usable.
std::vector<float> scores_of(const Share& share, const ScorePreparation& from) {
    const Clusters clusters = cluster(share, from);
    std::vector<std::uint8_t> is_counted;
    for (const RowId row : share.rows)
        is_counted.push_back(std::binary_search(from.labeled.begin(), from.labeled.end(), row) ? 0
                                                                                               : 1);
    const std::vector<double> means = mean_neighbor_distances(
        {{share.features.data(), std::ssize(share.rows), from.features.dim()},
         clusters.cluster,
         is_counted},
        num_nearest, from.num_threads, from.world);
    std::vector<float> scores(static_cast<std::size_t>(share.range.size()), not_a_number);
    for (std::size_t i = 0; i < means.size(); ++i)
        scores[static_cast<std::size_t>(share.rows[i] - share.range.begin)] =
            static_cast<float>(1.0 / (means[i] + least_distance));
    return scores;
}

/// What was found for each row of the pool.
class Typicality : public FeatureScore {
  public:
    explicit Typicality(std::vector<float> scores) : scores_(std::move(scores)) {}

    void score(kernels::MatrixView features, RowId first, std::span<float> scores) const override {
        std::copy_n(scores_.begin() + first, features.rows, scores.begin());
    }

  private:
    std::vector<float> scores_;
};

std::unique_ptr<FeatureScore> prepare(const ScorePreparation& from) {
    const Share share = read_share(from);
    const std::vector<float> mine = scores_of(share, from);
    return std::make_unique<Typicality>(from.world.all_gather(std::span<const float>(mine)));
}

ScoreForecast forecast(const ScoreSizes& sizes) {
    const std::int64_t row_bytes = sizes.dim * std::int64_t{sizeof(float)};
    DiversitySizes clustered;
    clustered.shortlist_rows = sizes.num_rows;
    clustered.share_rows = (sizes.num_rows + sizes.num_ranks - 1) / sizes.num_ranks;
    clustered.dim = sizes.dim;
    clustered.num_threads = sizes.num_threads;
    const DiversityForecast k_means =
        forecast_k_means(clustered, num_typical_clusters(sizes.num_labeled, sizes.num_picks));
    ScoreForecast forecast;
    forecast.num_passes = 1;
    forecast.memory_bytes = clustered.share_rows * (row_bytes + 24) + k_means.memory_bytes +
                            neighbor_memory(clustered.share_rows, sizes.dim, num_nearest) +
                            2 * sizes.num_rows * std::int64_t{sizeof(float)};
    if (sizes.num_ranks > 1)
        forecast.bytes_received = k_means.bytes_received + sizes.num_rows * (row_bytes + 16);
    return forecast;
}

}  // namespace

// Labeled and issued rows are clustered with the others, as in the authors' program, and are no
// row's neighbours. In clusters of fewer rows than neighbours are wanted, where that program takes
// half of the rows, all others count; a row alone in its cluster is not typical of anything: 0,
// where the formula, with a mean of 0, would make it the most typical of all.
// \source Hacohen, Dekel and Weinshall, "Active Learning on a Budget: Opposite Strategies Suit High
//         and Low Budgets", ICML 2022, equation 1 and section 3; the authors' program for 1e-5.
FeatureScoreDefinition typicality() {
    return {"typicality",
            {"TYPICALITY", "typical"},
            "1 / (mean distance to the 20 nearest unlabeled rows of the row's cluster + 1e-5), "
            "clusters by k-means of the pool, min(labeled + batch, 500) of them; 0 for a row "
            "alone in its; >= 0, a pass more, and the features of a rank's rows stay in memory",
            prepare,
            forecast};
}

}  // namespace sluice::select
