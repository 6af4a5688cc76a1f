#include "campaign/synthesize.hpp"

#include "campaign/append_rows.hpp"
#include "campaign/output_paths.hpp"
#include "campaign/snap.hpp"
#include "campaign/synthesis_box.hpp"
#include "campaign/synthetic_pool.hpp"
#include "comm/cores.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/phase.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "model/model_file.hpp"
#include "pool/row_reader.hpp"
#include "select/apart.hpp"
#include "select/climb.hpp"
#include "select/feature_rows.hpp"
#include "select/network_scorer.hpp"
#include "select/score_expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>
#include <tuple>

namespace sluice::campaign {
namespace {

void print_result(const std::string& text) {
    const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
    require(written && std::fflush(stdout) == 0, ExitCode::io_error,
            "stdout: cannot write the report (closed pipe or full disk); the results on disk are "
            "complete");
}

// The lower median and the highest; of at least one number.
std::pair<float, float> median_and_highest(std::vector<float> values) {
    std::sort(values.begin(), values.end());
    return {values[(values.size() - 1) / 2], values.back()};
}

std::vector<float> finite_ones(const std::vector<float>& values) {
    std::vector<float> finite;
    std::copy_if(values.begin(), values.end(), std::back_inserter(finite),
                 [](float value) { return std::isfinite(value); });
    return finite;
}

// One synthesis, step by step.
class Synthesis {
  public:
    Synthesis(const SynthesisRequest& request, comm::Communicator& world)
        : request_(request), world_(world) {}

    SynthesisResult run() {
        enter_phase("read model");
        world_.agree([&] {
            if (world_.is_root()) {
                require_writable(request_.out_path);
                require_writable(request_.json_path);
            }
            read_model();
        });
        enter_phase("read ranges");
        box_.emplace(read_synthesis_box(request_, world_));
        world_.agree([&] { check_box(); });
        if (appends()) read_pool_before();
        enter_phase("climb");
        climb();
        enter_phase("write");
        world_.agree([&] { write_pool(); });
        if (has_batch()) result_.batch = select_round(batch_request(), world_);
        world_.agree([&] {
            if (world_.is_root() && !request_.json_path.empty())
                publish_text_file(request_.json_path, synthesis_json(request_, result_));
        });
        enter_phase("done");
        return result_;
    }

  private:
    const select::PlanRequest& plan() const { return request_.select.plan; }
    bool appends() const { return request_.rows == SynthesisRequest::Rows::behind_pool; }
    bool has_batch() const {
        return !request_.select.queue_directory.empty() || !request_.select.selected_path.empty();
    }

    void read_model() {
        const select::ScoreExpression score = select::parse_score(plan().score);
        committee_ = std::make_shared<const model::Committee>(model::read_model(plan().model_path));
        result_.model_hash = model::model_hash(*committee_);
        const kernels::Backend backend =
            kernels::choose_backend(plan().device, world_.local_rank());
        const auto network = model::run_network(*committee_, backend, plan().model_path);
        scorer_ = select::make_network_scorer(score, network, backend);
        source_.score = score.text;
        source_.model_hash = result_.model_hash;
        source_.seed = plan().seed;
        source_.round = plan().round;
        if (appends()) source_.layout = SynthesisLayout::behind_pool;
    }

    void check_box() {
        const std::int64_t dim = committee_->dim;
        result_.dim = dim;
        source_.box = &*box_;
        require(box_->dim() == dim, ExitCode::bad_data,
                fmt::format("{}: declares {} input(s), but {} reads {} feature(s), each of which "
                            "needs a range; where features are not inputs give --snap-to POOL",
                            ranges_name(request_), box_->dim(), plan().model_path, dim));
        const double bytes = static_cast<double>(request_.num_starts) * static_cast<double>(dim) *
                             (4 * sizeof(float) + 3 * sizeof(double));
        require(bytes <= plan().memory_gib * 0x1p30, ExitCode::usage,
                fmt::format("--memory: {} starts of {} inputs take {}; raise --memory or lower "
                            "--starts",
                            count_text(request_.num_starts), dim, bytes_text(bytes)));
    }

    void climb() {
        select::ClimbPlan climbing;
        climbing.scorer = scorer_.get();
        climbing.box = &*box_;
        climbing.num_starts = request_.num_starts;
        climbing.seed = plan().seed;
        climbing.round = plan().round;
        climbing.most_steps = request_.most_steps;
        climbing.num_threads =
            plan().num_threads > 0 ? plan().num_threads : comm::cores_of_this_rank(world_);
        const auto started = std::chrono::steady_clock::now();
        climbs_ = select::climb(climbing, world_);
        result_.seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
        world_.agree([&] { tell_climbs(); });
    }

