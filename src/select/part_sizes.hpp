#pragma once

#include "comm/communicator.hpp"
#include "select/mixed_shares.hpp"
#include "select/plan.hpp"
#include "select/row_classes.hpp"
#include "select/scan_lists.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace sluice::select {

/// How many rows of the batch come from which class, and what came of it.
class PartSizes {
  public:
    struct Part {
        std::int64_t code = no_class;  ///< no_class: of any class that has no part of its own
        std::string name;
        std::int64_t rows = 0;
        std::int64_t candidates = 0;
        std::string reason;  ///< why its rows are chosen, as in `quota 3`
    };

    /// In the order of the plan's targets, or of codes. Adds up the ranks' census, and for a batch
    /// that catches up that of `centers` (ascending). Throws AgreedError for a quota beyond the
    /// candidates or the batch. \collective
    PartSizes(const Plan& plan, const RowClasses* classes, const ScanLists& lists,
              std::span<const RowId> centers, comm::Communicator& world);

    const std::vector<Part>& parts() const { return parts_; }

    /// A part got fewer rows than its due.
    void name_shortage(const Part& part, std::int64_t got);
    bool has_shortage() const { return !note_.empty(); }

    /// What fell short, for people; empty if nothing did.
    const std::string& note() const { return note_; }

    /// Where several balances cannot all have their shares, for people; empty if they have.
    const std::string& misses() const { return misses_; }

  private:
    void add_named();
    void add_every_class();
    void add_cells();
    WantedShares wanted_shares(std::size_t balance, const std::vector<RowClasses::Cell>& cells,
                               std::vector<MixCell>& places);
    void name_misses(std::span<const MixCell> cells, std::span<const WantedShares> wanted);
    void size_by_shares();
    std::vector<double> lacking_shares() const;
    void check_quotas() const;

    const Plan& plan_;
    const RowClasses* classes_;
    std::map<std::int64_t, std::int64_t> census_;   // of all ranks
    std::map<std::int64_t, std::int64_t> labeled_;  // the same of the centres
    std::vector<Part> parts_;
    std::string note_;
    std::vector<std::vector<std::string>> names_;  // of the classes of several balances
    std::string misses_;
};

}  // namespace sluice::select
