#include "report/json_parts.hpp"
#include "report/queue_view.hpp"

namespace sluice::report {
namespace {

Json points_json(const std::vector<MapPoint>& points) {
    Json json = Json::array();
    for (const MapPoint& point : points)
        json.push_back(
            {{"row", point.row}, {"x", number_json(point.x)}, {"y", number_json(point.y)}});
    return json;
}

Json map_json(const MapView& map) {
    if (map.dim == 0) return nullptr;
    return {{"features", map.dim},
            {"axis_rows", map.axis_rows},
            {"variance_share", {number_json(map.share[0]), number_json(map.share[1])}},
            {"x_range", {number_json(map.x_low), number_json(map.x_high)}},
            {"y_range", {number_json(map.y_low), number_json(map.y_high)}},
            {"columns", map.columns},
            {"rows", map.rows},
            {"counts", map.counts},
            {"x_thirds", {number_json(map.x_cuts[0]), number_json(map.x_cuts[1])}},
            {"y_thirds", {number_json(map.y_cuts[0]), number_json(map.y_cuts[1])}},
            {"labeled", points_json(map.labeled)},
            {"chosen", points_json(map.chosen)},
            {"failed", points_json(map.failed)}};
}

Json score_json(const ScoreView& score) {
    if (score.round < 0) return nullptr;
    return {{"score", score.score},
            {"batch_round", score.round},
            {"model_round", score.model_round},
            {"logarithmic", score.is_logarithmic},
            {"edges", score.edges},
            {"pool", score.pool},
            {"chosen", score.chosen},
            {"refused", score.refused}};
}

Json shares_json(const std::vector<Share>& shares) {
    Json json = Json::array();
    for (const Share& share : shares) {
        json.push_back({{"name", share.name},
                        {"pool", number_json(share.pool)},
                        {"batch", number_json(share.batch)},
                        {"labels", number_json(share.labels)}});
    }
    return json;
}

Json farthest_json(const FarthestView& view) {
    if (view.looked_at == 0) return nullptr;
    Json rows = Json::array();
    for (const FarRow& far : view.rows) {
        rows.push_back({{"row", far.row},
                        {"distance", number_json(far.distance)},
                        {"nearest_label", far.label},
                        {"region", far.region}});
    }
    return {{"looked_at", view.looked_at}, {"labeled", view.labeled}, {"rows", rows}};
}

Json test_distance_json(const TestDistance& view) {
    if (view.test_rows == 0) return nullptr;
    return {{"test_rows", view.test_rows},
            {"pool_rows", view.pool_rows},
            {"test_median", number_json(view.test_median)},
            {"pool_median", number_json(view.pool_median)},
            {"share_beyond", number_json(view.share_beyond)}};
}

Json waits_json(const queue::QueueWaits& waits) {
    Json json = {{"done", waits.done}, {"open", waits.open}};
    if (waits.done > 0) {
        json["median_seconds"] = number_json(waits.median_seconds);
        json["longest_seconds"] = number_json(waits.longest_seconds);
    }
    if (waits.open > 0) {
        json["oldest_issue"] = number_json(waits.oldest_issue);
        json["oldest_issue_utc"] = utc_text(waits.oldest_issue);
    }
    return json;
}

}  // namespace

Json pool_json(const PoolView& pool) {
    return {{"rows", pool.num_rows},
            {"sample_rows", pool.sample_rows},
            {"sample_rows_not_finite", pool.skipped},
            {"map", map_json(pool.map)},
            {"scores", score_json(pool.score)},
            {"classes", shares_json(pool.classes)},
            {"largest_class_share", number_json(pool.largest_class_share)},
            {"groups", shares_json(pool.groups)},
            {"num_groups", pool.num_groups},
            {"regions", shares_json(pool.regions)},
            {"farthest", farthest_json(pool.farthest)},
            {"test_distance", test_distance_json(pool.test_distance)}};
}

Json queues_json(const std::vector<QueueView>& queues) {
    Json json = Json::array();
    for (const QueueView& queue : queues) {
        Json states = Json::object();
        for (const auto& [state, count] : queue.states)
            states[state] = count;
        json.push_back({{"queue", queue.name},
                        {"items", queue.items},
                        {"states", states},
                        {"waits", waits_json(queue.waits)}});
    }
    return json;
}

}  // namespace sluice::report
