#pragma once

#include "core/types.hpp"
#include "pool/pool.hpp"
#include "pool/row_reader.hpp"
#include "select/class_mix.hpp"
#include "select/member_probabilities.hpp"
#include "select/plan.hpp"

#include <cstdint>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sluice::select {

/// Of a row that has no class: its number or its probabilities are not finite.
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
    };

    /// Keeps references to both. Throws Error(bad_data) if the pool lacks what classes are read
    /// from.
    RowClasses(const pool::Pool& pool, const Plan& plan);

    /// The codes of the rows.
    void read(RowRange rows, std::vector<std::int64_t>& codes, Scratch& scratch) const;

    /// The code of a class that a user names; nothing for what can be none.
    std::optional<std::int64_t> code_of(const std::string& name) const;

    /// What users call a class; of texts only those that have been read.
    std::string name_of(std::int64_t code) const;

    /// Whether name_of() knows only what this process has read.
    bool is_text() const { return dataset_->type == pool::ElementType::text; }

    const pool::Dataset& dataset() const { return *dataset_; }

    /// Memory of a thread for blocks of that many rows.
    static std::int64_t buffer_bytes(const pool::Pool& pool, const Plan& plan,
                                     std::int64_t block_rows);

  private:
    void read_predicted(RowRange rows, std::vector<std::int64_t>& codes, Scratch& scratch) const;
    void read_texts(std::vector<std::int64_t>& codes, Scratch& scratch) const;
    void read_numbers(RowRange rows, std::vector<std::int64_t>& codes, Scratch& scratch) const;

    const Plan& plan_;
    ClassRule rule_;
    MemberSource members_;  // of predicted classes
    const pool::Dataset* dataset_ = nullptr;
    std::vector<std::string> names_;  // of predicted classes; may be empty
    std::optional<pool::RowReader> reader_;
    mutable std::mutex mutex_;  // guards texts_
    mutable std::map<std::int64_t, std::string> texts_;
};

}  // namespace sluice::select
