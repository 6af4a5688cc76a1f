#include "campaign/labels.hpp"

#include "core/directory.hpp"
#include "core/error.hpp"
#include "pool/pool.hpp"
#include "pool/row_reader.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <span>
#include <string_view>

namespace sluice::campaign {
namespace {

constexpr std::int64_t missing_label = -1;

bool is_generation(std::string_view name) {
    return name.starts_with("labels.g") && name.ends_with(".h5");
}

// The labels files behind `path`, in name order.
std::vector<std::string> label_files(const std::string& path) {
    if (!std::filesystem::is_directory(path)) return {path};
    std::vector<std::string> files;
    for (const std::string& name : list_directory(path)) {
        if (is_generation(name)) files.push_back(path + "/" + name);
    }
    return files;
}

std::vector<RowId> all_rows(RowId count) {
    std::vector<RowId> rows(static_cast<std::size_t>(count));
    std::iota(rows.begin(), rows.end(), RowId{0});
    return rows;
}

bool is_integer(pool::ElementType type) {
    return type != pool::ElementType::float16 && type != pool::ElementType::float32 &&
           type != pool::ElementType::float64 && type != pool::ElementType::text;
}

// Which entries carry a label: y is not -1, or has a number that is not NaN.
std::vector<char> present_labels(const pool::Pool& labels) {
    std::vector<char> present(static_cast<std::size_t>(labels.num_rows), 1);
    const pool::Dataset* y = labels.find("y");
    if (y == nullptr) return present;
    const std::vector<RowId> rows = all_rows(labels.num_rows);
    pool::RowReader::Scratch scratch;
    const auto width = static_cast<std::size_t>(y->row_elements());
    std::vector<double> values(rows.size() * width);
    pool::RowReader(*y).gather_doubles(rows, values, scratch);
    const bool classes = is_integer(y->type);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto begin = values.begin() + static_cast<std::ptrdiff_t>(i * width);
        present[i] = std::any_of(begin, begin + static_cast<std::ptrdiff_t>(width),
                                 [&](double value) {
                                     return classes ? value != missing_label : !std::isnan(value);
                                 })
                         ? 1
                         : 0;
    }
    return present;
}

void add_rows(const pool::Pool& labels, RowId num_rows, std::vector<RowId>& result) {
    const pool::Dataset& dataset = labels.get("row", "--labels");
    require(is_integer(dataset.type) && dataset.row_elements() == 1, ExitCode::bad_data,
            pool::location_text(dataset, 0) + ": has type " + pool::element_name(dataset.type) +
                "; the rows of a labels file must be integers [L]");
    std::vector<std::int64_t> rows(static_cast<std::size_t>(labels.num_rows));
    pool::RowReader::Scratch scratch;
    pool::RowReader(dataset).gather_integers(all_rows(labels.num_rows), rows, scratch);
    const std::vector<char> present = present_labels(labels);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        require(rows[i] >= 0 && rows[i] < num_rows, ExitCode::bad_data,
                pool::location_text(dataset, static_cast<RowId>(i)) + ": row " +
                    std::to_string(rows[i]) + " is not in the pool, which has " +
                    std::to_string(num_rows) + " rows; give the pool the labels were made for");
        if (present[i] != 0) result.push_back(rows[i]);
    }
}

}  // namespace

std::vector<RowId> read_labeled_rows(const std::string& path, RowId num_rows,
                                     comm::Communicator& world) {
    std::vector<RowId> rows;
    world.agree([&] {
        if (!world.is_root() || path.empty()) return;
        comm::Communicator alone;
        for (const std::string& file : label_files(path)) {
            pool::PoolSource source;
            source.files = {file};
            source.datasets = {{"row", "/row"}};
            source.optional_datasets = {{"y", "/y"}};
            add_rows(pool::open_pool(source, alone), num_rows, rows);
        }
        std::sort(rows.begin(), rows.end());
        rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    });
    return world.all_gather(std::span<const RowId>(rows));
}

}  // namespace sluice::campaign
