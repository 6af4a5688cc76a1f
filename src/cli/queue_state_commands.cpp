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

Command queue_status_command() {
    return unfinished("queue status");
}

Command queue_fsck_command() {
    return unfinished("queue fsck");
}

Command queue_reap_command() {
    return unfinished("queue reap");
}

}  // namespace sluice::cli
