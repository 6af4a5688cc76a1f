#include "select/row_scorer.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "select/score_catalog.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

namespace sluice::select {
namespace {

using kernels::ScoreInput;

constexpr std::int64_t tile_lane_bytes = 16 * sizeof(float);

std::int64_t members_of(const pool::Dataset& dataset, ScoreInput input) {
    const bool is_single = input == ScoreInput::none || input == ScoreInput::probabilities ||
                           input == ScoreInput::logits || input == ScoreInput::features;
    return is_single ? 1 : dataset.row_shape.front();
}

class PoolFeatures : public FeatureTable {
  public:
    explicit PoolFeatures(const pool::Dataset& dataset) : dataset_(dataset), reader_(dataset) {}

    RowId num_rows() const override { return dataset_.num_rows; }
    std::int64_t dim() const override { return dataset_.row_elements(); }
    void read(RowRange rows, std::span<float> out) const override {
        reader_.read(rows, out, scratch());
    }
    void gather(std::span<const RowId> rows, std::span<float> out) const override {
        reader_.gather(rows, out, scratch());
    }
    std::string location(RowId row) const override { return pool::location_text(dataset_, row); }

  private:
    static pool::RowReader::Scratch& scratch() {
        thread_local pool::RowReader::Scratch own;
        return own;
    }

