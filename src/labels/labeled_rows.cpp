#include "labels/labeled_rows.hpp"

#include "core/error.hpp"
#include "labels/label_files.hpp"
#include "pool/pool.hpp"
#include "pool/row_reader.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace sluice::labels {
namespace {

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

std::vector<std::int64_t> read_integers(const pool::Dataset& dataset) {
    require(is_integer(dataset.type) && dataset.row_elements() == 1, ExitCode::bad_data,
            pool::location_text(dataset, 0) + ": has type " + pool::element_name(dataset.type) +
                "; `row` and `round` of a labels file must be integers [L]");
    std::vector<std::int64_t> values(static_cast<std::size_t>(dataset.num_rows));
    pool::RowReader::Scratch scratch;
    pool::RowReader(dataset).gather_integers(all_rows(dataset.num_rows), values, scratch);
    return values;
}

// Leaves out the labels of other rounds.
void keep_rounds(const pool::Pool& labels, const LabelSource& source, std::vector<char>& present) {
    std::vector<std::int64_t> rounds(present.size(), 0);
    if (const pool::Dataset* dataset = labels.find("round")) rounds = read_integers(*dataset);
    for (std::size_t i = 0; i < rounds.size(); ++i) {
        if (rounds[i] < source.first_round || rounds[i] > source.last_round) present[i] = 0;
    }
}

void add_rows(const pool::Pool& labels, const LabelSource& source, RowId num_rows,
              std::vector<RowId>& result) {
    const pool::Dataset& dataset = labels.get("row", "--labels");
    const std::vector<std::int64_t> rows = read_integers(dataset);
    std::vector<char> present = present_labels(labels);
    keep_rounds(labels, source, present);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        require(rows[i] >= 0 && rows[i] < num_rows, ExitCode::bad_data,
                pool::location_text(dataset, static_cast<RowId>(i)) + ": row " +
                    std::to_string(rows[i]) + " is not in the pool, which has " +
                    std::to_string(num_rows) + " rows; give the pool the labels were made for");
        if (present[i] != 0) result.push_back(rows[i]);
    }
}

}  // namespace

std::vector<RowId> read_labeled_rows(const std::vector<LabelSource>& sources, RowId num_rows,
                                     comm::Communicator& world) {
    std::vector<RowId> rows;
    world.agree([&] {
        if (!world.is_root()) return;
        comm::Communicator alone;
        for (const LabelSource& label_source : sources) {
            for (const std::string& file : label_files(label_source.path)) {
                pool::PoolSource source;
                source.files = {file};
                source.datasets = {{"row", "/row"}};
                source.optional_datasets = {{"y", "/y"}, {"round", "/round"}};
                add_rows(pool::open_pool(source, alone), label_source, num_rows, rows);
            }
        }
        std::sort(rows.begin(), rows.end());
        rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    });
    return world.all_gather(std::span<const RowId>(rows));
}

}  // namespace sluice::labels
