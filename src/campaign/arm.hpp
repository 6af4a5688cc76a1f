#pragma once

#include <cstdint>
#include <string>

namespace sluice::campaign {

/// One line of a campaign: the campaign itself, or the arm that asks for random rows. Where its
/// files lie:
///   queue/  labels/  models/NNNN.h5 or NNNN.predictions.h5  pseudo/NNNN.h5
///   rounds/NNNN/...
/// Of a campaign's files all but these are the same, byte for byte, however often it was
/// interrupted and on however many ranks it ran: rounds/NNNN/timings.json and train.log; in queue/
/// the result files (settled/), order/ (names of temporaries) and batches/*/provenance.json; in
/// labels/ the columns cost (measured), files, repeats and agreement.
struct Arm {
    std::string name;              ///< "active" or "random"
    std::string directory;         ///< the campaign's, or random/ in it
    std::int64_t first_round = 1;  ///< rounds before it are the campaign's own

    std::string queue() const { return directory + "/queue"; }
    std::string labels() const { return directory + "/labels"; }
    std::string model(std::int64_t round) const;            ///< models/0002.h5
    std::string predictions(std::int64_t round) const;      ///< models/0002.predictions.h5
    std::string pseudo_labels(std::int64_t round) const;    ///< pseudo/0002.h5
    std::string round_directory(std::int64_t round) const;  ///< rounds/0002

    /// `rounds/0002/NAME`.
    std::string file(std::int64_t round, const std::string& file_name) const;
};

/// What a round's directory holds, in the order in which the files appear. Each appears whole; the
/// step that makes it is done when it is there.
namespace round_file {
inline constexpr const char* plan = "plan.json";          ///< what is asked for
inline constexpr const char* selected = "selected.csv";   ///< what was chosen: the batch's own
inline constexpr const char* batch = "batch.json";        ///< batch id, sizes, radius
inline constexpr const char* labels = "labels.csv";       ///< what became of each item
inline constexpr const char* train_log = "train.log";     ///< of a training command of the user's
inline constexpr const char* stop_set = "stop_set.h5";    ///< what the model says of the stop set
inline constexpr const char* metrics = "metrics.json";    ///< what stop rules and curves know
inline constexpr const char* timings = "timings.json";    ///< seconds; differs from run to run
inline constexpr const char* versions = "versions.json";  ///< hashes; the round is complete
}  // namespace round_file

}  // namespace sluice::campaign
