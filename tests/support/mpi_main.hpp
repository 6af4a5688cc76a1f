#pragma once

#include "comm/communicator.hpp"

namespace sluice::test {

/// The job's ranks, in a test program whose main is tests/support/mpi_main.cpp.
comm::Communicator& world();

}  // namespace sluice::test
