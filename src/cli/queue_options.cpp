#include "cli/queue_options.hpp"

namespace sluice::cli {

OptionSpec queue_option() {
    return {.name = "queue",
            .value_name = "DIR",
            .summary = "queue directory, made by 'sluice select'",
            .need = OptionSpec::Need::required};
}

std::string queue_directory(const Options& options) {
    std::string directory = options.text("queue");
    while (directory.size() > 1 && directory.back() == '/')
        directory.pop_back();
    return directory;
}

OptionSpec json_option() {
    return {.name = "json", .value_name = "FILE", .summary = "also write a report as JSON"};
}

}  // namespace sluice::cli
