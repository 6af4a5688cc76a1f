#include "campaign/selection_file.hpp"

#include "campaign/json_node.hpp"
#include "campaign/selection_reader.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/path_status.hpp"
#include "core/text.hpp"
#include "select/score_expression.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>

namespace sluice::campaign {

SelectionFile parse_selection(const std::string& text, const std::string& path) {
    return read_strategies(parse_json_file(text, path), path);
}

SelectionFile read_selection_file(const std::string& path) {
    return parse_selection(read_text_file(path), path);
}

namespace {

// The file of a tag's rows, beside the selection.
std::string file_of_tag(const SelectionFile& file, const std::string& tag) {
    const std::filesystem::path folder = std::filesystem::path(file.path).parent_path();
    for (const char* ending : {".txt", ".csv", ".h5"}) {
        const std::string path = (folder / (tag + ending)).string();
        if (path_status(path, Links::follow).has_value()) return path;
    }
    throw Error(ExitCode::bad_config,
                file.path + ": tag_name: no file says which rows '" + printable(tag) +
                    "' are; put " + printable(tag) +
                    ".txt (row numbers or ids, one a line), .csv or .h5 (with `row`) beside it");
}

// Instances of items are what there is for embeddings of objects.
void check_items(const SelectionFile& file, const Overrides& given, const SelectRequest& request) {
    const bool has_items = request.plan.items != "none";
    require(file.task.empty() || has_items, ExitCode::bad_config,
            file.task_place +
                ": rows have no embeddings of objects; select from a pool whose rows are the "
                "objects, with the number of their image in `groups`, and give --groups RULE (or "
                "leave out the task)");
    require(given.batch || file.proportion == 0.0 || !has_items, ExitCode::bad_config,
            file.path +
                ": proportion_samples: a share of rows says not how many items; give n_samples or "
                "--batch");
}

// Where the vectors of SIMILARITY are: the command line's file, one that dataset_id names, or rows
// of the pool.
void find_similar(const SelectionFile& file, SelectRequest& request) {
    if (file.score.find(select::similarity_name) == std::string::npos) return;
    if (!file.similar_tag.empty()) request.similar_rows_path = file_of_tag(file, file.similar_tag);
    if (!request.similar_path.empty()) return;
    const bool is_file =
        !file.similar_path.empty() && path_status(file.similar_path, Links::follow).has_value();
    require(is_file || !request.similar_rows_path.empty(), ExitCode::bad_config,
            file.path +
                ": SIMILARITY: input.dataset_id names no file; give the vectors with "
                "--similar-to FILE");
    if (is_file) request.similar_path = file.similar_path;
}

}  // namespace

void apply_selection(const SelectionFile& file, const Overrides& given, SelectRequest& request) {
    constexpr std::int64_t everything = std::int64_t{1} << 48;
    check_items(file, given, request);
    if (!given.batch) {
        require(file.num_samples > 0 || file.proportion > 0.0, ExitCode::bad_config,
                file.path + ": n_samples: missing; give it, proportion_samples, or --batch");
        request.plan.batch_size = file.num_samples;
        request.batch_share = file.proportion;
        request.selection_path = file.path;
    }
    request.plan.score = file.score;
    request.plan.diversity = file.is_diverse ? "k_center" : "none";
    request.plan.diversity_parameters.strength = file.strength;
    request.plan.metric = "cosine";
    request.plan.conditions = file.conditions.empty() ? request.plan.conditions : file.conditions;
    request.plan.min_distance = std::max(request.plan.min_distance, file.min_distance);
    request.plan.weights = select::Weights::not_negative;
    if (file.balances.size() == 1) {
        request.plan.class_mix = file.balances.front().mix;
        request.plan.class_by = file.balances.front().class_by;
    } else if (!file.balances.empty()) {
        request.plan.balances = file.balances;
    }
    if (!given.shortlist) request.plan.shortlist_size = everything;
    if (!given.seed && file.seed) request.plan.seed = *file.seed;
    find_similar(file, request);
    if (!file.center_tag.empty()) request.center_path = file_of_tag(file, file.center_tag);
}

}  // namespace sluice::campaign
