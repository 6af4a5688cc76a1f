#include "cli/commands.hpp"

#include "cli/launch.hpp"
#include "core/text.hpp"
#include "core/version.hpp"

#include <algorithm>

namespace sluice::cli {
namespace {

std::vector<std::string> command_names() {
    std::vector<std::string> names;
    for (const Command& command : commands())
        names.push_back(command.spec.name);
    return names;
}

std::size_t num_words(const std::string& name) {
    return 1 + static_cast<std::size_t>(std::ranges::count(name, ' '));
}

bool begins_with(std::span<const std::string> arguments, const std::string& name) {
    if (arguments.size() < num_words(name)) return false;
    std::string words = arguments[0];
    for (std::size_t i = 1; i < num_words(name); ++i)
        words += " " + arguments[i];
    return words == name;
}

// "; did you mean 'pool make'?" for a first word or two that name no command.
std::string command_hint(std::span<const std::string> arguments) {
    for (const std::string& name : command_names()) {
        if (name.starts_with(arguments[0] + " ")) return "; did you mean '" + name + "'?";
    }
    std::vector<std::string> names = command_names();
    names.emplace_back("help");
    std::string nearest = nearest_name(arguments[0], names);
    if (nearest.empty() && arguments.size() > 1) {
        nearest = nearest_name(arguments[0] + " " + arguments[1], names);
    }
    if (nearest.empty()) return "; see 'sluice help'";
    return "; did you mean '" + nearest + "'?";
}

}  // namespace

const std::vector<Command>& commands() {
    static const std::vector<Command> all = {
        pool_make_command(),  check_command(),      select_command(),       label_command(),
        ingest_command(),     train_command(),      predict_command(),      nearest_command(),
        synthesize_command(), stream_command(),     run_command(),          status_command(),
        submit_command(),     report_command(),     simulate_command(),     queue_status_command(),
        queue_fsck_command(), queue_reap_command(), queue_export_command(), queue_import_command(),
    };
    return all;
}

const Command* lookup_command(std::span<const std::string> arguments) {
    const auto found = std::ranges::find_if(commands(), [&](const Command& command) {
        return begins_with(arguments, command.spec.name);
    });
    return found == commands().end() ? nullptr : &*found;
}

Action plan_action(std::span<const std::string> arguments) {
    if (!arguments.empty() && is_help_command(arguments[0])) arguments = arguments.subspan(1);
    require(!arguments.empty(), ExitCode::usage, "no command given; see 'sluice help'");
    const Command* command = lookup_command(arguments);
    require(command != nullptr, ExitCode::usage,
            "unknown command (" + printable(arguments[0]) + ")" + command_hint(arguments));
    const std::string& name = command->spec.name;
    const std::vector<std::string> names = command_names();
    const Options options = parse_options(command->spec, arguments.subspan(num_words(name)), names);
    return {command->prepare(options), name + "\n" + options.canonical_text(),
            command->spec.launch};
}

bool runs_alone(std::span<const std::string> arguments) {
    const Command* command = lookup_command(arguments);
    return command != nullptr && command->spec.launch == Launch::alone;
}

void run_action(Action action, std::span<const std::string> arguments, comm::Communicator& world) {
    warn_of_separate_tasks(world);
    std::string started = version_text() + "\n";
    for (const std::string& word : arguments)
        started += std::to_string(word.size()) + ":" + word;
    require_same(started, "version of sluice or other arguments", world);
    world.agree([&] {
        if (!action.run) action = plan_action(arguments);
    });
    require_same(action.request, "configuration file", world);
    action.run(world);
}

}  // namespace sluice::cli
