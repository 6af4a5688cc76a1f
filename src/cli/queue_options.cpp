#include "cli/queue_options.hpp"

namespace sluice::cli {

OptionSpec queue_option() {
    return {.name = "queue",
            .value_name = "DIR",
            .summary = "queue directory, made by 'sluice select'",
            .need = OptionSpec::Need::required};
}

OptionSpec json_option() {
    return {.name = "json", .value_name = "FILE", .summary = "also write a report as JSON"};
}

}  // namespace sluice::cli
