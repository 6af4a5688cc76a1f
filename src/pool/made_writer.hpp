#pragma once

#include "comm/communicator.hpp"
#include "pool/made_rows.hpp"
#include "pool/make.hpp"

#include <string>

namespace sluice::pool {

/// Creates the file `path` on rank 0, with all datasets and no values; every rank then writes its
/// own rows straight at their addresses and syncs. For contiguous and unfiltered chunked pools.
/// Throws AgreedError. \collective
void write_rows_directly(const MadeRows& rows, const MakeOptions& options, const std::string& path,
                         comm::Communicator& world);

/// As write_rows_directly for filtered chunks, whose places are known only once they are written:
/// all ranks make and compress chunks, rank 0 takes them in bounded batches and writes.
/// Throws AgreedError. \collective
void write_filtered_rows(const MadeRows& rows, const MakeOptions& options, const std::string& path,
                         comm::Communicator& world);

}  // namespace sluice::pool
