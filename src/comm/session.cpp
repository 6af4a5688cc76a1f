#include "comm/session.hpp"

#include "comm/state.hpp"
#include "core/log.hpp"
#include "core/phase.hpp"

#include <mpi.h>

#include <cstdlib>

namespace sluice::comm {
namespace {

bool session_alive = false;

// A rank that calls exit() in the middle would leave the others waiting for it.
void abort_on_early_exit() {
    if (!session_alive) return;
    session_alive = false;
    log_error("the process called exit() in phase '" + current_phase() + "'; the job ends",
              ErrorScope::this_rank);
    MPI_Abort(MPI_COMM_WORLD, static_cast<int>(ExitCode::internal));
}

std::size_t max_count_from_environment(std::size_t otherwise) {
    const char* text = std::getenv("SLUICE_MPI_MAX_COUNT");
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace

Session::Session(int& argc, char**& argv) {
    int provided = MPI_THREAD_SINGLE;
    require(MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided) == MPI_SUCCESS,
            ExitCode::unavailable, "MPI could not be started; check the MPI installation");
    auto state = std::make_unique<Communicator::State>();
    MPI_Comm_dup(MPI_COMM_WORLD, &state->handle);
    MPI_Comm_set_errhandler(state->handle, MPI_ERRORS_RETURN);
    MPI_Comm_rank(state->handle, &state->rank);
    MPI_Comm_size(state->handle, &state->size);
    MPI_Comm node = MPI_COMM_NULL;
    MPI_Comm_split_type(state->handle, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
    MPI_Comm_rank(node, &state->local_rank);
    MPI_Comm_size(node, &state->local_size);
    MPI_Comm_free(&node);
    state->max_count = max_count_from_environment(state->max_count);
    set_log_rank(state->rank, state->size);
    set_phase_rank(state->rank);
    world_ = Communicator(std::move(state));
    session_alive = true;
    std::atexit(abort_on_early_exit);
}

Session::~Session() {
    session_alive = false;
    MPI_Comm_free(&world_.state_->handle);
    MPI_Finalize();
}

void Session::abort(int exit_code) {
    session_alive = false;
    MPI_Abort(MPI_COMM_WORLD, exit_code);
    std::abort();  // not reached: MPI_Abort does not return, but is not declared so
}

}  // namespace sluice::comm
