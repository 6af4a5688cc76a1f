#pragma once

#include "comm/communicator.hpp"
#include "pool/dataset.hpp"

#include <string>
#include <vector>

namespace sluice::pool {

/// What an id column must be: whole numbers from 0 to 2^63 - 1, or non-empty text, no two rows
/// alike. Rows are compared exactly, wherever they are: ids are dealt out to the ranks by hash, in
/// passes that bound the memory. Returns the errors in words on rank 0 (nothing on the others),
/// the same for any number of ranks. Throws AgreedError. \collective
std::vector<std::string> check_ids(const Dataset& ids, comm::Communicator& world);

}  // namespace sluice::pool
