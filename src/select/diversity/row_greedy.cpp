#include "select/diversity/row_greedy.hpp"

namespace sluice::select {

Gain best_of_ranks(const Gain& mine, comm::Communicator& world) {
    Gain best;
    for (const Gain& of_rank : world.all_gather(std::span<const Gain>(&mine, 1))) {
        if (better(of_rank, best)) best = of_rank;
    }
    return best;
}

void leave_if_stopped(comm::Communicator& world) {
    if (world.max(std::int64_t{stop_requested()}) == 0) return;
    throw comm::AgreedError(ExitCode::try_again,
                            stop_text() +
                                " while diversifying; nothing was published, run the same command "
                                "again");
}

}  // namespace sluice::select
