#pragma once

#include "comm/communicator.hpp"
#include "pool/dataset.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sluice::pool {

/// The standard roles: features, probabilities, committee, predictions, inputs, ids, groups, cost.
const std::vector<std::string>& standard_roles();

/// Which files and which datasets in them.
struct PoolSource {
    std::vector<std::string> files;                    ///< in row order
    std::map<std::string, std::string> datasets = {};  ///< role -> dataset path, where not `/ROLE`;
                                                       ///< roles beyond the standard ones are legal
    std::map<std::string, std::string> optional_datasets =
        {};  ///< the same, not an error if absent
};

/// The metadata of a pool: every dataset of every role it has, checked to agree over the files.
struct Pool {
    PoolSource source;
    RowId num_rows = 0;
    std::map<std::string, Dataset> datasets;  ///< by role; includes "columns/NAME"
    std::vector<std::string> contents;  ///< datasets of the first file, as in `x float32 [100,8]`

    /// The dataset of a role, or null.
    const Dataset* find(const std::string& role) const;

    /// The dataset of a role; throws Error(bad_data) listing what the pool has when it is absent.
    /// `needed_by` completes the message, as in "score 'bald'".
    const Dataset& get(const std::string& role, const std::string& needed_by) const;
};

/// Opens a pool. Rank 0 describes each file in a child process with limits on memory and time (a
/// damaged file may crash or hang the HDF5 library) and broadcasts; no other rank touches HDF5's
/// metadata. Throws AgreedError on all ranks for everything in the catalogue: missing or empty
/// files, no HDF5 signature, truncated, still open for writing, wrong rank or type, unallocated
/// chunks, external storage or links, datasets of different length, files that disagree.
/// \collective
Pool open_pool(const PoolSource& source, comm::Communicator& world);

/// SHA-256 over what the pool holds: number of rows, each dataset's role, row shape, type and
/// `kind`, and the stored bytes of up to 1,024 evenly spaced rows of each dataset. Independent of
/// chunking, filters and of how rows are cut into files. \collective (rank 0 reads, all get it)
std::string fingerprint(const Pool& pool, comm::Communicator& world);

}  // namespace sluice::pool
