#include "support/mpi_main.hpp"

#include "comm/session.hpp"

#include <gtest/gtest.h>

namespace {

sluice::comm::Session* session = nullptr;

}  // namespace

namespace sluice::test {

comm::Communicator& world() {
    return session->world();
}

}  // namespace sluice::test

// Runs every test on all ranks; only rank 0 prints, and one failing rank fails the program.
int main(int argc, char** argv) {
    ::testing::InitGoogleTest(&argc, argv);
    sluice::comm::Session own_session(argc, argv);
    session = &own_session;
    if (!own_session.world().is_root()) {
        auto& listeners = ::testing::UnitTest::GetInstance()->listeners();
        delete listeners.Release(listeners.default_result_printer());
    }
    const int failed = RUN_ALL_TESTS();
    if (failed != 0 && !own_session.world().is_root()) {
        std::fprintf(stderr, "rank %d: test failed\n", own_session.world().rank());
    }
    return static_cast<int>(own_session.world().max(std::int64_t{failed}));
}
