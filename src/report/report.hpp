#pragma once

#include "comm/communicator.hpp"

#include <cstdint>
#include <string>

namespace sluice::report {

/// What `sluice report` was asked for.
struct ReportRequest {
    std::string campaign_path;           ///< its directory, or its INI file
    std::string page_path;               ///< empty: report.html in the campaign's directory
    std::string json_path;               ///< empty: none
    std::int64_t sample_rows = 200'000;  ///< of the pool, at most
    std::string full_data_path;  ///< a model that all data have trained; empty: full-data.h5 in the
                                 ///< campaign's directory, if it is there
};

/// Writes the report of a campaign as it lies there, running or not, whole or damaged: one HTML
/// page that needs nothing else, the same numbers as JSON, and a summary on rank 0's stdout. Reads
/// only, takes no locks; what is missing or cannot be read is said on the page. The same files give
/// the same bytes on any number of ranks. Throws AgreedError: no_input if there is no campaign, and
/// what fails in writing the page. \collective
void make_report(const ReportRequest& request, comm::Communicator& world);

}  // namespace sluice::report
