#include "campaign/select_round.hpp"

#include "campaign/batch_id.hpp"
#include "campaign/batch_items.hpp"
#include "campaign/excluded_rows.hpp"
#include "campaign/map_file.hpp"
#include "campaign/output_paths.hpp"
#include "campaign/pool_predictions.hpp"
#include "campaign/select_notes.hpp"
#include "campaign/select_report.hpp"
#include "campaign/similar_rows.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/path_status.hpp"
#include "core/phase.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "labels/labeled_rows.hpp"
#include "model/model_file.hpp"
#include "queue/publish.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <memory>
#include <optional>

namespace sluice::campaign {
namespace {

constexpr std::int64_t usual_num_tickets = 100;

// What rank 0 found in the queue before selecting.
struct QueueState {
    std::int64_t num_batches = 0;
    std::vector<RowId> issued;
    bool published = false;  // the batch asked for is already there
};

// Results go to stdout; a reader that has gone away is an output error, not our bug.
void print_result(const std::string& text) {
    const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
    require(written && std::fflush(stdout) == 0, ExitCode::io_error,
            "stdout: cannot write the report (closed pipe or full disk); the results on disk are "
            "complete");
}

// Both ascending, without repeats; so is the result.
std::vector<RowId> united(const std::vector<RowId>& some, const std::vector<RowId>& others) {
    std::vector<RowId> all;
    std::set_union(some.begin(), some.end(), others.begin(), others.end(), std::back_inserter(all));
    return all;
}

// Publication syncs every ticket's file, so there are not many more than a hundred by default.
std::int64_t items_of_ticket(const SelectRequest& request) {
    if (request.ticket_items > 0) return request.ticket_items;
    return (request.plan.batch_size + usual_num_tickets - 1) / usual_num_tickets;
}

// One selection, step by step; rank 0 alone touches the queue.
class Round {
  public:
    Round(const SelectRequest& request, comm::Communicator& world)
        : request_(request), world_(world), started_(std::chrono::steady_clock::now()) {}

    SelectResult run() {
        check_request();
        enter_phase("open pool");
        pool_ = pool::open_pool(request_.pool, world_);
        fingerprint_ = pool::fingerprint(pool_, world_);
        read_predictions();
        size_batch();
        enter_phase("read labels");
        taken_.centers = labels::read_labeled_rows(request_.labels, pool_.num_rows, world_);
        taken_.centers =
            united(taken_.centers, read_named_rows(request_.center_path, pool_, world_));
        num_labeled_ = std::ssize(taken_.centers);
        taken_.held_out =
            united(labels::read_labeled_rows(request_.held_out_labels, pool_.num_rows, world_),
                   request_.held_out);
        taken_.held_out =
            united(taken_.held_out, read_named_rows(request_.exclude_path, pool_, world_));
        read_similar_rows();
        world_.agree([&] {
            read_committee();
            id_ = batch_id(request_,
                           {fingerprint_, model_hash_, predictions_fingerprint_, similar_hash_},
                           taken_);
        });
        enter_phase("open queue");
        read_queue();
        if (state_.published) {
            report_published();
            return result(nullptr);
        }
        taken_.centers = united(taken_.centers, state_.issued);
        enter_phase("plan");
        select::PlanRequest wanted = request_.plan;
        wanted.committee = committee_;
        plan_ = select::make_plan(pool_, wanted, taken_, world_);
        check_candidates(request_, plan_);
        if (request_.mode == SelectRequest::Mode::dry_run) {
            report_plan();
            return result(nullptr);
        }
        const select::Selection selection =
            request_.choose ? request_.choose(pool_, plan_, taken_, world_)
                            : select::select_two_stage(pool_, plan_, taken_, world_);
        note_surprises(request_, plan_, selection);
        write_map(request_.map_path, pool_, plan_, selection, world_);
        enter_phase("publish");
        const std::vector<RankTotals> use = gather_totals(world_);
        world_.agree([&] {
            require(!stop_requested(), ExitCode::try_again,
                    stop_text() + " before publishing; run the same command again");
            if (world_.is_root()) finish(selection, use);
        });
        enter_phase("done");
        return result(&selection);
    }

  private:
    SelectResult result(const select::Selection* selection) const {
        SelectResult result;
        result.batch_id = id_;
        if (!request_.queue_directory.empty()) result.batch_directory = batch_directory();
        result.was_published = state_.published;
        if (selection == nullptr) return result;
        result.num_chosen = std::ssize(selection->rows);
        result.num_candidates = selection->num_candidates;
        result.num_beyond_trust = selection->num_beyond_trust;
        result.covering_radius = selection->covering_radius;
        result.redundancy = selection->redundancy;
        return result;
    }

    void read_predictions() {
        if (request_.predictions_path.empty()) return;
        const pool::Pool predictions =
            open_predictions(request_.predictions_path, pool_.num_rows, world_);
        predictions_fingerprint_ = pool::fingerprint(predictions, world_);
        replace_predictions(pool_, predictions);
    }

    void size_batch() {
        if (request_.batch_share <= 0.0) return;
        const double rows =
            std::floor(request_.batch_share * static_cast<double>(pool_.num_rows) + 0.5);
        request_.plan.batch_size = std::max<std::int64_t>(1, static_cast<std::int64_t>(rows));
    }

    void read_similar_rows() {
        const SimilarSource source{request_.similar_path, request_.similar_rows_path};
        if (source.path.empty() && source.rows_path.empty()) return;
        request_.plan.similar =
            read_similar(source, pool_, select::find_metric(request_.plan.metric), world_);
        similar_hash_ = similar_hash(*request_.plan.similar);
    }

    void read_committee() {
        if (request_.plan.model_path.empty()) return;
        committee_ =
            std::make_shared<const model::Committee>(model::read_model(request_.plan.model_path));
        model_hash_ = model::model_hash(*committee_);
    }

