#pragma once

#include "campaign/select_round.hpp"
#include "cli/options.hpp"

#include <string>

namespace sluice::cli {

/// `--diversify`: a rule of the registry; `summary` says of what.
OptionSpec diversify_option(const std::string& summary);

/// `--metric`: euclidean or cosine.
OptionSpec metric_option();

/// `--shortlist`; `summary` says of what.
OptionSpec shortlist_option(const std::string& summary);

/// `--bad-rows`: refuse or skip `rows`, as in "rows".
OptionSpec bad_rows_option(const std::string& rows);

/// `--queue DIR` of the commands that make it when it is absent.
OptionSpec target_queue_option();

/// `--new-pool`.
OptionSpec new_pool_option();

/// `--ticket-items`, or auto.
OptionSpec ticket_items_option();

/// The value of `--bad-rows`.
select::BadRows bad_rows(const Options& options);

/// The value of `--tag`, empty without one. Throws Error(usage) if it cannot be one.
std::string worker_tag(const Options& options);

/// Where and how a batch is published: the values of `--queue`, `--new-pool`, `--ticket-items`,
/// `--tag` and `--selected`.
void read_publishing(const Options& options, campaign::SelectRequest& request);

}  // namespace sluice::cli
