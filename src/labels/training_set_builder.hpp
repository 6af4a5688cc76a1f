#pragma once

#include "core/types.hpp"
#include "labels/label_source.hpp"
#include "labels/repeated_labels.hpp"
#include "model/training_set.hpp"
#include "pool/pool.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace sluice::labels {

/// What is known of labeled items beside what training reads of them.
struct LabeledItems {
    std::vector<std::int64_t> rounds;  ///< [L], 0 where the labels name none
    std::vector<std::string> ids;      ///< [L], the row where the labels name none
    std::vector<double> y;             ///< [L, T] targets as stored; regression only
    std::vector<double> inputs;        ///< [L, P]
    std::int64_t num_inputs = 0;       ///< P; 0 = some labels' inputs are not known
    std::vector<std::string> input_names;
    std::vector<std::string> input_units;
};

/// Puts the labels of several files together, as labels::read_training_set says. Local.
class TrainingSetBuilder {
  public:
    enum class Extent {
        training,  ///< what training reads
        items,     ///< ids and inputs too
    };

    /// `pool` may be null; `num_classes` 0 = as many as are seen.
    TrainingSetBuilder(const pool::Pool* pool, std::int64_t num_classes, Extent extent);

    /// Reads all sources, once; warns of rows that have another label already, which counts. Throws
    /// Error(no_input|bad_data).
    void read(const std::vector<LabelSource>& sources);

    model::TrainingSet& set() { return set_; }
    LabeledItems& items() { return items_; }

  private:
    void add(const std::string& file, const LabelSource& source);
    void finish();
    void learn_task(const pool::Dataset& y, const std::string& file);
    void read_labels(const pool::Dataset& y);
    std::span<const double> numbers_at(std::size_t label) const;
    bool is_missing(std::size_t label) const;
    void take_label(const pool::Dataset& y, std::size_t label);
    void take_class(const pool::Dataset& y, std::size_t label);
    void note_repeated(std::size_t entry, std::size_t label, const std::string& file);
    void count_classes();
    std::vector<RowId> rows_in_pool(const pool::Pool& labels,
                                    const std::vector<RowId>& chosen) const;
    void add_features(const pool::Pool& labels, const std::vector<RowId>& chosen);
    void add_items(const pool::Pool& labels, const std::vector<RowId>& chosen);
    void add_ids(const pool::Pool& labels, const std::vector<RowId>& chosen);
    void add_inputs(const pool::Pool& labels, const std::vector<RowId>& chosen);

    const pool::Pool* pool_;
    std::int64_t known_classes_;
    std::int64_t last_class_;
    Extent extent_;
    model::TrainingSet set_;
    LabeledItems items_;
    bool inputs_known_ = true;
    std::string first_file_;
    std::vector<std::int64_t> classes_;            ///< of the file being read
    std::vector<double> numbers_;                  ///< likewise
    std::unordered_map<RowId, std::size_t> seen_;  ///< row -> its entry
    RepeatedLabels repeated_;
};

}  // namespace sluice::labels
