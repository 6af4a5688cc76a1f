// leave_driver HOW RANK: rank RANK leaves the job by `exit`, `kill` or `abort` in the phase "score"
// while the others wait for it in a collective; with `return` every rank ends as it should.
#include "comm/session.hpp"
#include "core/phase.hpp"

#include <csignal>
#include <cstdlib>
#include <string>

int main(int argc, char** argv) {
    sluice::comm::Session session(argc, argv);
    if (argc != 3) session.abort(64);
    sluice::enter_phase("score");
    const std::string how = argv[1];
    if (session.world().rank() == std::stoi(argv[2])) {
        if (how == "exit") std::exit(0);
        if (how == "kill") std::raise(SIGKILL);
        if (how == "abort") session.abort(65);
    }
    session.world().barrier();
    return 0;
}
