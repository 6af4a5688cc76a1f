#include "campaign/synthesis_box.hpp"

#include "comm/cores.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "pool/row_reader.hpp"
#include "select/feature_box.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace sluice::campaign {
namespace {

constexpr std::int64_t block_bytes = std::int64_t{1} << 20;

bool is_hdf5(const std::string& path) {
    constexpr std::string_view signature = "\x89HDF\r\n\x1a\n";
    const FileDescriptor file = open_for_reading(path);
    std::array<char, signature.size()> begin{};
    const ssize_t count = ::pread(file.get(), begin.data(), begin.size(), 0);
    return count == std::ssize(begin) && std::string_view(begin.data(), begin.size()) == signature;
}

select::InputBox box_of_pool(const SynthesisRequest& request, comm::Communicator& world) {
    const pool::Pool pool = pool::open_pool(request.select.pool, world);
    const pool::Dataset* features = nullptr;
    select::FeatureReading reading;
    world.agree([&] {
        features = &pool.get("features", "--snap-to");
        reading.bad_rows = request.select.plan.bad_rows;
        reading.num_threads = request.select.plan.num_threads > 0 ? request.select.plan.num_threads
                                                                  : comm::cores_of_this_rank(world);
        reading.block_rows =
            std::max<std::int64_t>(1, pool::RowReader(*features).block_rows(block_bytes));
    });
    return select::box_of_features(*features, reading, world);
}

}  // namespace

std::string ranges_name(const SynthesisRequest& request) {
    return request.ranges_path.empty() ? request.select.pool.files.front() : request.ranges_path;
}

select::InputBox read_synthesis_box(const SynthesisRequest& request, comm::Communicator& world) {
    if (request.ranges_path.empty()) return box_of_pool(request, world);
    std::string text;
    std::int64_t from_pool = 0;
    world.agree([&] {
        if (!world.is_root()) return;
        from_pool = is_hdf5(request.ranges_path) ? 1 : 0;
        if (from_pool == 0) text = read_text_file(request.ranges_path);
    });
    std::optional<select::InputBox> box;
    if (world.sum(from_pool) > 0) {
        const pool::Pool pool = pool::open_pool({{request.ranges_path}}, world);
        world.agree([&] { box.emplace(select::ranges_of_pool(pool)); });
        return *box;
    }
    world.broadcast(text);
    world.agree([&] { box.emplace(select::read_ranges(text, request.ranges_path)); });
    return *box;
}

}  // namespace sluice::campaign
