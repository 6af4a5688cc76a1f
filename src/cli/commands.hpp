#pragma once

#include "cli/options.hpp"
#include "comm/communicator.hpp"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sluice::cli {

/// A command line understood: what is left to do, and a text that is the same on all ranks that
/// were asked for the same.
struct Action {
    std::function<void(comm::Communicator&)> run;
    std::string request;
    Launch launch = Launch::ranks;
};

/// One command of `sluice`.
struct Command {
    CommandSpec spec;

    /// Checks the options and returns the work, which all ranks then call. Needs no MPI. Throws
    /// Error(usage|bad_config).
    std::function<std::function<void(comm::Communicator&)>(const Options&)> prepare;
};

Command pool_make_command();
Command check_command();
Command select_command();
Command train_command();
Command run_command();
Command report_command();
Command status_command();
Command submit_command();
Command label_command();
Command ingest_command();
Command simulate_command();
Command stream_command();
Command predict_command();
Command nearest_command();
Command synthesize_command();
Command queue_status_command();
Command queue_fsck_command();
Command queue_reap_command();
Command queue_export_command();
Command queue_import_command();

/// Every command that does work, in the order of help.
const std::vector<Command>& commands();

/// The command whose one or two words `arguments` begin with, or null.
const Command* lookup_command(std::span<const std::string> arguments);

/// What `sluice help`, `--help` and `--version` print; nothing if `arguments` ask for work or name
/// no command. These never start MPI.
std::optional<std::string> information_text(std::span<const std::string> arguments);

/// Whether a first word asks for help.
bool is_help_command(const std::string& word);

/// Whether `arguments` begin with the name of a command that never starts MPI.
bool runs_alone(std::span<const std::string> arguments);

/// Understands the words after the program's name. Throws Error(usage|bad_config|no_input), naming
/// the nearest known word.
Action plan_action(std::span<const std::string> arguments);

/// Makes sure that all ranks run the same program with the same words and options, and runs. An
/// `action` without `run` is planned here, on all ranks. \collective
void run_action(Action action, std::span<const std::string> arguments, comm::Communicator& world);

/// The page of `sluice help`.
std::string overview_text();

/// The page of `sluice help COMMAND`: each option with unit and default, and the names it takes.
std::string command_help_text(const CommandSpec& spec);

}  // namespace sluice::cli
