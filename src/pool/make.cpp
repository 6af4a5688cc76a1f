#include "pool/make.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "pool/made_file.hpp"
#include "pool/made_kinds.hpp"
#include "pool/made_rows.hpp"
#include "pool/made_writer.hpp"

#include <algorithm>
#include <memory>

namespace sluice::pool {
namespace {

void require_usage(bool condition, const std::string& message) {
    require(condition, ExitCode::usage, "pool make: " + message);
}

void require_between(std::int64_t value, std::int64_t low, std::int64_t high,
                     const std::string& option) {
    require_usage(value >= low && value <= high,
                  option + " is out of range (" + std::to_string(value) + "); give " +
                      std::to_string(low) + " to " + count_text(high));
}

// Of options that are completed.
void check_sizes(const MakeOptions& options) {
    constexpr std::int64_t most_rows = std::int64_t{1} << 48;  // what a random stream can name
    constexpr std::int64_t most_values = std::int64_t{1} << 24;
    require_between(options.num_rows, 0, most_rows, "--rows");
    require_between(*options.dim, 0, most_values, "--dim");
    require_between(*options.classes, 0, most_values, "--classes");
    require_between(options.members, 0, 1 << 16, "--members");
    require_between(options.outputs, 0, 1 << 16, "--outputs");
    require_between(options.chunk_rows, 0, most_rows, "--chunk-rows");
    require_between(options.deflate_level, 0, 9, "--deflate");
    require_usage(options.members * std::max(*options.classes, options.outputs) <= most_values,
                  "--members times --classes is too large; give fewer of either");
}

void check_options(const MakeOptions& options) {
    check_sizes(options);
    require_usage(!options.path.empty(), "no file to write; give --out FILE");
    require_usage(
        options.type == ElementType::float16 || options.type == ElementType::float32 ||
            options.type == ElementType::float64,
        "pools cannot be made of " + element_name(options.type) + "; give --dtype f16, f32 or f64");
    require_usage(options.classes != 1, "--classes 1 leaves nothing to choose; give 2 or more");
    require_usage(*options.dim > 0 || *options.classes > 0 || options.outputs > 0,
                  "nothing to write; give --dim, --classes or --outputs");
    require_usage(options.members == 0 || *options.classes > 0 || options.outputs > 0,
                  "--members needs classes or outputs; give --classes or --outputs");
    require_usage(options.outputs == 0 || options.members > 0,
                  "--outputs needs members that predict them; give --members");
    require_usage(options.deflate_level == 0 || options.chunk_rows > 0,
                  "--deflate needs chunks; give --chunk-rows");
}

// HDF5 stores a chunk's size in 32 bits.
void check_chunks(const MakeOptions& options, const MadeRows& rows) {
    if (options.chunk_rows == 0) return;
    constexpr std::int64_t most_bytes = (std::int64_t{1} << 32) - 1;
    for (const MadeDataset& dataset : rows.datasets()) {
        require_usage(made_chunk_rows(options) <= most_bytes / dataset.row_bytes,
                      "chunks of " + dataset.role + " would be over 4 GiB (" +
                          bytes_text(static_cast<double>(made_chunk_rows(options)) *
                                     static_cast<double>(dataset.row_bytes)) +
                          "); give a smaller --chunk-rows");
    }
}

}  // namespace

const std::vector<PoolKind>& pool_kinds() {
    static const std::vector<PoolKind> kinds = [] {
        std::vector<PoolKind> list;
        for (const MadeKind& kind : made_kinds())
            list.push_back({kind.name, kind.summary});
        return list;
    }();
    return kinds;
}

MakeOptions completed(MakeOptions options) {
    const std::int64_t own = made_kind(options.kind).num_features;
    require_usage(own == 0 || options.dim.value_or(own) == own,
                  "rows of " + options.kind + " have " + std::to_string(own) + " features (--dim " +
                      std::to_string(options.dim.value_or(own)) + "); leave --dim out");
    if (!options.dim) options.dim = own > 0 ? own : 64;
    if (!options.classes) options.classes = own > 0 ? 0 : 10;
    return options;
}

void make_pool(const MakeOptions& asked, comm::Communicator& world) {
    MakeOptions options;
    std::unique_ptr<MadeRows> rows;
    world.agree([&] {
        options = completed(asked);
        check_options(options);
        rows = std::make_unique<MadeRows>(options);
        check_chunks(options, *rows);
    });
    MadeFile file(options.path, world);
    try {
        if (options.deflate_level > 0) {
            write_filtered_rows(*rows, options, file.path(), world);
        } else {
            write_rows_directly(*rows, options, file.path(), world);
        }
        file.publish(world);
    } catch (const comm::AgreedError& error) {
        throw comm::AgreedError(error.code(), file.as_target(error.what()));
    }
}

}  // namespace sluice::pool
