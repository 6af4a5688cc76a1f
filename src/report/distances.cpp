#include "report/distances.hpp"

#include "report/pool_view.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <span>

namespace sluice::report {
namespace {

constexpr double most_products = 2e9;  // of differences, in each of the two searches
constexpr std::int64_t most_test_rows = 500;
constexpr std::int64_t most_pool_rows = 5000;
constexpr std::size_t rows_listed = 10;
constexpr double far = 0.95;  // of the pool's rows are nearer to another one

// Rows with finite features, in the order in which they were asked for.
struct Points {
    std::int64_t dim = 0;
    std::vector<RowId> rows;
    std::vector<float> features;  ///< [rows, dim]

    std::size_t size() const { return rows.size(); }
    std::span<const float> at(std::size_t i) const {
        const auto width = static_cast<std::size_t>(dim);
        return std::span(features).subspan(i * width, width);
    }
    void add(RowId row, std::span<const float> point) {
        if (!std::ranges::all_of(point, [](float x) { return std::isfinite(x); })) return;
        rows.push_back(row);
        features.insert(features.end(), point.begin(), point.end());
    }
};

Points points_of(const pool::Pool& pool, std::vector<RowId> rows) {
    std::ranges::sort(rows);
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    const std::vector<float> features = features_of(pool, rows);
    Points points;
    points.dim = pool.get("features", "distances").row_elements();
    const auto width = static_cast<std::size_t>(points.dim);
    for (std::size_t i = 0; i < rows.size(); ++i)
        points.add(rows[i], std::span(features).subspan(i * width, width));
    return points;
}

// At most `most` of them, evenly spaced.
std::vector<RowId> thinned(const std::vector<RowId>& rows, double most) {
    const auto size = std::ssize(rows);
    const auto count = std::min(size, std::max<std::int64_t>(1, static_cast<std::int64_t>(most)));
    std::vector<RowId> kept;
    for (std::int64_t i = 0; i < count; ++i)
        kept.push_back(rows[static_cast<std::size_t>(i * size / count)]);
    return kept;
}

double squared_distance(std::span<const float> a, std::span<const float> b) {
    double sum = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
        sum += difference * difference;
    }
    return sum;
}

struct Nearest {
    double distance = not_known;
    RowId row = -1;
};

// Ties go to the lower row. A row is not near itself; another pool's row of that number is.
Nearest nearest(RowId row, std::span<const float> point, const Points& others) {
    double least = std::numeric_limits<double>::infinity();
    Nearest found;
    for (std::size_t i = 0; i < others.size(); ++i) {
        const double square = squared_distance(point, others.at(i));
        const bool is_itself = others.rows[i] == row && square == 0.0;
        if (is_itself || !(square < least)) continue;
        least = square;
        found = {std::sqrt(square), others.rows[i]};
    }
    return found;
}

std::vector<RowId> labeled_rows(const ReportData& data, RowId num_rows) {
    std::vector<RowId> rows;
    for (const RoundView& round : data.active().rounds) {
        for (const ChosenRow& chosen : round.chosen) {
            if (chosen.status == "ok" && chosen.row < num_rows) rows.push_back(chosen.row);
        }
    }
    return rows;
}

void list_farthest(const pool::Pool& pool, const SampledRows& sample, ReportData& data) {
    const Points labeled = points_of(pool, labeled_rows(data, pool.num_rows));
    if (labeled.size() == 0) return;
    FarthestView& view = data.pool.farthest;
    const double work = static_cast<double>(labeled.size()) * static_cast<double>(labeled.dim);
    const Points looked = points_of(pool, thinned(sample.facts.rows, most_products / work));
    const std::set<RowId> known(labeled.rows.begin(), labeled.rows.end());
    view.labeled = std::ssize(labeled.rows);
    view.looked_at = std::ssize(looked.rows);
    for (std::size_t i = 0; i < looked.size(); ++i) {
        if (known.contains(looked.rows[i])) continue;
        const Nearest label = nearest(-1, looked.at(i), labeled);
        view.rows.push_back({looked.rows[i], label.distance, label.row, {}});
    }
    std::ranges::stable_sort(view.rows, std::ranges::greater(), &FarRow::distance);
    if (view.rows.size() > rows_listed) view.rows.resize(rows_listed);
    std::vector<RowId> rows;
    for (const FarRow& far_row : view.rows)
        rows.push_back(far_row.row);
    const RowFacts facts = facts_of(pool, sample, rows);
    for (std::size_t i = 0; i < facts.x.size(); ++i)
        view.rows[i].region = region_name(region_of(data.pool.map, facts.x[i], facts.y[i]));
}

double quantile(std::vector<double> values, double share) {
    if (values.empty()) return not_known;
    std::ranges::sort(values);
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

Points test_points(const model::TrainingSet& test) {
    Points points;
    points.dim = test.dim;
    const auto width = static_cast<std::size_t>(test.dim);
    const std::int64_t count = std::min(test.size(), most_test_rows);
    for (std::int64_t i = 0; i < count; ++i) {
        const auto entry = static_cast<std::size_t>(i * test.size() / count);
        points.add(test.rows[entry], std::span(test.features).subspan(entry * width, width));
    }
    return points;
}

std::vector<double> distances_to(const Points& points, const Points& others) {
    std::vector<double> distances;
    for (std::size_t i = 0; i < points.size(); ++i) {
        const Nearest found = nearest(points.rows[i], points.at(i), others);
        if (std::isfinite(found.distance)) distances.push_back(found.distance);
    }
    return distances;
}

void compare_test(const pool::Pool& pool, const SampledRows& sample, const model::TrainingSet& test,
                  TestDistance& view) {
    const Points tests = test_points(test);
    const double work = 2.0 * static_cast<double>(tests.size()) * static_cast<double>(test.dim);
    const double most = std::min(static_cast<double>(most_pool_rows), most_products / work);
    const Points others = points_of(pool, thinned(sample.facts.rows, most));
    if (tests.size() == 0 || others.size() < 2 || others.dim != tests.dim) return;
    const Points own = points_of(pool, thinned(others.rows, static_cast<double>(tests.size())));
    const std::vector<double> of_tests = distances_to(tests, others);
    const std::vector<double> of_pool = distances_to(own, others);
    view.test_rows = std::ssize(of_tests);
    view.pool_rows = std::ssize(others.rows);
    view.test_median = quantile(of_tests, 0.5);
    view.pool_median = quantile(of_pool, 0.5);
    const double bound = quantile(of_pool, far);
    const auto beyond = std::ranges::count_if(of_tests, [&](double d) { return d > bound; });
    view.share_beyond = static_cast<double>(beyond) / static_cast<double>(of_tests.size());
}

}  // namespace

void describe_distances(const pool::Pool& pool, const SampledRows& sample,
                        const model::TrainingSet* test, ReportData& data) {
    if (!sample.axes) return;
    list_farthest(pool, sample, data);
    if (test != nullptr) compare_test(pool, sample, *test, data.pool.test_distance);
}

}  // namespace sluice::report