    const pool::Dataset& dataset_;
    pool::RowReader reader_;
};

std::span<std::byte> bytes_of(std::vector<std::uint16_t>& halves) {
    return std::as_writable_bytes(std::span(halves));
}

void spoil_unusable(Weights weights, std::span<float> values) {
    for (float& value : values) {
        const bool is_barred = weights == Weights::not_negative && value < 0.0F;
        if (std::isinf(value) || is_barred) value = std::nanf("");
    }
}

}  // namespace

std::unique_ptr<kernels::Scorer> make_scorer(const Plan& plan, const ScoreSource& source) {
    if (source.score == nullptr || source.score->row_score == nullptr) return nullptr;
    const kernels::ScoreDefinition& definition = *source.score->row_score;
    if (source.input == ScoreInput::features)
        return kernels::make_committee_scorer(plan.backend, plan.network, definition);
    return kernels::make_scorer(plan.backend, definition, plan.seed, plan.round);
}

RowScorer::RowScorer(const pool::Pool& pool, const Plan& plan,
                     std::vector<std::shared_ptr<const FeatureScore>> prepared, MakeScorer make)
    : plan_(plan),
      has_keys_(plan.price == Price::divides_score ||
                plan.randomization.kind == Randomization::Kind::power ||
                plan.randomization.kind == Randomization::Kind::softmax) {
    for (const ScoreRead& read : plan.reads()) {
        const pool::Dataset& dataset = pool.get(read.role, "the score");
        reads_.push_back({&dataset, read.input, pool::RowReader(dataset), false});
    }
    prepared.resize(plan.sources.size());
    for (std::size_t s = 0; s < plan.sources.size(); ++s)
        sources_.push_back(
            {read_of(plan.sources[s].role), make(plan, plan.sources[s]), std::move(prepared[s])});
    for (Read& read : reads_)
        read.keeps_halves = may_keep_halves(read);
    if (plan.score.is_plain() && plan.conditions.empty() && !has_keys_)
        filtering_ = dynamic_cast<const kernels::FilteringScorer*>(sources_.front().scorer.get());
}

// Numbers of 16 bits are widened where they are scored, if whoever reads them can.
bool RowScorer::may_keep_halves(const Read& read) const {
    if (read.dataset->type != pool::ElementType::float16 || read.dataset->big_endian ||
        std::endian::native != std::endian::little)
        return false;
    const std::string& role = read.dataset->role;
    std::size_t num_readers = 0;
    for (const Source& source : sources_) {
        if (source.read >= reads_.size() || reads_[source.read].dataset != read.dataset) continue;
        if (source.scorer == nullptr || !source.scorer->reads_halves()) return false;
        ++num_readers;
    }
    return num_readers > 0 && role != "cost" &&
           std::none_of(plan_.conditions.begin(), plan_.conditions.end(),
                        [&](const RowCondition& condition) { return condition.role == role; });
}

std::size_t RowScorer::read_of(const std::string& role) const {
    std::size_t index = 0;
    while (index < reads_.size() && reads_[index].dataset->role != role)
        ++index;
    return index;
}

std::int64_t RowScorer::row_bytes() const {
    std::int64_t bytes = 0;
    for (const Read& read : reads_)
        bytes += read.dataset->row_bytes();
    return bytes;
}

void RowScorer::prefetch(RowRange rows) const {
    for (const Read& read : reads_)
        read.reader.prefetch(rows);
}

void RowScorer::make_room(RowRange rows, Buffers& buffers) const {
    buffers.values.resize(reads_.size());
    buffers.halves.resize(reads_.size());
    buffers.readers.resize(reads_.size());
    buffers.blocks.clear();
    for (std::size_t i = 0; i < reads_.size(); ++i) {
        const Read& read = reads_[i];
        const auto count = static_cast<std::size_t>(rows.size() * read.dataset->row_elements());
        const std::int64_t members = members_of(*read.dataset, read.input);
        kernels::ScoreBlock block{nullptr, rows, members, read.dataset->row_elements() / members,
                                  read.input};
        if (read.keeps_halves) {
            buffers.halves[i].resize(count);
            block.halves = buffers.halves[i].data();
        } else {
            buffers.values[i].resize(count);
            block.values = buffers.values[i].data();
        }
        buffers.blocks.push_back(block);
    }
}

void RowScorer::read(RowRange rows, Buffers& buffers) const {
    make_room(rows, buffers);
    for (std::size_t i = 0; i < reads_.size(); ++i) {
        const pool::RowReader& reader = reads_[i].reader;
        if (reads_[i].keeps_halves)
            reader.read_bytes(rows, bytes_of(buffers.halves[i]), buffers.readers[i]);
        else
            reader.read(rows, buffers.values[i], buffers.readers[i]);
    }
}

void RowScorer::gather(std::span<const RowId> rows, Buffers& buffers) const {
    make_room({0, std::ssize(rows)}, buffers);
    for (std::size_t i = 0; i < reads_.size(); ++i) {
        const pool::RowReader& reader = reads_[i].reader;
        if (reads_[i].keeps_halves)
            reader.gather_bytes(rows, bytes_of(buffers.halves[i]), buffers.readers[i]);
        else
            reader.gather(rows, buffers.values[i], buffers.readers[i]);
    }
}

void RowScorer::compute(const Source& source, RowRange rows, const Buffers& buffers,
                        std::span<float> out) const {
    const kernels::ScoreBlock block = source.read < reads_.size()
                                          ? buffers.blocks[source.read]
                                          : kernels::ScoreBlock{nullptr, rows, 1, 0};
    if (source.scorer) {
        source.scorer->score(block, out);
    } else if (source.feature_score) {
        source.feature_score->score({block.values, rows.size(), block.classes}, rows.begin, out);
    } else {
        std::copy_n(block.values, out.size(), out.data());
        spoil_unusable(plan_.weights, out);
    }
}

void RowScorer::score(RowRange rows, Buffers& buffers) const {
    const auto count = static_cast<std::size_t>(rows.size());
    buffers.scores.resize(count);
    if (plan_.score.is_plain()) {
        compute(sources_.front(), rows, buffers, buffers.scores);
    } else {
        buffers.sources.resize(sources_.size());
        std::vector<const float*> values;
        for (std::size_t s = 0; s < sources_.size(); ++s) {
            buffers.sources[s].resize(count);
            compute(sources_[s], rows, buffers, buffers.sources[s]);
            values.push_back(buffers.sources[s].data());
        }
        combine_scores(plan_.score, values, buffers.scores);
    }
    if (!plan_.conditions.empty()) test_conditions(rows, buffers);
    if (!has_keys_) return;
    buffers.keys = buffers.scores;
    if (plan_.price == Price::divides_score) divide_by_cost(rows, buffers);
    if (plan_.randomization.kind != Randomization::Kind::none &&
        plan_.randomization.kind != Randomization::Kind::softrank) {
        perturb_scores(plan_.randomization, plan_.seed, plan_.round, rows.begin, buffers.keys);
    }
}

void RowScorer::score_passing(RowRange rows, const kernels::RowFilter& filter, Buffers& buffers,
                              std::vector<Candidate>& passed) const {
    const std::size_t before = passed.size();
    filtering_->score_passing(buffers.blocks[sources_.front().read], filter, passed);
    buffers.scores.resize(static_cast<std::size_t>(rows.size()));
    for (std::size_t i = before; i < passed.size(); ++i)
        buffers.scores[static_cast<std::size_t>(passed[i].row - rows.begin)] = passed[i].score;
}

// A number that is not finite meets no condition and fails none: such a row is bad.
void RowScorer::test_conditions(RowRange rows, Buffers& buffers) const {
    const auto count = static_cast<std::size_t>(rows.size());
    buffers.is_wanted.assign(count, 1);
    for (const RowCondition& condition : plan_.conditions) {
        const float* numbers = buffers.blocks[read_of(condition.role)].values;
        for (std::size_t i = 0; i < count; ++i) {
            if (!std::isfinite(numbers[i])) buffers.scores[i] = std::nanf("");
            if (!condition.holds(numbers[i])) buffers.is_wanted[i] = 0;
        }
    }
}

void RowScorer::divide_by_cost(RowRange rows, Buffers& buffers) const {
    const float* costs = buffers.blocks[read_of("cost")].values;
    for (std::size_t i = 0; i < static_cast<std::size_t>(rows.size()); ++i) {
        const bool is_payable = costs[i] > 0.0F && std::isfinite(costs[i]);
        float& key = buffers.keys[i];
        key = key >= 0.0F && is_payable
                  ? std::min(key / costs[i], std::numeric_limits<float>::max())
                  : std::nanf("");
    }
}

kernels::ScoreBlock RowScorer::features(RowRange rows, const Buffers& buffers) const {
    for (const kernels::ScoreBlock& block : buffers.blocks)
        if (block.input == ScoreInput::features && block.values != nullptr) return block;
    return {nullptr, rows, 1, 0, ScoreInput::none};
}

std::string RowScorer::what_is_wrong(const Buffers& buffers, RowId row) const {
    for (const RowCondition& condition : plan_.conditions) {
        const std::size_t read = read_of(condition.role);
        const float number = buffers.blocks[read].values[row - buffers.blocks[read].rows.begin];
        if (std::isfinite(number)) continue;
        return pool::location_text(*reads_[read].dataset, row) + ": holds " + number_text(number) +
               " (--where compares finite numbers)";
    }
    if (plan_.score.is_plain()) {
        const auto index =
            static_cast<std::size_t>(reads_.empty() ? 0 : row - buffers.blocks.front().rows.begin);
        if (std::isnan(buffers.scores[index])) return wrong_source(0, buffers, row);
    } else {
        const auto index = static_cast<std::size_t>(row - buffers.blocks.front().rows.begin);
        for (std::size_t s = 0; s < sources_.size(); ++s)
            if (std::isnan(buffers.sources[s][index])) return wrong_source(s, buffers, row);
        if (std::isnan(buffers.scores[index])) return wrong_power(buffers, row);
    }
    return wrong_key(buffers, row);
}

std::string RowScorer::wrong_source(std::size_t source, const Buffers& buffers, RowId row) const {
    const Source& wrong = sources_[source];
    const Read& read = reads_[wrong.read];
    const kernels::ScoreBlock& block = buffers.blocks[wrong.read];
    const std::string where = pool::location_text(*read.dataset, row) + ": ";
    if (wrong.scorer) return where + kernels::describe_bad_row(block, row);
    const auto width = static_cast<std::size_t>(block.classes);
    const float* values = block.values + (row - block.rows.begin) * block.classes;
    if (wrong.feature_score) return where + describe_unusable({values, width});
    return where + "holds " + number_text(*values) +
           (std::isfinite(*values) ? " (a weight must be >= 0)" : " (must be finite)");
}

std::string RowScorer::wrong_power(const Buffers& buffers, RowId row) const {
    const auto index = static_cast<std::size_t>(row - buffers.blocks.front().rows.begin);
    for (const ScoreTerm& term : plan_.score.terms) {
        for (const ScoreFactor& factor : term.factors) {
            const auto value = static_cast<double>(buffers.sources[factor.source][index]);
            if (!std::isnan(power_of(value, factor.strength))) continue;
            const Source& source = sources_[factor.source];
            const pool::Dataset& dataset =
                *reads_[source.read < reads_.size() ? source.read : 0].dataset;
            return pool::location_text(dataset, row) + ": " + plan_.score.sources[factor.source] +
                   " is " + number_text(static_cast<float>(value)) +
                   (value == 0.0 ? ", which cannot divide"
                                 : ", which has no power of " + number_text(factor.strength));
        }
    }
    return pool::location_text(*reads_.front().dataset, row) +
           ": the score's terms are too large for float32";
}

std::string RowScorer::wrong_key(const Buffers& buffers, RowId row) const {
    const auto index = static_cast<std::size_t>(row - buffers.blocks.front().rows.begin);
    const float score = buffers.scores[index];
    const std::string where = pool::location_text(*reads_.front().dataset, row) + ": ";
    if (score < 0.0F)
        return where + "the score is " + number_text(score) +
               (plan_.price == Price::divides_score
                    ? ", and --per-cost cannot divide scores below 0"
                    : ", and --randomize power has no logarithm of scores below 0; softmax or "
                      "softrank take any");
    const std::size_t cost = read_of("cost");
    return pool::location_text(*reads_[cost].dataset, row) + ": a cost of " +
           number_text(buffers.blocks[cost].values[index]) +
           " cannot divide a score; costs must be finite and > 0";
}

std::int64_t RowScorer::buffer_bytes(const pool::Pool& pool, const Plan& plan,
                                     std::int64_t block_rows) {
    const auto real = static_cast<std::int64_t>(sizeof(float));
    std::int64_t bytes = block_rows * real;
    if (!plan.conditions.empty()) bytes += block_rows;
    if (!plan.score.is_plain()) bytes += std::ssize(plan.sources) * block_rows * real;
    for (const ScoreRead& read : plan.reads()) {
        const pool::Dataset& dataset = pool.get(read.role, "the score");
        bytes += block_rows * dataset.row_elements() * real;
        bytes += pool::RowReader(dataset).scratch_bytes(block_rows);
        // The kernel turns a row of lanes (16 pool rows) and its sums over in a tile.
        const std::int64_t members = dataset.row_shape.empty() ? 1 : dataset.row_shape.front();
        bytes += (dataset.row_elements() + 2 * members) * tile_lane_bytes;
    }
    return bytes;
}

std::vector<std::shared_ptr<const FeatureScore>> prepare_scores(const pool::Pool& pool,
                                                                const Plan& plan,
                                                                const TakenRows& taken,
                                                                comm::Communicator& world) {
    std::vector<std::shared_ptr<const FeatureScore>> prepared(plan.sources.size());
    for (std::size_t s = 0; s < plan.sources.size(); ++s) {
        const CatalogScore* score = plan.sources[s].score;
        if (plan.sources[s].name == similarity_name)
            prepared[s] = make_similarity(*plan.similar, plan.metric);
        if (score == nullptr || score->feature_score == nullptr) continue;
        const PoolFeatures features(pool.get("features", "score '" + score->name + "'"));
        prepared[s] = score->feature_score->prepare(
            {features, taken.centers, plan.seed, plan.num_threads, world, plan.backend,
             plan.sources[s].losses, plan.round, plan.batch_size});
    }
    return prepared;
}

}  // namespace sluice::select
