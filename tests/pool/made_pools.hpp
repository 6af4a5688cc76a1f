#pragma once

#include "pool/make.hpp"
#include "pool/pool.hpp"
#include "pool/row_reader.hpp"
#include "support/temporary_directory.hpp"

#include <numeric>
#include <string>
#include <vector>

namespace sluice::pool {

/// A pool with every dataset that a made pool can have.
inline MakeOptions full_options(const std::string& kind, const std::string& path, RowId num_rows) {
    MakeOptions options;
    options.kind = kind;
    options.path = path;
    options.num_rows = num_rows;
    options.seed = 11;
    options.dim = 6;
    options.classes = 5;
    options.members = 3;
    options.outputs = 2;
    return options;
}

/// All values of a dataset, through the reader that selections use. For one rank.
inline std::vector<double> values_of(const std::string& path, const std::string& role) {
    comm::Communicator alone;
    PoolSource source;
    source.files = {path};
    const Pool pool = open_pool(source, alone);
    const Dataset& dataset = pool.get(role, "test");
    std::vector<RowId> rows(static_cast<std::size_t>(dataset.num_rows));
    std::iota(rows.begin(), rows.end(), RowId{0});
    std::vector<double> values(rows.size() * static_cast<std::size_t>(dataset.row_elements()));
    RowReader::Scratch scratch;
    RowReader(dataset).gather_doubles(rows, values, scratch);
    return values;
}

/// A dataset of a pool that one rank makes contiguously. For one rank.
inline std::vector<double> made_values(MakeOptions options, const std::string& role) {
    const test::TemporaryDirectory directory;
    options.path = directory.file("pool.h5");
    comm::Communicator alone;
    make_pool(options, alone);
    return values_of(options.path, role);
}

}  // namespace sluice::pool
