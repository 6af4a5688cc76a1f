#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "pool/pool.hpp"
#include "pool/row_reader.hpp"
#include "select/class_mix.hpp"
#include "select/member_probabilities.hpp"
#include "select/plan.hpp"

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sluice::select {

/// Of a row that has no class: its number or its probabilities are not finite. A row without a
/// class of one of several rules has no cell.
inline constexpr std::int64_t no_class = std::numeric_limits<std::int64_t>::min();

/// Which class each row of the pool is of, as the plan's class rule says. Classes are told apart by
/// codes: the number of a predicted class, an integer, the bits of a float32, a hash of a text.
/// Any number of threads may call it.
class RowClasses {
  public:
    /// A thread's own memory.
    struct Scratch {
        std::vector<RowId> rows;
        std::vector<float> values;
        std::set<std::int64_t> texts;  // codes whose texts are known
        pool::RowReader::Scratch reader;
        std::vector<Scratch> parts;  // of cells
        std::vector<std::vector<std::int64_t>> part_codes;
        std::set<std::int64_t> cells;  // codes of those that are known
    };

    /// The classes that make a cell, one of each part.
    using Cell = std::vector<std::int64_t>;

    /// Keeps references to both. Throws Error(bad_data) if the pool lacks what classes are read
    /// from.
    RowClasses(const pool::Pool& pool, const Plan& plan);
    RowClasses(const pool::Pool& pool, const Plan& plan, const ClassRule& rule);

    /// The codes of the rows.
    void read(RowRange rows, std::vector<std::int64_t>& codes, Scratch& scratch) const;

    /// The code of a class that a user names; nothing for what can be none.
    std::optional<std::int64_t> code_of(const std::string& name) const;

    /// What users call a class; of texts only those that have been read.
    std::string name_of(std::int64_t code) const;

    /// Whether name_of() knows only what this process has read.
    bool is_text() const { return parts_.empty() && dataset_->type == pool::ElementType::text; }

    const pool::Dataset& dataset() const { return *dataset_; }
    std::int64_t row_bytes() const;

    /// What tells cells apart; 0 parts unless the rule is one of cells.
    std::size_t num_parts() const { return parts_.size(); }
    const RowClasses& part(std::size_t index) const { return *parts_[index]; }

    /// The cells that this process has read or learned, by code.
    std::map<std::int64_t, Cell> cells() const;
    /// One that another process has read. Throws Error(internal) for two cells of one code.
    void learn(std::int64_t code, const Cell& cell) const;

    /// Memory of a thread for blocks of that many rows.
    static std::int64_t buffer_bytes(const pool::Pool& pool, const Plan& plan,
                                     std::int64_t block_rows);

  private:
    void read_predicted(RowRange rows, std::vector<std::int64_t>& codes, Scratch& scratch) const;
    std::string name_of_cell(std::int64_t code) const;
    void read_cells(RowRange rows, std::vector<std::int64_t>& codes, Scratch& scratch) const;
    void read_texts(std::vector<std::int64_t>& codes, Scratch& scratch) const;
    void read_numbers(RowRange rows, std::vector<std::int64_t>& codes, Scratch& scratch) const;

    const Plan& plan_;
    ClassRule rule_;
    MemberSource members_;  // of predicted classes
    const pool::Dataset* dataset_ = nullptr;
    std::vector<std::string> names_;  // of predicted classes; may be empty
    std::optional<pool::RowReader> reader_;
    mutable std::mutex mutex_;  // guards texts_ and cells_
    mutable std::map<std::int64_t, std::string> texts_;
    std::vector<std::unique_ptr<RowClasses>> parts_;  // of cells
    mutable std::map<std::int64_t, Cell> cells_;
};

/// Texts and cells that one rank has read, on all of them: those of its `codes`. \collective
void share_classes(const RowClasses& classes, const std::set<std::int64_t>& codes,
                   comm::Communicator& world);

}  // namespace sluice::select
