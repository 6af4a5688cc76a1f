#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sluice::labels {

struct IngestRequest {
    std::string queue_directory;
    std::string labels_directory;
    double tolerance =
        0.0;  ///< labels of one item that differ by less, relative to the larger, are repeats
    std::int64_t classes = 0;  ///< class labels must be below it; 0 = any
};

struct IngestReport {
    std::vector<std::string> generations;  ///< paths of the files written
    std::int64_t files = 0;                ///< result files taken
    std::int64_t labels = 0;               ///< new ones
    std::int64_t repeats = 0;              ///< equal to one that counts already
    std::int64_t conflicts = 0;            ///< differ from one that counts already; both are listed
    std::int64_t disagreements = 0;  ///< people who differ from what most people say; listed too
    std::int64_t rejected =
        0;  ///< lines put into quarantine: unknown item, wrong shape, out of range
    std::int64_t refusals = 0;
    std::map<std::string, std::int64_t> failures;  ///< status -> items without a label
    std::vector<std::string> damaged;    ///< result files left where they are: FILE: what is wrong
    std::vector<std::string> forbidden;  ///< likewise: those that may not be read, links, foreign
    std::vector<std::string> conflict_files;
};

/// Takes the results of a queue into immutable label generations `labels.gNNNN.h5` and moves their
/// files to settled/. Idempotent and killable at any instant: a generation names the result files
/// it was made from, and the next run first moves those. Two at a time cannot both publish a
/// generation: the second gets Error(try_again). Memory does not grow with the number of results: a
/// large queue gives several generations.
IngestReport ingest(const IngestRequest& request);

std::string ingest_text(const IngestReport& report);
std::string ingest_json(const IngestReport& report);

}  // namespace sluice::labels