    void print(const std::string& text) const {
        if (request_.output == SelectRequest::Output::print) print_result(text);
    }

    void check_request() const {
        const bool has_output =
            !request_.queue_directory.empty() || !request_.selected_path.empty();
        require(has_output || request_.mode == SelectRequest::Mode::dry_run, ExitCode::usage,
                "select: nowhere to put the batch; give --queue DIR (or --selected FILE.csv)");
        require(request_.plan.batch_size > 0 || request_.batch_share > 0.0, ExitCode::usage,
                "--batch: " + std::to_string(request_.plan.batch_size) +
                    " rows cannot be chosen; give at least 1");
        require(request_.predictions_path.empty() || request_.plan.model_path.empty(),
                ExitCode::usage,
                "--predictions-file: scores would not know whether to read it or --model; give "
                "one of the two");
    }

    bool uses_queue() const {
        return !request_.queue_directory.empty() &&
               (request_.mode == SelectRequest::Mode::run ||
                path_status(request_.queue_directory, Links::follow).has_value());
    }

    void read_queue() {
        std::vector<std::int64_t> facts(2, 0);
        world_.agree([&] {
            if (!world_.is_root()) return;
            if (request_.mode == SelectRequest::Mode::run) {
                require_writable(request_.selected_path);
                require_writable(request_.json_path);
                require_writable(request_.map_path);
            }
            if (!uses_queue()) return;
            queue_.emplace(request_.queue_directory);
            check_same_pool();
            facts[0] = queue_->find_batch(id_) ? 1 : 0;
            facts[1] = queue_->num_issued();
            state_.issued = queue_->issued_rows();
        });
        world_.sum(facts);
        state_.published = facts[0] != 0;
        state_.num_batches = facts[1];
        state_.issued = world_.all_gather(std::span<const RowId>(state_.issued));
    }

    void check_same_pool() const {
        const std::string before = queue_->last_pool_fingerprint();
        require(before.empty() || before == fingerprint_ ||
                    request_.new_pool == SelectRequest::NewPool::accept,
                ExitCode::bad_data,
                request_.queue_directory +
                    ": the pool is not the one this queue's batches came from (its content hash "
                    "changed from " +
                    before.substr(0, batch_id_digits) + " to " +
                    fingerprint_.substr(0, batch_id_digits) +
                    "); give the same pool, another --queue, or --new-pool if rows keep their "
                    "meaning");
    }

    void report_published() {
        world_.agree([&] {
            if (!world_.is_root()) return;
            const std::string directory = batch_directory();
            if (!request_.selected_path.empty()) {
                publish_text_file(request_.selected_path,
                                  read_text_file(directory + "/selected.csv"));
            }
            write_json(read_text_file(directory + "/manifest.json"),
                       read_text_file(directory + "/provenance.json"));
            print("batch " + id_ + " is already published in " + directory +
                  "; nothing changed. For another batch of this pool bring new --labels or "
                  "pass --round " +
                  std::to_string(request_.plan.round + 1) + "\n");
        });
    }

    void report_plan() {
        world_.agree([&] {
            if (!world_.is_root()) return;
            print("batch      " + id_ + ": " + count_text(plan_.batch_size) + " rows, " +
                  count_text(std::ssize(taken_.all())) + " labeled or issued\n" +
                  select::plan_text(pool_, plan_, world_.size()) +
                  "dry run: only metadata and a sample of rows were read, nothing was written\n");
        });
    }

    void finish(const select::Selection& selection, const std::vector<RankTotals>& use) {
        queue::Batch batch = assemble_batch(pool_, selection, items_of_ticket(request_));
        batch.id = id_;
        batch.tag = request_.tag;
        batch.pool_fingerprint = fingerprint_;
        const double seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
        const SelectOutcome outcome{request_,
                                    plan_,
                                    selection,
                                    batch,
                                    fingerprint_,
                                    pool_.num_rows,
                                    num_labeled_,
                                    std::ssize(taken_.held_out),
                                    static_cast<std::int64_t>(state_.issued.size()),
                                    model_hash_,
                                    predictions_fingerprint_,
                                    similar_hash_,
                                    world_.size(),
                                    seconds,
                                    use};
        batch.manifest = manifest_text(outcome);
        batch.provenance = provenance_text(outcome);
        if (queue_) queue_->publish(batch, state_.num_batches);
        if (!request_.selected_path.empty()) {
            publish_text_file(request_.selected_path, queue::selected_csv(batch.items));
        }
        write_json(batch.manifest, batch.provenance);
        print(report_text(outcome));
    }

    std::string batch_directory() const { return request_.queue_directory + "/batches/" + id_; }

    void write_json(const std::string& manifest, const std::string& provenance) const {
        if (request_.json_path.empty()) return;
        const std::string selected =
            request_.queue_directory.empty() ? std::string() : batch_directory() + "/selected.csv";
        publish_text_file(request_.json_path, report_json(id_, selected, manifest, provenance));
    }

    SelectRequest request_;
    comm::Communicator& world_;
    std::chrono::steady_clock::time_point started_;
    pool::Pool pool_;
    std::string fingerprint_;
    std::string predictions_fingerprint_;
    std::string similar_hash_;
    std::int64_t num_labeled_ = 0;
    std::string id_;
    std::optional<queue::Queue> queue_;  // rank 0 only
    QueueState state_;
    std::shared_ptr<const model::Committee> committee_;
    std::string model_hash_;
    select::TakenRows taken_;
    select::Plan plan_;
};

}  // namespace

SelectResult select_round(const SelectRequest& request, comm::Communicator& world) {
    return Round(request, world).run();
}

}  // namespace sluice::campaign
