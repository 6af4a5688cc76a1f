#include "select/feature_box.hpp"

#include "core/error.hpp"
#include "core/partition.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "pool/row_reader.hpp"
#include "select/in_parallel.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace sluice::select {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

// Lowest and highest of each feature so far.
struct Extent {
    explicit Extent(std::int64_t dim)
        : low(static_cast<std::size_t>(dim), infinity),
          high(static_cast<std::size_t>(dim), -infinity) {}

    void take(const float* row) {
        for (std::size_t i = 0; i < low.size(); ++i) {
            low[i] = std::min(low[i], row[i]);
            high[i] = std::max(high[i], row[i]);
        }
    }

    std::vector<float> low;
    std::vector<float> high;
};

// What a row holds that no box can; empty if nothing.
std::string what_is_wrong(const float* row, std::int64_t dim) {
    const float* const found =
        std::find_if(row, row + dim, [](float value) { return !std::isfinite(value); });
    if (found == row + dim) return {};
    return "feature " + std::to_string(found - row) + " is " + number_text(*found) +
           " (must be finite); repair the row or pass --bad-rows skip";
}

Extent extent_of(const pool::RowReader& reader, const pool::Dataset& features,
                 const FeatureReading& reading, RowRange rows) {
    const std::int64_t dim = features.row_elements();
    Extent extent(dim);
    pool::RowReader::Scratch scratch;
    std::vector<float> values;
    for (RowId begin = rows.begin; begin < rows.end; begin += reading.block_rows) {
        require(!stop_requested(), ExitCode::try_again,
                stop_text() + " while reading; run the same command again");
        const RowRange block{begin, std::min(rows.end, begin + reading.block_rows)};
        values.resize(static_cast<std::size_t>(block.size() * dim));
        reader.read(block, values, scratch);
        for (RowId row = block.begin; row < block.end; ++row) {
            const float* const own = values.data() + (row - block.begin) * dim;
            const std::string wrong = what_is_wrong(own, dim);
            if (wrong.empty()) {
                extent.take(own);
            } else {
                require(reading.bad_rows == BadRows::skip, ExitCode::bad_data,
                        pool::location_text(features, row) + ": " + wrong);
            }
        }
    }
    return extent;
}

Extent extent_of_rank(const pool::Dataset& features, const FeatureReading& reading, RowRange rows) {
    const pool::RowReader reader(features);
    std::vector<Extent> parts(static_cast<std::size_t>(reading.num_threads),
                              Extent(features.row_elements()));
    in_parallel(reading.num_threads, [&](int part) {
        const RowRange share = part_of_rows(rows.size(), part, reading.num_threads);
        parts[static_cast<std::size_t>(part)] = extent_of(
            reader, features, reading, {rows.begin + share.begin, rows.begin + share.end});
    });
    Extent all(features.row_elements());
    for (const Extent& part : parts) {
        for (std::size_t i = 0; i < all.low.size(); ++i) {
            all.low[i] = std::min(all.low[i], part.low[i]);
            all.high[i] = std::max(all.high[i], part.high[i]);
        }
    }
    return all;
}

// Integers in the order of floats, so that ranks may take their maximum.
std::int64_t order_of(float value) {
    const auto bits = std::bit_cast<std::int32_t>(value);
    return bits >= 0 ? bits : std::int64_t{std::numeric_limits<std::int32_t>::min()} - bits;
}

float value_of(std::int64_t order) {
    const auto bits = static_cast<std::int32_t>(
        order >= 0 ? order : std::int64_t{std::numeric_limits<std::int32_t>::min()} - order);
    return std::bit_cast<float>(bits);
}

std::vector<float> max_over_ranks(const std::vector<float>& values, comm::Communicator& world) {
    std::vector<std::int64_t> orders;
    for (const float value : values)
        orders.push_back(order_of(value));
    world.max(orders);
    std::vector<float> result;
    for (const std::int64_t order : orders)
        result.push_back(value_of(order));
    return result;
}

std::string name_of(const pool::Dataset& features, std::size_t feature) {
    const auto names = features.attributes.find("names");
    if (names == features.attributes.end() || feature >= names->second.size())
        return "feature" + std::to_string(feature);
    return names->second[feature];
}

}  // namespace

InputBox box_of_features(const pool::Dataset& features, const FeatureReading& reading,
                         comm::Communicator& world) {
    Extent extent(features.row_elements());
    world.agree([&] {
        extent = extent_of_rank(features, reading,
                                part_of_rows(features.num_rows, world.rank(), world.size()));
        for (float& low : extent.low)
            low = -low;
    });
    const std::vector<float> high = max_over_ranks(extent.high, world);
    const std::vector<float> minus_low = max_over_ranks(extent.low, world);
    const std::string where = pool::location_text(features, 0);
    std::vector<InputRange> ranges;
    for (std::size_t i = 0; i < high.size(); ++i) {
        const float low = -minus_low[i];
        require(low <= high[i], ExitCode::bad_data,
                where + ": no row from which ranges could be taken; give --ranges");
        const float top = low < high[i] ? high[i] : std::nextafter(low, infinity);
        ranges.push_back({name_of(features, i), "", static_cast<double>(low),
                          static_cast<double>(top), InputScale::none});
    }
    return InputBox(std::move(ranges), where);
}

}  // namespace sluice::select
