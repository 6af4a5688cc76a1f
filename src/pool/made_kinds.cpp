#include "pool/made_kinds.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "pool/made_inputs.hpp"
#include "pool/made_math.hpp"
#include "pool/made_random.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::pool {
namespace {

// Tables of a pool's fixed structure (normal_table, uniform_table).
enum Table : std::uint32_t {
    center_table = 1,
    width_table,
    wave_u_table,
    wave_v_table,
    phase_table
};

constexpr std::int64_t default_blobs = 10;
constexpr std::int64_t num_clusters = 256;
constexpr std::int64_t num_directions = 64;

// Centres drawn so that two of them lie `distance` standard deviations apart on average, however
// many dimensions there are.
std::vector<float> spread_centers(const MadeShape& shape, std::int64_t count, float distance) {
    std::vector<float> centers = normal_table(shape.seed, center_table, count * shape.dim);
    const float scale = distance / std::sqrt(2.0F * static_cast<float>(shape.dim));
    for (float& value : centers)
        value *= scale;
    return centers;
}

std::span<const float> row_of(const std::vector<float>& table, std::int64_t row, std::int64_t dim) {
    return std::span(table).subspan(static_cast<std::size_t>(row * dim),
                                    static_cast<std::size_t>(dim));
}

class Gaussian : public FeatureMaker {
  public:
    explicit Gaussian(const MadeShape& shape) : shape_(shape) {}

    void fill(RowRange rows, std::span<float> out) const override {
        fill_normal_rows(shape_.seed, rows, shape_.dim, out);
    }

  private:
    MadeShape shape_;
};

// Row r belongs to blob r mod num_blobs, which makes their sizes equal for any number of rows.
class Blobs : public FeatureMaker {
  public:
    explicit Blobs(const MadeShape& shape)
        : shape_(shape),
          num_blobs_(shape.classes > 0 ? shape.classes : default_blobs),
          centers_(spread_centers(shape, num_blobs_, 6.0F)) {}

    void fill(RowRange rows, std::span<float> out) const override {
        fill_normal_rows(shape_.seed, rows, shape_.dim, out);
        float* values = out.data();
        for (RowId row = rows.begin; row < rows.end; ++row, values += shape_.dim) {
            const std::span<const float> center = row_of(centers_, row % num_blobs_, shape_.dim);
            for (std::size_t d = 0; d < center.size(); ++d)
                values[d] += center[d];
        }
    }

    std::span<const float> centers() const override { return centers_; }

  private:
    MadeShape shape_;
    std::int64_t num_blobs_;
    std::vector<float> centers_;
};

// Cluster k holds a share proportional to 1 / (k + 1) of the rows and has a width of its own.
class Clusters : public FeatureMaker {
  public:
    explicit Clusters(const MadeShape& shape)
        : shape_(shape),
          centers_(spread_centers(shape, num_clusters, 8.0F)),
          widths_(uniform_table(shape.seed, width_table, num_clusters)) {
        double total = 0.0;
        for (std::int64_t k = 0; k < num_clusters; ++k) {
            total += 1.0 / static_cast<double>(k + 1);
            cumulative_.push_back(total);
        }
        for (double& share : cumulative_)
            share /= total;
        for (float& width : widths_)
            width = 0.25F + 0.75F * width;
    }

    void fill(RowRange rows, std::span<float> out) const override {
        fill_normal_rows(shape_.seed, rows, shape_.dim, out);
        float* values = out.data();
        for (RowId row = rows.begin; row < rows.end; ++row, values += shape_.dim) {
            const std::int64_t cluster = cluster_of(row);
            const std::span<const float> center = row_of(centers_, cluster, shape_.dim);
            const float width = widths_[static_cast<std::size_t>(cluster)];
            for (std::size_t d = 0; d < center.size(); ++d) {
                values[d] = center[d] + width * values[d];
            }
        }
    }

    std::span<const float> centers() const override { return centers_; }

  private:
    std::int64_t cluster_of(RowId row) const {
        const Philox4 words = latent_words(shape_.seed, row);
        const double share = (static_cast<double>(words.word[0]) + 0.5) * 0x1p-32;
        const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end() - 1, share);
        return found - cumulative_.begin();
    }

    MadeShape shape_;
    std::vector<float> centers_;
    std::vector<float> widths_;
    std::vector<double> cumulative_;
};

// A sheet (u, v) in [0, 1)^2, bent smoothly into all dimensions: each is a slow wave over it.
class Manifold : public FeatureMaker {
  public:
    explicit Manifold(const MadeShape& shape)
        : shape_(shape),
          wave_u_(normal_table(shape.seed, wave_u_table, shape.dim)),
          wave_v_(normal_table(shape.seed, wave_v_table, shape.dim)),
          phase_(uniform_table(shape.seed, phase_table, shape.dim)) {}

