#pragma once

#include "select/diversity/falling_variances.hpp"
#include "select/diversity/greedy_rounds.hpp"
#include "select/diversity/row_greedy.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// Rows to pick from by their gains sigma^2 + q^2 x' M x for qualities q; as many looks come off as
/// a bound needs.
class DeterminantRows {
  public:
    /// A row besides its features.
    struct Row {
        RowId row = 0;
        double quality = 0.0;
        FallingVariances::State state;
    };

    /// How gains come from variances.
    struct Model {
        const Looks& looks;
        double squared_sigma = 0.0;
        int num_threads = 1;
    };

    /// Features and looks have to stay.
    DeterminantRows(kernels::MatrixView features, std::vector<Row> rows, const Model& model);

    std::int64_t size() const { return std::ssize(ids_); }
    const float* features(std::int64_t local) const { return features_.row(local); }
    Row row(std::int64_t local) const;
    bool is_taken(std::int64_t local) const { return taken_[static_cast<std::size_t>(local)] != 0; }
    void take_out(std::int64_t local) { taken_[static_cast<std::size_t>(local)] = 1; }
    FallingVariances& variances() { return variances_; }

    /// What a row brings if its variance is this.
    Gain gain_of(std::int64_t local, double variance) const;

    /// What a row brings at most.
    Gain bound(std::int64_t local) const { return gain_of(local, variances_.state(local).bound); }

    /// Tightens bounds in falling order until on no rank one that is not tight is above a bar,
    /// which at most `count` tight ones of a rank are not below and which is at least the floor.
    /// Adds the rows to num_tightened and returns the bar. \collective
    Gain tighten_best(std::int64_t count, const Gain& floor, comm::Communicator& world,
                      std::int64_t& num_tightened);

    /// Free rows whose bounds are not below the bar, ascending.
    std::vector<std::int64_t> rows_from(const Gain& bar) const;

  private:
    void tighten(std::span<const std::int64_t> locals, const Gain& bar);
    template <typename Wanted>
    std::vector<BoundOfRow> free_rows(const Wanted& wanted) const;

    kernels::MatrixView features_;
    std::vector<RowId> ids_;
    std::vector<double> qualities_;
    std::vector<std::uint8_t> taken_;
    Model model_;
    FallingVariances variances_;
};

}  // namespace sluice::select
