#include "campaign/synthetic_pool.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/path_status.hpp"
#include "h5/output_file.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <span>
#include <string_view>

namespace sluice::campaign {
namespace {

constexpr float not_a_score = std::numeric_limits<float>::quiet_NaN();

// The climbs that are rows, column by column.
struct Rows {
    std::vector<float> features;
    std::vector<double> inputs;
    std::vector<std::string> ids;
    std::vector<float> scores;
    std::vector<float> start_scores;
};

Rows rows_of(const SynthesisSource& source, const select::Climbs& climbs,
             const std::vector<std::int64_t>& starts) {
    Rows rows;
    const std::int64_t dim = source.box->dim();
    for (const std::int64_t start : starts) {
        const auto index = static_cast<std::size_t>(start);
        for (std::int64_t i = 0; i < dim; ++i) {
            const float feature = climbs.ends[static_cast<std::size_t>(start * dim + i)];
            rows.features.push_back(feature);
            rows.inputs.push_back(source.box->input_of(i, feature));
        }
        rows.ids.push_back(synthetic_id(source, start));
        rows.scores.push_back(climbs.end_scores[index]);
        const float start_score = climbs.start_scores[index];
        rows.start_scores.push_back(std::isfinite(start_score) ? start_score : not_a_score);
    }
    return rows;
}

void write_source(h5::OutputFile& file, const SynthesisSource& source) {
    file.set_attribute("/", "format", std::string("sluice-pool"));
    file.set_attribute("/", "format_version", std::int64_t{1});
    file.set_attribute("/", "made_by", std::string("sluice synthesize"));
    file.set_attribute("/", "model", source.model_hash);
    file.set_attribute("/", "score", source.score);
    file.set_attribute("/", "seed", std::to_string(source.seed));  // may exceed int64
    file.set_attribute("/", "round", std::int64_t{source.round});
}

void write_columns(h5::OutputFile& file, const select::InputBox& box) {
    std::vector<std::string> names;
    std::vector<std::string> units;
    std::vector<std::string> ranges;
    for (const select::InputRange& range : box.ranges()) {
        names.push_back(range.name);
        units.push_back(range.unit);
        ranges.push_back(select::range_text(range));
    }
    file.set_attribute("inputs", "names", names);
    file.set_attribute("inputs", "units", units);
    file.set_attribute("inputs", "ranges", ranges);
}

}  // namespace

std::string synthetic_id(const SynthesisSource& source, std::int64_t start) {
    return fmt::format("synthetic-s{}-r{}-{:06}", source.seed, source.round, start);
}

std::vector<std::byte> synthetic_pool_image(const SynthesisSource& source,
                                            const select::Climbs& climbs,
                                            const std::vector<std::int64_t>& starts) {
    const Rows rows = rows_of(source, climbs, starts);
    const auto count = static_cast<std::int64_t>(rows.ids.size());
    const std::int64_t dim = source.box->dim();
    h5::OutputFile file = h5::OutputFile::in_memory("synthesized pool");
    write_source(file, source);
    file.write_dataset("features", std::span<const float>(rows.features), {count, dim});
    file.write_dataset("inputs", std::span<const double>(rows.inputs), {count, dim});
    write_columns(file, *source.box);
    const bool is_own = source.layout == SynthesisLayout::own_pool;
    if (is_own) file.write_text_dataset("ids", rows.ids, h5::TextStorage::fixed);
    const std::string folder = is_own ? "columns/" : "synthesis/";
    file.write_dataset(folder + "score", std::span<const float>(rows.scores), {count});
    file.write_dataset(folder + "start_score", std::span<const float>(rows.start_scores), {count});
    file.write_dataset(folder + "start", std::span<const std::int64_t>(starts), {count});
    return file.take_image();
}

void publish_new_file(const std::string& path, const std::vector<std::byte>& bytes) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (const auto status = path_status(path, Links::keep)) {
        const bool may_be =
            S_ISREG(status->st_mode) && static_cast<std::size_t>(status->st_size) == bytes.size();
        require(may_be && read_text_file(path, bytes.size()) == text, ExitCode::cannot_create,
                path +
                    ": exists already and holds something else; remove it or choose another "
                    "name with --out");
        return;
    }
    publish_text_file(path, text);
}

}  // namespace sluice::campaign