    void fill(RowRange rows, std::span<float> out) const override {
        fill_normal_rows(shape_.seed, rows, shape_.dim, out);
        float* values = out.data();
        for (RowId row = rows.begin; row < rows.end; ++row, values += shape_.dim) {
            const Philox4 words = latent_words(shape_.seed, row);
            bend(unit_float(words.word[0]), unit_float(words.word[1]), values);
        }
    }

  private:
    // Turns one row of noise into a point of the sheet with that noise on it.
    void bend(float u, float v, float* values) const {
        constexpr float turns = 0.6F;   // of a wave over the sheet: about one bend
        constexpr float noise = 0.01F;  // of the sheet's unit variance
        constexpr float height = 1.41421356F;
        for (std::size_t d = 0; d < phase_.size(); ++d) {
            const float angle = turns * (wave_u_[d] * u + wave_v_[d] * v) + phase_[d];
            values[d] = height * made_sine_cosine(angle).cosine + noise * values[d];
        }
    }

    MadeShape shape_;
    std::vector<float> wave_u_;
    std::vector<float> wave_v_;
    std::vector<float> phase_;
};

// Unit vectors around `num_directions` directions, with a spread of about 30 degrees.
class Sphere : public FeatureMaker {
  public:
    explicit Sphere(const MadeShape& shape)
        : shape_(shape),
          centers_(normal_table(shape.seed, center_table, num_directions * shape.dim)) {
        for (std::int64_t k = 0; k < num_directions; ++k) {
            normalize(std::span(centers_).subspan(static_cast<std::size_t>(k * shape.dim),
                                                  static_cast<std::size_t>(shape.dim)));
        }
    }

    void fill(RowRange rows, std::span<float> out) const override {
        fill_normal_rows(shape_.seed, rows, shape_.dim, out);
        const float spread = 0.58F / std::sqrt(static_cast<float>(shape_.dim));
        const auto dim = static_cast<std::size_t>(shape_.dim);
        for (RowId row = rows.begin; row < rows.end; ++row) {
            const std::int64_t direction = latent_words(shape_.seed, row).word[0] % num_directions;
            const std::span<const float> center = row_of(centers_, direction, shape_.dim);
            const auto values = out.subspan(static_cast<std::size_t>(row - rows.begin) * dim, dim);
            for (std::size_t d = 0; d < dim; ++d)
                values[d] = center[d] + spread * values[d];
            normalize(values);
        }
    }

    std::span<const float> centers() const override { return centers_; }

  private:
    static void normalize(std::span<float> values) {
        double squares = 0.0;
        for (const float value : values)
            squares += double{value} * double{value};
        const double scale = 1.0 / std::sqrt(squares);
        for (float& value : values)
            value = static_cast<float>(value * scale);
    }

    MadeShape shape_;
    std::vector<float> centers_;
};

template <typename Maker>
std::unique_ptr<FeatureMaker> make(const MadeShape& shape) {
    return std::make_unique<Maker>(shape);
}

}  // namespace

const std::vector<MadeKind>& made_kinds() {
    static const std::vector<MadeKind> kinds = {
        {"gaussian", "independent standard normals: no structure at all", make<Gaussian>},
        {"blobs", "--classes round groups of equal size, 6 standard deviations apart", make<Blobs>},
        {"clusters", "256 groups of skewed sizes (the k-th holds 1/k of the first)",
         make<Clusters>},
        {"manifold", "a 2-D sheet bent smoothly into --dim dimensions, with a little noise",
         make<Manifold>},
        {"sphere", "unit vectors around 64 directions, as embeddings compared by the cosine",
         make<Sphere>},
        {"water-dimer",
         "inputs: two water molecules, for an energy code; features: 9 sorted inverse distances",
         make_water_dimer, water_dimer_features},
        {"lj-cluster",
         "inputs: seven argon atoms, for a Lennard-Jones energy; features: 21 sorted inverse "
         "distances",
         make_lj_cluster, lj_cluster_features},
        {"amplifier",
         "inputs: sizes of a transistor amplifier, for a circuit simulator; features: 5, scaled",
         make_amplifier, amplifier_features},
    };
    return kinds;
}

const MadeKind& made_kind(const std::string& name) {
    std::vector<std::string> names;
    for (const MadeKind& kind : made_kinds()) {
        if (kind.name == name) return kind;
        names.push_back(kind.name);
    }
    std::string list;
    for (const std::string& known : names)
        list += (list.empty() ? "" : ", ") + known;
    const std::string nearest = nearest_name(name, names);
    throw Error(ExitCode::usage, "pool make: no kind of made pool '" + printable(name) + "'; " +
                                     (nearest.empty() ? "" : "did you mean '" + nearest + "'? ") +
                                     "kinds: " + list);
}

}  // namespace sluice::pool
