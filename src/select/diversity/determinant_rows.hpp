#pragma once

#include "select/diversity/falling_variances.hpp"
#include "select/diversity/greedy_rounds.hpp"
#include "select/diversity/row_greedy.hpp"

#include <cstdint>
#include <memory>
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

    /// Features and looks have to stay. `device`: as in FallingVariances.
    DeterminantRows(kernels::MatrixView features, std::vector<Row> rows, const Model& model,
                    std::unique_ptr<kernels::DeviceVariances> device = nullptr);

    std::int64_t size() const { return std::ssize(ids_); }
    const float* features(std::int64_t local) const { return features_.row(local); }
    Row row(std::int64_t local) const;
    bool is_taken(std::int64_t local) const { return taken_[static_cast<std::size_t>(local)] != 0; }
    void take_out(std::int64_t local) { taken_[static_cast<std::size_t>(local)] = 1; }
    FallingVariances& variances() { return variances_; }

    /// What a row brings if its variance is this.
    Gain gain_of(std::int64_t local, double variance) const;

    /// What a row brings at most.
    Gain bound(std::int64_t local) const { return gain_of(local, variances_.bound(local)); }

    /// Free rows whose bounds are tight and not below the bar; all others are below it.
    struct Best {
        Gain bar;
        std::vector<std::int64_t> locals;  ///< ascending
        std::int64_t num_tightened = 0;
    };

    /// Tightens bounds in falling order until on no rank one that is not tight is above a bar,
    /// which at most `count` rows of a rank are not below and which is at least the floor.
    /// \collective
    Best tighten_best(std::int64_t count, const Gain& floor, comm::Communicator& world);

  private:
    struct Bounds {
        std::vector<BoundOfRow> tight;
        std::vector<BoundOfRow> loose;
    };
    Bounds bounds_from(const Gain& floor) const;
    Gain gain_of(const BoundOfRow& one) const {
        return {one.gain, ids_[static_cast<std::size_t>(one.local)]};
    }
    Gain keep_best(std::vector<BoundOfRow>& rows, std::int64_t count) const;
    void tighten(std::span<const std::int64_t> locals, const Gain& bar);

    kernels::MatrixView features_;
    std::vector<RowId> ids_;
    std::vector<double> qualities_;
    std::vector<std::uint8_t> taken_;
    Model model_;
    FallingVariances variances_;
};

}  // namespace sluice::select
