#include "cli/commands.hpp"

namespace sluice::cli {
namespace {

Command unfinished(const std::string& name) {
    CommandSpec spec;
    spec.name = name;
    spec.launch = Launch::alone;
    return {spec, [](const Options&) { return [](comm::Communicator&) {}; }};
}

}  // namespace

Command queue_export_command() {
    return unfinished("queue export");
}

Command queue_import_command() {
    return unfinished("queue import");
}

}  // namespace sluice::cli
