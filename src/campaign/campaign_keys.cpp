#include "campaign/campaign_keys.hpp"

#include "campaign/select_keys.hpp"
#include "kernels/activation.hpp"
#include "model/train.hpp"

#include <algorithm>

namespace sluice::campaign {
namespace {

using Keys = std::vector<CampaignKey>;
using Names = std::vector<std::string>;
using Change = CampaignKey::Change;

constexpr auto refused = Change::refused;
constexpr auto next_round = Change::next_round;
constexpr auto at_once = Change::at_once;

Names activations() {
    Names names;
    for (const std::string_view name : kernels::activation_names())
        names.emplace_back(name);
    return names;
}

Names heads() {
    Names names = {"auto"};
    for (const model::HeadDefinition& head : model::head_definitions())
        names.push_back(head.name);
    return names;
}

Keys campaign_section() {
    return {
        {"campaign", "directory", "DIR", "where everything is kept", "", ".", at_once},
        {"campaign", "seed", "S", "seed of all random choices, 0 to 2^64-1", "", "0"},
        {"campaign", "rounds", "R", "end after so many rounds", "rounds", "10", at_once},
        {"campaign",
         "random-arm",
         "WHAT",
         "a second campaign beside this one that asks for random rows, to compare with; auto = yes "
         "with a test set",
         "",
         "auto",
         refused,
         {"auto", "yes", "no"}},
    };
}

Keys pool_section() {
    Keys keys = {{"pool",
                  "file",
                  "FILE",
                  "the pool's HDF5 files, in row order, one line each",
                  "",
                  "",
                  at_once,
                  {},
                  CampaignKey::Kind::list}};
    for (const std::string role :
         {"features", "probabilities", "committee", "predictions", "inputs", "ids", "cost"}) {
        keys.push_back(
            {"pool", role, "PATH", "dataset in the files that holds the " + role, "", "/" + role});
    }
    keys.push_back({"pool", "groups", "PATH",
                    "dataset in the files that holds the groups; nothing = /groups", "", ""});
    keys.push_back({"pool",
                    "bad-rows",
                    "WHAT",
                    "what to do about rows with wrong values",
                    "",
                    "refuse",
                    refused,
                    {"refuse", "skip"}});
    return keys;
}

Keys start_section() {
    return {
        {"start",
         "strategy",
         "NAME",
         "how rows are chosen before there is a model",
         "",
         "random",
         next_round,
         {"random", "k_center"}},
        {"start", "batch", "B", "rows to ask for in each such round; auto = as [select] batch",
         "rows", "auto", next_round},
        {"start", "rounds", "N", "how many such rounds; auto = 1, or 0 with labels", "rounds",
         "auto", next_round},
        {"start", "shortlist", "K", "random rows that k_center chooses from; auto = 100 x B",
         "rows", "auto", next_round},
        {"start", "labels", "PATH",
         "labels that are there already: a file or a directory of generations", "", "", at_once},
    };
}

Keys model_section() {
    return {
        {"model", "head", "NAME",
         "what the last layer is trained for; auto = softmax for classes, squares for numbers", "",
         "auto", refused, heads()},
        {"model", "hidden", "UNITS", "units of each hidden layer, as in 64,64; none = linear",
         "units", "64,64"},
        {"model", "activation", "NAME", "of hidden layers", "", "silu", refused, activations()},
        {"model", "random-features", "R", "fixed cosine features of an RBF kernel; 0 = none",
         "features", "0"},
        {"model", "gamma", "X", "of that kernel; 0 = 1 / D", "", "0"},
        {"model", "members", "M", "nets of the committee", "nets", "5"},
        {"model",
         "resample",
         "NAME",
         "how members differ beside their seeds",
         "",
         "none",
         refused,
         {"none", "bootstrap", "k_fold"}},
        {"model", "dropout", "X", "share of hidden units dropped in training", "", "0"},
        {"model", "masks", "M", "members drawn from each net by dropout; 0 = none", "members", "0"},
        {"model", "learning-rate", "X", "of Adam", "", "0.001"},
        {"model", "weight-decay", "X", "decoupled from the gradient", "", "0"},
        {"model", "batch-rows", "N", "labels of one step", "labels", "64"},
        {"model", "epochs", "N", "at most", "epochs", "500"},
        {"model", "patience", "N", "epochs without a better held-out loss; 0 = never stop early",
         "epochs", "30"},
        {"model", "held-out", "X", "share of the labels kept out of training", "", "0.1"},
        {"model", "loss-folds", "K",
         "also train a loss head on the losses of K folds, which score = learning_loss reads",
         "folds", ""},
        {"model", "train-command", "WORDS",
         "a program that trains in place of sluice, as in python3 train.py {labels} {model}, or "
         "{predictions} of every row of {pool}; also {seed}, {round} (sluice help train)",
         "", "", at_once},
        {"model", "train-limit", "S", "time for that program", "s", "86400", at_once},
    };
}

Keys label_section() {
    return {
        {"label",
         "where",
         "PLACE",
         "inside: this job runs the oracle; outside: sluice label or people do, and the campaign "
         "ends with 75 until they have",
         "",
         "inside",
         at_once,
         {"inside", "outside"}},
        {"label", "oracle", "FILE", "INI file of the oracle; needed inside", "", "", at_once},
        {"label", "workers", "W", "oracles at the same time in the whole job; auto = one a rank",
         "", "auto", at_once},
        {"label", "classes", "C", "labels are classes 0 to C-1; auto = what comes", "", "auto"},
        {"label", "tolerance", "X",
         "two labels of an item are the same if they differ by no more than this fraction", "", "0",
         at_once},
        {"label", "lease", "S", "silence after which others may take a worker's tickets", "s",
         "300", at_once},
        {"label", "grace", "S", "time that running items get after a stop signal", "s", "20",
         at_once},
        {"label", "scratch", "DIR", "where oracles run; without it, TMPDIR or /tmp", "", "",
         at_once},
        {"label", "keep-failed", "N", "scratch directories of the last failures that are kept", "",
         "3", at_once},
    };
}

Keys test_section() {
    return {
        {"test", "rows", "N",
         "random rows (with [select] groups: items) labeled for testing only, by the same oracle; "
         "0 = none",
         "rows", "0"},
        {"test", "labels", "FILE", "labels for testing only that are there already", "", "",
         at_once},
    };
}

Keys stop_section() {
    return {
        {"stop",
         "when",
         "WHAT",
         "end when any of the rules below holds, or all of them",
         "",
         "any",
         at_once,
         {"any", "all"}},
        {"stop", "labels", "N", "so many labels", "labels", "", at_once},
        {"stop", "cost", "X", "so much spent, by the pool's cost (without one, 1 an item)", "cost",
         "", at_once},
        {"stop", "hours", "X", "so long at work, all runs together", "h", "", at_once},
        {"stop", "oracle-hours", "X", "so long in oracles, added up over all", "h", "", at_once},
        {"stop", "target", "METRIC X", "a metric has reached X, as in rmse 0.1", "", "", at_once},
        {"stop", "plateau", "METRIC",
         "a metric has not become better; chosen by the test set, its last value flatters", "", "",
         at_once},
        {"stop", "plateau-window", "W", "in so many rounds", "rounds", "3", at_once},
        {"stop", "plateau-epsilon", "X", "by this fraction of the best before", "", "0.01",
         at_once},
        {"stop", "kappa", "X", "agreement of one model with the next, mean of some rounds", "", "",
         at_once},
        {"stop", "kappa-window", "W", "of so many", "rounds", "3", at_once},
        {"stop", "delta-f", "X", "predicted change of the F score below X in some rounds", "", "",
         at_once},
        {"stop", "delta-f-window", "W", "in so many", "rounds", "3", at_once},
        {"stop", "change", "X",
         "at most this share of predictions has changed (regression: relative to their spread)", "",
         "", at_once},
        {"stop", "uncertainty", "X",
         "mean uncertainty below X: entropy over log C, or the committee's standard deviation", "",
         "", at_once},
        {"stop", "set", "N", "random rows that agreement and uncertainty are measured on", "rows",
         "1000"},
    };
}

}  // namespace

const Keys& campaign_keys() {
    static const Keys all = [] {
        Keys keys;
        for (const Keys& section :
             {campaign_section(), pool_section(), start_section(), model_section(), pseudo_keys(),
              select_keys(), label_section(), test_section(), stop_section()}) {
            keys.insert(keys.end(), section.begin(), section.end());
        }
        return keys;
    }();
    return all;
}

Names campaign_sections() {
    Names names;
    for (const CampaignKey& key : campaign_keys()) {
        if (names.empty() || names.back() != key.section) names.push_back(key.section);
    }
    return names;
}

const CampaignKey* find_campaign_key(std::string_view section, std::string_view name) {
    const auto found = std::ranges::find_if(campaign_keys(), [&](const CampaignKey& key) {
        return key.section == section && key.name == name;
    });
    return found == campaign_keys().end() ? nullptr : &*found;
}

}  // namespace sluice::campaign
