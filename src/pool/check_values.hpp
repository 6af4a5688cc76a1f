#pragma once

#include "comm/communicator.hpp"
#include "pool/pool.hpp"
#include "pool/row_rules.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace sluice::pool {

/// How many rows of a dataset have a problem, and the lowest of them.
struct Tally {
    static constexpr RowId no_row = std::numeric_limits<RowId>::max();

    std::int64_t count = 0;
    RowId first = no_row;

    void add(RowId row, std::int64_t rows = 1);
    void merge(const Tally& other);
};

/// A dataset's tallies, by Problem.
using Tallies = std::array<Tally, num_problems>;

/// What the rows of a dataset have to be, by its role; nothing for ids and groups.
std::optional<RowRule> row_rule_of(const Dataset& dataset);

/// Reads every value of every dataset that has a rule, each rank its share, with `num_threads`
/// threads; the tallies of the whole job, by dataset in the order of `pool.datasets`. The same for
/// any number of ranks and threads. Throws AgreedError(io_error). \collective
std::vector<Tallies> scan_values(const Pool& pool, int num_threads, comm::Communicator& world);

}  // namespace sluice::pool
