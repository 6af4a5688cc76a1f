#include "campaign/select_keys.hpp"

namespace sluice::campaign {
namespace {

constexpr auto refused = CampaignKey::Change::refused;
constexpr auto next_round = CampaignKey::Change::next_round;

}  // namespace

// Keys that came later have no defaults here: campaigns begun before there were any go on.
std::vector<CampaignKey> select_keys() {
    return {
        {"select", "batch", "B", "rows to ask for in a round, at most", "rows", "100"},
        {"select", "batch-cost", "X", "what they may cost together by the pool's cost; none = any",
         "cost", "none"},
        {"select", "score", "NAME", "what makes a row worth a label (sluice help select)", "",
         "entropy", next_round},
        {"select", "diversify", "NAME", "how the batch is chosen from the shortlist (likewise)", "",
         "k_center", next_round},
        {"select", "schedule", "LIST",
         "SCORE/DIVERSIFY of some rounds, as in 2-3:random/k_center, 4-:bald/none; score and "
         "diversify count for the others",
         "", "", next_round},
        {"select", "randomize", "KIND",
         "noise on the score, as in power:1 (sluice help select); not on random's", "", "none",
         next_round},
        {"select",
         "per-cost",
         "WHAT",
         "rows are ranked by score over the pool's cost",
         "",
         "no",
         next_round,
         {"yes", "no"}},
        {"select", "strength", "X",
         "how much the score counts in diversify, in rounds whose rule takes it; auto = the rule's "
         "own",
         "", "", next_round},
        {"select", "sigma", "X", "noise of the model behind diversify, likewise",
         "that of the features", "", next_round},
        {"select", "radius", "X", "how far a row stands for others in diversify, likewise",
         "that of the features", "", next_round},
        {"select", "where", "CONDITIONS",
         "only rows whose columns or cost meet all of these are ever asked about, by chance and "
         "for tests too, as in column:brightness >= 0.2, column:frame != 0",
         "", ""},
        {"select", "groups", "RULE",
         "rows with one number in the pool's groups are instances of one item, asked about "
         "together in all rounds and arms and scored by the max, mean, sum or top_mean:K of its "
         "rows (sluice help select); batches, shortlists and [test] rows then count items",
         "", ""},
        {"select", "batch-instances", "N", "most rows that the items of a batch may have together",
         "rows", ""},
        {"select", "max-score", "X",
         "rows whose score is higher are passed over: what a committee disagrees on beyond all "
         "measure is mostly absurd; none = all count",
         "that of the score", "none", next_round},
        {"select", "min-score", "X", "rows whose score is lower are passed over; none = all count",
         "that of the score", "none", next_round},
        {"select", "shortlist", "K", "rows with the best scores; auto = 10 x B", "rows", "auto"},
        {"select",
         "metric",
         "NAME",
         "distance between features",
         "",
         "euclidean",
         refused,
         {"euclidean", "cosine"}},
        {"select",
         "diversify-on",
         "NAME",
         "what distances are of, in rounds with a model (sluice help select)",
         "",
         "",
         next_round,
         {"features", "covariance", "gradients", "all_gradients"}},
        {"select", "sketch-dim", "K", "length of its vectors (likewise)", "numbers", "",
         next_round},
        {"select",
         "input",
         "NAME",
         "what scores read: the campaign's model, or a dataset of the pool",
         "",
         "model",
         refused,
         {"model", "auto", "probabilities", "committee", "predictions"}},
        {"select",
         "distinct",
         "WHAT",
         "of rows with the same features, only one into the shortlist",
         "",
         "no",
         refused,
         {"no", "yes"}},
        {"select", "ticket-items", "T", "rows a worker takes together; auto = B/100, at least 1",
         "rows", "auto", next_round},
        {"select", "tag", "NAME", "only workers with this tag take the batches", "", "",
         next_round},
    };
}

std::vector<CampaignKey> pseudo_keys() {
    return {
        {"pseudo", "delta", "X",
         "rows whose class the model is sure of (entropy of the members' mean below X, in nats) "
         "are trained on too, each round anew; 0 or nothing = none",
         "nats", ""},
        {"pseudo", "decay", "X", "from X to X - round x decay; nothing = 0", "nats", ""},
        {"pseudo", "most", "N",
         "at most so many, the surest first; auto or nothing = as many as "
         "labels",
         "rows", ""},
        {"pseudo", "weight", "X", "of such a row in training; a label has 1, as it has by default",
         "", ""},
    };
}

}  // namespace sluice::campaign
