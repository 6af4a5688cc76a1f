#pragma once

#include "campaign/select_round.hpp"
#include "select/class_mix.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace sluice::campaign {

/// What a selection of LightlyOne asks for, in sluice's words. The objective there is the product
/// of what the strategies make of a row, each to the power of its strength: here a product of
/// scores, and k-center whose cosine distances are multiplied by it. A tag is a set of rows: those
/// that the file of its name beside the selection holds, TAG.txt, TAG.csv or TAG.h5, as
/// read_named_rows() reads it. Embeddings of objects are the features of instances of items.
/// \source docs.lightly.ai: selection input, selection strategies, selection strategy combination.
struct SelectionFile {
    std::string path;
    std::int64_t num_samples = 0;  ///< 0 where it gives a proportion
    double proportion = 0.0;       ///< of the pool's rows
    std::string score;             ///< WEIGHTS and SIMILARITY; `random` if there are none
    std::string conditions;        ///< THRESHOLD
    bool is_diverse = false;       ///< DIVERSITY
    double strength = std::numeric_limits<double>::quiet_NaN();  ///< of the score in k_center
    double min_distance = 0.0;  ///< stopping_condition_minimum_distance, as a cosine distance
    std::vector<select::Balance> balances;  ///< BALANCE, one or several
    std::string similar_path;               ///< dataset_id of SIMILARITY; may be empty
    std::string similar_tag;  ///< its tag_name: rows whose features are the vectors; or empty
    std::string center_tag;   ///< tag_name of DIVERSITY: rows that count as labeled; or empty
    std::string task;         ///< of embeddings of objects; empty: none are asked for
    std::string task_place;   ///< where that stands, for messages
    std::optional<std::uint64_t> seed;  ///< random_seed
    std::vector<std::string> options;   ///< of `sluice select` that the file decides
};

/// Reads such a file. Throws Error(no_input) for a missing one, Error(bad_config) naming the key
/// for what is no such selection, or one that sluice has no means for.
SelectionFile read_selection_file(const std::string& path);

/// The same from text; `path` is what messages call it.
SelectionFile parse_selection(const std::string& text, const std::string& path);

/// Which of its numbers the command line has given already.
struct Overrides {
    bool batch = false;
    bool seed = false;
    bool shortlist = false;
};

/// Makes a request of it; `request` holds what the command line says of items and of vectors.
/// Throws Error(bad_config) for a tag without a file and for objects without items. The shortlist
/// is the whole pool, as it is there, and weights below 0 make bad rows.
void apply_selection(const SelectionFile& file, const Overrides& given, SelectRequest& request);

}  // namespace sluice::campaign
