#pragma once

#include "oracle/judge.hpp"
#include "oracle/scratch.hpp"

#include <set>
#include <string>
#include <vector>

namespace sluice::oracle {

/// What every run of one oracle needs. All of it outlives the runs.
struct OracleSetup {
    const Spec& spec;
    std::string program;                             ///< from find_program
    std::map<std::string, std::string> environment;  ///< from clean_environment
    Scratch& scratch;
    ProcessPool& pool;
};

/// One process of the oracle in a scratch directory of its own: on one item, or in jsonl mode on
/// many. A run that is dropped before its end is killed.
class OracleRun {
  public:
    OracleRun(const OracleSetup& setup, std::vector<queue::TicketItem> items);
    ~OracleRun();
    OracleRun(const OracleRun&) = delete;
    OracleRun& operator=(const OracleRun&) = delete;

    const std::vector<queue::TicketItem>& items() const { return items_; }
    bool finished() const { return process_->finished(); }
    const ProcessOutcome& outcome() const { return process_->outcome(); }
    void stop() { process_->stop(); }

    /// One result an item, in the order of the items.
    std::vector<queue::ItemResult> judge() const;

    /// In jsonl mode: the items that the output has a line of.
    std::set<std::int64_t> answered() const;

    /// Keeps the scratch directory, with what came on stdout and stderr, instead of removing it.
    /// Returns HOST:DIRECTORY, or nothing.
    std::string keep();

  private:
    ProcessRequest request() const;

    const OracleSetup& setup_;
    std::vector<queue::TicketItem> items_;
    std::string directory_;
    std::unique_ptr<Process> process_;
};

}  // namespace sluice::oracle
