#include "campaign/nearest.hpp"

#include "campaign/batch_items.hpp"
#include "campaign/output_paths.hpp"
#include "comm/cores.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/path_status.hpp"
#include "core/phase.hpp"
#include "core/text.hpp"
#include "labels/labeled_rows.hpp"
#include "pool/row_reader.hpp"
#include "queue/publish.hpp"
#include "select/feature_rows.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <span>

namespace sluice::campaign {
namespace {

using Json = nlohmann::ordered_json;

// A block should stay in a core's second-level cache from reading to comparing.
constexpr std::int64_t block_bytes = std::int64_t{1} << 20;

std::vector<RowId> ascending(std::vector<RowId> rows) {
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    return rows;
}

// One search, step by step.
class Search {
  public:
    Search(const NearestRequest& request, comm::Communicator& world)
        : request_(request), world_(world) {}

    NearestResult run() {
        enter_phase("open pool");
        pool_ = pool::open_pool(request_.pool, world_);
        if (!request_.queries.files.empty())
            query_pool_ = pool::open_pool(request_.queries, world_);
        enter_phase("read labels");
        excluded_ = labels::read_labeled_rows(request_.labels, pool_.num_rows, world_);
        const std::vector<RowId> issued = issued_rows(request_.queue_directory, world_);
        excluded_.insert(excluded_.end(), issued.begin(), issued.end());
        excluded_ = ascending(std::move(excluded_));
        enter_phase("read queries");
        world_.agree([&] {
            if (world_.is_root()) {
                require_writable(request_.csv_path);
                require_writable(request_.json_path);
            }
            features_ = &pool_.get("features", "nearest");
            if (request_.queries.files.empty()) {
                read_query_rows();
            } else {
                read_query_files();
            }
            plan();
        });
        enter_phase("search");
        NearestResult result;
        result.found = select::find_nearest_rows(search_, world_);
        result.num_queries = search_.queries.rows;
        enter_phase("write");
        world_.agree([&] {
            if (world_.is_root()) write(result);
        });
        enter_phase("done");
        return result;
    }

  private:
    // Queries are read as the shortlist of a selection is; a bad one is refused.
    select::FeatureRows read(const pool::Dataset& features, std::vector<RowId> rows) const {
        select::Plan plan;
        plan.metric = request_.metric;
        const pool::RowReader reader(features);
        return select::read_features(features, reader, plan, std::move(rows));
    }

    void read_query_files() {
        const pool::Dataset& features = query_pool_.get("features", "nearest");
        require(features.row_elements() == features_->row_elements(), ExitCode::bad_data,
                fmt::format("{}: {} features, but {} has {}; give vectors of the pool's width",
                            pool::location_text(features, 0), features.row_elements(),
                            pool::location_text(*features_, 0), features_->row_elements()));
        std::vector<RowId> rows(static_cast<std::size_t>(features.num_rows));
        std::iota(rows.begin(), rows.end(), RowId{0});
        query_names_ = rows;
        queries_ = read(features, std::move(rows)).values;
    }

    void read_query_rows() {
        query_names_ = request_.query_rows;
        for (const RowId row : query_names_) {
            require(row < pool_.num_rows, ExitCode::bad_data,
                    fmt::format("--to-rows: row {} is beyond the pool's last ({}); give rows "
                                "from 0 on",
                                row, pool_.num_rows - 1));
        }
        const select::FeatureRows unique = read(*features_, ascending(query_names_));
        const auto dim = static_cast<std::ptrdiff_t>(unique.dim);
        for (const RowId row : query_names_) {
            const auto at = std::lower_bound(unique.rows.begin(), unique.rows.end(), row);
            const auto values = unique.values.begin() + (at - unique.rows.begin()) * dim;
            queries_.insert(queries_.end(), values, values + dim);
        }
        search_.own_rows = query_names_;
    }

