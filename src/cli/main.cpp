#include "cli/commands.hpp"
#include "cli/launch.hpp"
#include "comm/session.hpp"
#include "core/log.hpp"
#include "core/phase.hpp"
#include "core/trouble.hpp"

#include <algorithm>
#include <new>
#include <optional>
#include <string_view>

namespace {

using namespace sluice;

// What else went wrong on the way to an error.
void warn_of_trouble(std::string_view message) {
    const auto trouble = take_trouble();
    if (trouble && trouble->what() != message) log_warning(trouble->what());
}

// An error that only this rank knows of: the others may be waiting for it, so the job ends.
int leave(std::optional<comm::Session>& session, ExitCode code, const std::string& message) {
    warn_of_trouble(message);
    log_error(message, ErrorScope::this_rank);
    if (session && session->world().size() > 1) session->abort(static_cast<int>(code));
    return static_cast<int>(code);
}

int run(int& argc, char**& argv, std::optional<comm::Session>& session) {
    const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
    if (const auto text = cli::information_text(arguments)) {
        if (cli::prints_before_mpi()) cli::print_result(*text);
    } else {
        cli::Action action;
        const bool alone = cli::runs_alone(arguments);
        // Without a launcher, mistakes on the command line are told without starting MPI.
        if (alone || !cli::is_launched()) action = cli::plan_action(arguments);
        if (alone) {
            comm::Communicator self;
            action.run(self);
            fail_on_trouble();
        } else {
            cli::prepare_mpi();
            session.emplace(argc, argv);
            cli::run_action(std::move(action), arguments, session->world());
            session->world().agree(fail_on_trouble);
        }
    }
    const auto code = static_cast<int>(cli::finish_output() ? ExitCode::done : ExitCode::io_error);
    return session ? static_cast<int>(session->world().max(std::int64_t{code})) : code;
}

}  // namespace

int main(int argc, char** argv) {
    cli::prepare_process();
    std::optional<comm::Session> session;
    try {
        return run(argc, argv, session);
    } catch (const comm::AgreedError& error) {
        warn_of_trouble(error.what());
        if (log_is_visible()) log_error(error.what(), ErrorScope::whole_job);
        cli::finish_output();
        return static_cast<int>(error.code());
    } catch (const Error& error) {
        return leave(session, error.code(), error.what());
    } catch (const std::bad_alloc&) {
        return leave(session, ExitCode::internal,
                     "out of memory in phase '" + current_phase() +
                         "'; lower --memory, or use fewer ranks on each node");
    } catch (const std::exception& error) {
        return leave(session, ExitCode::internal,
                     std::string(error.what()) + " in phase '" + current_phase() +
                         "'; this is an error in sluice, please report it");
    }
}