    void tell_climbs() {
        const std::vector<float> ends = finite_ones(climbs_.end_scores);
        const std::vector<float> starts = finite_ones(climbs_.start_scores);
        require(
            !ends.empty() && !starts.empty(), ExitCode::bad_data,
            fmt::format("{}: says nothing finite at any of {} starts; check the ranges in {}",
                        plan().model_path, count_text(request_.num_starts), ranges_name(request_)));
        result_.num_ends = std::ssize(ends);
        std::tie(result_.start_median, result_.start_highest) = median_and_highest(starts);
        std::tie(result_.end_median, result_.end_highest) = median_and_highest(ends);
        std::vector<std::int32_t> steps = climbs_.steps;
        std::sort(steps.begin(), steps.end());
        result_.median_steps = steps[(steps.size() - 1) / 2];
        result_.num_capped = std::count_if(steps.begin(), steps.end(), [&](std::int32_t count) {
            return count >= request_.most_steps;
        });
        starts_ = select::ends_apart(climbs_, *box_, static_cast<float>(request_.apart));
        result_.num_rows = std::ssize(starts_);
        for (std::size_t start = 0; start < climbs_.end_scores.size(); ++start)
            result_.num_on_faces += touches_box(start) ? 1 : 0;
    }

    bool touches_box(std::size_t start) const {
        if (!std::isfinite(climbs_.end_scores[start])) return false;
        const std::size_t dim = box_->low().size();
        for (std::size_t i = 0; i < dim; ++i) {
            const float at = climbs_.ends[start * dim + i];
            if (at == box_->low()[i] || at == box_->high()[i]) return true;
        }
        return false;
    }

    void write_pool() {
        const std::vector<std::byte> image = synthetic_pool_image(source_, climbs_, starts_);
        Sha256 hash;
        hash.update(image);
        proposals_hash_ = hash.hex_digest();
        if (!world_.is_root()) return;
        publish_new_file(request_.out_path, image);
        if (request_.select.output == SelectRequest::Output::print)
            print_result(synthesis_text(request_, result_));
    }

    // A batch of the ends, or of the rows they snap to.
    SelectRequest batch_request() const {
        SelectRequest batch = request_.select;
        if (request_.rows == SynthesisRequest::Rows::own_pool) {
            batch.pool.files = {request_.out_path};
            return batch;
        }
        batch.origin = proposals_hash_;
        if (appends()) batch.pool.files.push_back(request_.out_path);
        if (goes_on_) batch.new_pool = SelectRequest::NewPool::accept;
        batch.choose = [this](const pool::Pool& pool, const select::Plan& plan,
                              const select::TakenRows& taken, comm::Communicator& world) {
            if (appends())
                return choose_in_last_file(request_.out_path, pool, wanted(), taken, world);
            const select::FeatureRows proposals = choose_proposals(world);
            return snap_to_rows(proposals.view(), pool, plan, taken, world);
        };
        return batch;
    }

    select::PlanRequest wanted() const {
        select::PlanRequest wanted = plan();
        wanted.committee = committee_;
        return wanted;
    }

    // The pool that the ends stand behind, before they do.
    void read_pool_before() {
        const pool::Pool pool = pool::open_pool(request_.select.pool, world_);
        world_.agree([&] { require_appendable(pool, committee_->dim); });
        goes_on_ = is_pool_of_queue(pool, request_.select.queue_directory, world_);
    }

    // The proposals' features, in the order in which they were chosen.
    select::FeatureRows choose_proposals(comm::Communicator& world) const {
        const pool::Pool ends = pool::open_pool({{request_.out_path}}, world);
        const select::Plan plan = select::make_plan(ends, wanted(), {}, world);
        const select::Selection chosen = select::select_two_stage(ends, plan, {}, world);
        select::FeatureRows proposals;
        world.agree([&] { proposals = read_in_order(ends, plan, chosen); });
        return proposals;
    }

    static select::FeatureRows read_in_order(const pool::Pool& ends, const select::Plan& plan,
                                             const select::Selection& chosen) {
        std::vector<RowId> rows;
        for (const select::Selected& selected : chosen.rows)
            rows.push_back(selected.row);
        std::vector<RowId> ascending = rows;
        std::sort(ascending.begin(), ascending.end());
        const pool::Dataset& features = ends.get("features", "--snap-to");
        const pool::RowReader reader(features);
        const select::FeatureRows read =
            select::read_features(features, reader, plan, std::move(ascending));
        select::FeatureRows result{rows, {}, read.dim, 0};
        for (const RowId row : rows) {
            const auto at = std::lower_bound(read.rows.begin(), read.rows.end(), row);
            const auto begin = read.values.begin() + (at - read.rows.begin()) * read.dim;
            result.values.insert(result.values.end(), begin, begin + read.dim);
        }
        return result;
    }

    const SynthesisRequest& request_;
    comm::Communicator& world_;
    SynthesisResult result_;
    std::shared_ptr<const model::Committee> committee_;
    std::unique_ptr<kernels::Scorer> scorer_;
    std::optional<select::InputBox> box_;
    SynthesisSource source_;
    select::Climbs climbs_;
    std::vector<std::int64_t> starts_;  // whose ends are the rows of the file
    std::string proposals_hash_;
    bool goes_on_ = false;  // with a queue whose batches came from the pool before
};

}  // namespace

SynthesisResult synthesize(const SynthesisRequest& request, comm::Communicator& world) {
    return Synthesis(request, world).run();
}

}  // namespace sluice::campaign