    void plan() {
        search_.features = features_;
        search_.queries = {queries_.data(), std::ssize(query_names_), features_->row_elements()};
        search_.excluded = excluded_;
        search_.num_neighbors = request_.num_neighbors;
        search_.metric = request_.metric;
        search_.bad_rows = request_.bad_rows;
        search_.num_threads =
            request_.num_threads > 0 ? request_.num_threads : comm::cores_of_this_rank(world_);
        search_.block_rows = request_.block_rows;
        if (search_.block_rows == 0) {
            search_.block_rows =
                std::max<std::int64_t>(1, pool::RowReader(*features_).block_rows(block_bytes));
        }
        const std::int64_t needed = select::nearest_memory(search_) +
                                    std::ssize(queries_) * static_cast<std::int64_t>(sizeof(float));
        require(static_cast<double>(needed) <= request_.memory_gib * 0x1p30, ExitCode::usage,
                fmt::format("--memory: {} queries with {} neighbours each need {} per rank; raise "
                            "--memory, or give fewer queries at a time",
                            count_text(search_.queries.rows), request_.num_neighbors,
                            bytes_text(static_cast<double>(needed))));
    }

    // The ids of all rows found, each read once.
    std::vector<std::vector<std::string>> ids_of(const select::NearestRows& found) const {
        std::vector<RowId> rows;
        for (const auto& neighbors : found.neighbors) {
            for (const select::Neighbor& neighbor : neighbors)
                rows.push_back(neighbor.row);
        }
        rows = ascending(std::move(rows));
        const std::vector<std::string> ids = ids_of_rows(pool_, rows);
        std::vector<std::vector<std::string>> result;
        for (const auto& neighbors : found.neighbors) {
            result.emplace_back();
            for (const select::Neighbor& neighbor : neighbors) {
                const auto at = std::lower_bound(rows.begin(), rows.end(), neighbor.row);
                result.back().push_back(ids[static_cast<std::size_t>(at - rows.begin())]);
            }
        }
        return result;
    }

    void write(NearestResult& result) const {
        Json rows = Json::array();
        result.csv = "query,rank,row,id,distance\n";
        const auto ids = ids_of(result.found);
        for (std::size_t q = 0; q < ids.size(); ++q) {
            for (std::size_t i = 0; i < ids[q].size(); ++i) {
                const select::Neighbor& neighbor = result.found.neighbors[q][i];
                result.csv +=
                    fmt::format("{},{},{},{},{}\n", query_names_[q], i + 1, neighbor.row,
                                queue::csv_field(ids[q][i]), number_text(neighbor.distance));
                if (request_.json_path.empty()) continue;
                rows.push_back({{"query", query_names_[q]},
                                {"rank", i + 1},
                                {"row", neighbor.row},
                                {"id", ids[q][i]},
                                {"distance", Json::parse(number_text(neighbor.distance))}});
            }
        }
        if (!request_.csv_path.empty()) publish_text_file(request_.csv_path, result.csv);
        if (!request_.json_path.empty()) write_json(result, std::move(rows));
    }

    void write_json(const NearestResult& result, Json rows) const {
        Json json;
        json["metric"] = request_.metric == select::Metric::cosine ? "cosine" : "euclidean";
        json["queries"] = result.num_queries;
        json["neighbors"] = request_.num_neighbors;
        json["pool_rows"] = pool_.num_rows;
        json["candidates"] = result.found.num_candidates;
        json["skipped"] = result.found.num_skipped;
        json["found"] = std::move(rows);
        publish_text_file(request_.json_path,
                          json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    }

    const NearestRequest& request_;
    comm::Communicator& world_;
    pool::Pool pool_;
    pool::Pool query_pool_;
    const pool::Dataset* features_ = nullptr;
    std::vector<RowId> excluded_;
    std::vector<RowId> query_names_;
    std::vector<float> queries_;
    select::NearestSearch search_;
};

}  // namespace

NearestResult find_nearest(const NearestRequest& request, comm::Communicator& world) {
    return Search(request, world).run();
}

std::vector<RowId> issued_rows(const std::string& directory, comm::Communicator& world) {
    std::vector<RowId> issued;
    world.agree([&] {
        if (!world.is_root() || directory.empty()) return;
        if (!path_status(directory, Links::follow).has_value()) return;
        issued = queue::Queue(directory).issued_rows();
    });
    return world.all_gather(std::span<const RowId>(issued));
}

}  // namespace sluice::campaign
