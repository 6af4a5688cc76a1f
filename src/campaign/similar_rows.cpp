#include "campaign/similar_rows.hpp"

#include "campaign/excluded_rows.hpp"
#include "core/error.hpp"
#include "core/sha256.hpp"
#include "pool/pool.hpp"
#include "pool/row_reader.hpp"
#include "select/feature_rows.hpp"

#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace sluice::campaign {

std::shared_ptr<const select::SimilarTo> read_similar(const SimilarSource& source,
                                                      const pool::Pool& pool, select::Metric metric,
                                                      comm::Communicator& world) {
    const pool::Pool file = source.path.empty() ? pool : pool::open_pool({{source.path}}, world);
    std::vector<RowId> rows = read_named_rows(source.rows_path, file, world);
    auto similar = std::make_shared<select::SimilarTo>();
    world.agree([&] {
        const pool::Dataset& features = file.get("features", "--similar-to");
        if (source.rows_path.empty()) {
            rows.resize(static_cast<std::size_t>(features.num_rows));
            std::iota(rows.begin(), rows.end(), RowId{0});
        }
        require(!rows.empty(), ExitCode::bad_data,
                source.rows_path + ": names no row; similarity needs one at least");
        select::Plan plan;
        plan.metric = metric;
        const pool::RowReader reader(features);
        select::FeatureRows read = select::read_features(features, reader, plan, std::move(rows));
        similar->dim = read.dim;
        similar->values = std::move(read.values);
        similar->path = source.path.empty() ? source.rows_path : source.path;
    });
    return similar;
}

std::string similar_hash(const select::SimilarTo& similar) {
    Sha256 hash;
    hash.update(std::as_bytes(std::span(&similar.dim, 1)));
    hash.update(std::as_bytes(std::span(similar.values)));
    return hash.hex_digest();
}

}  // namespace sluice::campaign
