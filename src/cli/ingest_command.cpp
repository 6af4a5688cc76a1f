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

Command ingest_command() {
    return unfinished("ingest");
}

}  // namespace sluice::cli
