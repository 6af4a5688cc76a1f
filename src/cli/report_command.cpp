#include "cli/commands.hpp"
#include "cli/pool_options.hpp"
#include "report/report.hpp"

namespace sluice::cli {
namespace {

constexpr Range sample_range{1, 4'000'000};

CommandSpec make_spec() {
    CommandSpec spec;
    spec.name = "report";
    spec.summary = "write a page about a campaign: where it stands, how good it is, why it asked";
    spec.usage = "--campaign DIR [OPTIONS]";
    spec.details =
        "Looks at what lies in the campaign, running or not, whole or damaged, and takes no locks; "
        "what is missing is said on the page. One HTML file with everything in it: no script, "
        "nothing from the network. The same files give the same bytes on any number of ranks. On "
        "stdout: a summary for those without a browser.";
    spec.options = {
        {.name = "campaign",
         .value_name = "DIR",
         .summary = "the campaign's directory, or its INI file",
         .need = OptionSpec::Need::required},
        {.name = "out",
         .value_name = "FILE",
         .summary = "the page; by default report.html in the campaign's directory"},
        {.name = "json", .value_name = "FILE", .summary = "the same numbers, as JSON"},
        {.name = "full-data",
         .value_name = "MODEL",
         .summary = "a model that was trained on all data, to say how much of its score "
                    "is reached; by default full-data.h5 in the campaign's directory"},
        {.name = "sample",
         .value_name = "N",
         .summary = "look at this many evenly spaced rows of the pool, at most",
         .unit = "rows",
         .default_text = "200000"},
        config_option()};
    return spec;
}

report::ReportRequest read_request(const Options& options) {
    report::ReportRequest request;
    request.campaign_path = options.text("campaign");
    request.page_path = options.text("out");
    request.json_path = options.text("json");
    request.full_data_path = options.text("full-data");
    request.sample_rows = options.count("sample", sample_range);
    return request;
}

}  // namespace

Command report_command() {
    return {make_spec(), [](const Options& options) {
                const report::ReportRequest request = read_request(options);
                return
                    [request](comm::Communicator& world) { report::make_report(request, world); };
            }};
}

}  // namespace sluice::cli
