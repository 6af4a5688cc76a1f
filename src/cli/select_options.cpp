#include "cli/select_options.hpp"

#include "cli/batch_options.hpp"
#include "cli/pool_options.hpp"
#include "cli/queue_options.hpp"
#include "cli/walltime_options.hpp"
#include "select/diversity.hpp"
#include "select/embedding.hpp"
#include "select/score_catalog.hpp"

#include <vector>

namespace sluice::cli {
namespace {

std::vector<OptionSpec> science_options() {
    return {
        {.name = "batch",
         .value_name = "B",
         .summary = "how many rows to choose",
         .unit = "rows",
         .aliases = {"batch-size"}},
        {.name = "groups",
         .value_name = "RULE",
         .summary = "rows with one number in the pool's `groups`, side by side, are instances of "
                    "one item, chosen whole and scored by the max, mean, sum or top_mean:K (mean "
                    "of the K best) of its rows; --batch and --shortlist then count items",
         .default_text = "none"},
        {.name = "batch-instances",
         .value_name = "N",
         .summary = "most rows that the batch's items may have together: the first items chosen "
                    "that fit are taken, at most --batch (the random share first, then quotas or "
                    "balance, then the rest)",
         .unit = "rows"},
        {.name = "score",
         .value_name = "NAME",
         .summary = "what makes a row worth a label (listed below), or a sum of products of such, "
                    "of the pool's columns and of its cost, as in margin^2*column:novelty or "
                    "0.7*entropy + 0.3*column:loss/column:length",
         .default_text = "entropy",
         .choices = choices_of(select::score_catalog()),
         .names = OptionSpec::Names::some},
        {.name = "randomize",
         .value_name = "KIND",
         .summary = "noise that makes the ranking a draw: none, power (by score^C), softmax (by "
                    "e^(C score)) or softrank (by 1/rank^C, among the best 10 x K), with C after a "
                    "colon, as in power:1; the score column then holds what rows were ranked by",
         .default_text = "none"},
        {.name = "per-cost",
         .value_name = "",
         .summary = "rank rows by score / cost of the pool's `cost`; scores must be >= 0",
         .kind = OptionSpec::Kind::flag},
        diversify_option("how the batch is chosen from the shortlist (listed below)"),
        {.name = "strength",
         .value_name = "X",
         .summary = "how much the score counts in --diversify, where the rule takes it: 0 = not at "
                    "all; auto = the rule's own",
         .default_text = "auto"},
        {.name = "sigma",
         .value_name = "X",
         .summary = "noise of the model behind --diversify, where the rule takes it",
         .unit = "that of the features",
         .default_text = "auto"},
        {.name = "radius",
         .value_name = "X",
         .summary = "how far a row stands for others in --diversify, where the rule takes it",
         .unit = "that of the features",
         .default_text = "auto",
         .aliases = {"delta"}},
        {.name = "diversify-on",
         .value_name = "NAME",
         .summary = "what --diversify measures distances of: the features, the committee's "
                    "covariance (members' deviations from their mean, of --model, or else of the "
                    "pool's committee or predictions), or gradients of the last layer, or of all "
                    "layers, of --model",
         .default_text = "features",
         .choices = choices_of(select::diversify_on_definitions())},
        {.name = "sketch-dim",
         .value_name = "K",
         .summary = "length that vectors of --diversify-on are brought to by a random projection; "
                    "auto = 512 where gradients are longer",
         .unit = "numbers",
         .default_text = "auto"},
        metric_option(),
        shortlist_option("rows with the best scores that the batch is chosen from; auto = 10 x B"),
        {.name = "max-score",
         .value_name = "X",
         .summary = "rows that score higher are passed over and counted: for physics, what a "
                    "committee disagrees on beyond all measure is mostly absurd (`hi`, the upper "
                    "trust level of DP-GEN)",
         .unit = "that of the score"},
        {.name = "min-score",
         .value_name = "X",
         .summary = "rows that score lower are passed over (`lo` of DP-GEN): fewer than --batch "
                    "may be chosen",
         .unit = "that of the score"},
        {.name = "where",
         .value_name = "CONDITIONS",
         .summary = "only rows whose columns or cost meet all of these are chosen, as in "
                    "'column:brightness >= 0.2, column:frame != 0'; < <= > >= == !=, compared as "
                    "float32"},
        {.name = "input",
         .value_name = "NAME",
         .summary = "what the score reads; auto = the best of what the pool has",
         .default_text = "auto",
         .choices = {{"auto"}, {"probabilities"}, {"committee"}, {"predictions"}}},
        {.name = "labels",
         .value_name = "PATH",
         .summary = "labels file, or directory of label generations: never chosen, and centres"},
        {.name = "held-out",
         .value_name = "PATH",
         .summary =
             "labels file or directory whose rows are never chosen, and no centres: the rows "
             "that models are tested on"},
        {.name = "model",
         .value_name = "FILE",
         .summary = "model file of 'sluice train': scores read what its members say of the "
                    "features, in place of the pool's probabilities or predictions"},
        {.name = "predictions-file",
         .value_name = "FILE",
         .summary = "what a model of yours says of every row, read in place of the pool's "
                    "probabilities, committee and predictions: a pool of as many rows"},
        {.name = "batch-cost",
         .value_name = "X",
         .summary = "most that the batch may cost by the pool's `cost`: the first rows chosen that "
                    "fit are taken, at most --batch",
         .unit = "that of `cost`"},
        {.name = "seed",
         .value_name = "S",
         .summary = "seed of random choices, 0 to 2^64-1",
         .default_text = "0"},
        {.name = "round",
         .value_name = "R",
         .summary = "number of the round, part of every random choice",
         .default_text = "1"},
    };
}

// Which rows may be chosen together, and parts of the batch of their own.
std::vector<OptionSpec> parts_options() {
    return {
        {.name = "selection",
         .value_name = "FILE",
         .summary = "LightlyOne's selection as JSON: n_samples or proportion_samples, and "
                    "strategies that stand for --score, --diversify, --where, --balance and so "
                    "on; --batch, --shortlist, --seed and --similar-to win over it"},
        {.name = "exclude",
         .value_name = "FILE",
         .summary = "rows that are never chosen, and no centres: HDF5 with `row`, or text, a row "
                    "number or id a line (or a CSV with a column row or id)"},
        {.name = "similar-to",
         .value_name = "FILE",
         .summary = "a pool file whose features say what `similarity` in --score means: 1 / (1 + "
                    "distance to the nearest of them), or (1 + cosine) / 2"},
        {.name = "random-share",
         .value_name = "E",
         .summary = "share of the batch that is drawn by chance from all candidates (with --groups "
                    "items, all with the same chance), before the rest is chosen",
         .default_text = "0"},
        {.name = "class-by",
         .value_name = "WHAT",
         .summary =
             "what --quota and --balance tell rows apart by: class (the predicted one), "
             "column:NAME (numbers or text) or groups; with --groups an item is of the class "
             "of its best-scored row, and items are counted",
         .default_text = "class"},
        {.name = "quota",
         .value_name = "ROWS",
         .summary = "least rows of each class in the batch, as in '3=10, 7=5', or each=2 of every "
                    "class"},
        {.name = "balance",
         .value_name = "SHARES",
         .summary = "shares of the classes in the batch, as in 'cat=0.5, dog=0.3' (the rest of "
                    "any other), uniform, pool (as the candidates), or catch-up (what labeled and "
                    "issued rows lack of the pool's shares)"},
        {.name = "distinct-within",
         .value_name = "X",
         .summary = "rows no farther than X from a better row, a labeled or an issued one are "
                    "passed over; the shortlist counts the others; with --groups items, each "
                    "compared by its best-scored row with those of better items and with all "
                    "labeled and issued rows",
         .unit = "that of --metric"},
        {.name = "min-distance",
         .value_name = "X",
         .summary = "the batch ends before the first row nearer than X to a labeled, issued or "
                    "chosen one",
         .unit = "that of --metric"},
    };
}

std::vector<OptionSpec> policy_options() {
    return {
        target_queue_option(),
        bad_rows_option("rows"),
        {.name = "distinct",
         .value_name = "",
         .summary = "rows of equal features count once, and not at all if one of them is labeled "
                    "or issued",
         .kind = OptionSpec::Kind::flag},
        new_pool_option(),
        ticket_items_option(),
        {.name = "tag",
         .value_name = "NAME",
         .summary = "only workers with this tag take the batch; not part of what makes its id"},
        {.name = "map",
         .value_name = "FILE",
         .summary = "also write as CSV which chosen row stands for each row of the shortlist "
                    "(row,id,score,chosen,distance)"},
        {.name = "selected",
         .value_name = "FILE",
         .summary = "also write the batch as CSV (rank,row,id,score,distance; with --groups "
                    "group,instance_score; reason,nearest,nearest_distance)"},
        json_option(),
        {.name = "dry-run",
         .value_name = "",
         .summary = "print what would be read, held and exchanged, and do nothing",
         .kind = OptionSpec::Kind::flag},
    };
}

std::vector<OptionSpec> machine_options() {
    return {
        threads_option(),
        device_option(),
        memory_option("buffers and the shortlist"),
        block_rows_option("files and memory"),
        config_option(),
    };
}

}  // namespace

CommandSpec select_spec() {
    CommandSpec spec;
    spec.name = "select";
    spec.summary = "choose a batch from a pool and publish it in a queue";
    spec.usage = "--pool FILE... --queue DIR --batch B [OPTIONS]";
    spec.details =
        "Scores every row, keeps the K best as the shortlist, and chooses from it B rows that are "
        "unlike each other and unlike all rows labeled or issued before. The batch is the same for "
        "any number of ranks and threads. Asking again for the same batch changes nothing.";
    for (const auto& group : {pool_options(), science_options(), parts_options(), policy_options(),
                              walltime_options(), machine_options()})
        spec.options.insert(spec.options.end(), group.begin(), group.end());
    return spec;
}

}  // namespace sluice::cli
