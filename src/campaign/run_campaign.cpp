#include "campaign/run_campaign.hpp"

#include "campaign/campaign_context.hpp"
#include "campaign/campaign_history.hpp"
#include "campaign/label_phase.hpp"
#include "campaign/rank_use.hpp"
#include "campaign/round_steps.hpp"
#include "campaign/run_report.hpp"
#include "campaign/settle_batch.hpp"
#include "campaign/test_set.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/phase.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "queue/layout.hpp"
#include "queue/status.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace sluice::campaign {
namespace {

using Clock = std::chrono::steady_clock;

// Results go to stdout; a reader that has gone away is an output error, not our bug.
void print(const std::string& text) {
    const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
    require(written && std::fflush(stdout) == 0, ExitCode::io_error,
            "stdout: cannot write the report (closed pipe or full disk); the results on disk are "
            "complete");
}

CampaignSpec read_on_all_ranks(const RunRequest& request, comm::Communicator& world) {
    std::string text;
    world.agree([&] {
        if (world.is_root()) text = read_text_file(request.campaign_path);
    });
    world.broadcast(text);
    CampaignSpec spec;
    world.agree([&] {
        spec = parse_campaign(request.campaign_path, text);
        if (request.rounds) spec.stop.rounds = *request.rounds;
        spec.machine = request.machine;
    });
    return spec;
}

class Run {
  public:
    Run(CampaignContext context, comm::Communicator& world)
        : context_(std::move(context)), world_(world) {}

    void run() {
        begin_step("draw test rows", 0);
        draw_test_rows(context_, world_);
        for (std::int64_t round = context_.spec.first_round();; ++round) {
            std::optional<std::string> reason;
            if (!is_done(round) && !run_round(round)) {
                --round;
                reason = unpaid_text(context_.spec);
            } else {
                tell(round);
                reason = decide_after(round);
            }
            if (reason) return end(round, *reason);
        }
    }

  private:
    bool is_done(std::int64_t round) {
        std::int64_t done = 0;
        world_.agree([&] {
            if (world_.is_root()) done = is_complete(context_.active(), round) ? 1 : 0;
        });
        return world_.max(done) != 0;
    }

    void begin_step(const std::string& name, std::int64_t round) {
        enter_phase(round > 0 ? fmt::format("{} {}", name, round) : name);
        world_.agree([&] {
            require(!stop_requested(), ExitCode::try_again,
                    fmt::format("{} before the step '{}' of round {}; run the same command again",
                                stop_text(), name, round));
        });
    }

    // Runs one step of a round and adds the time it took to the round's, however it ends.
    void step(const std::string& name, std::int64_t round, const std::function<void()>& work) {
        begin_step(name, round);
        const Clock::time_point started = Clock::now();
        RankUse before;
        world_.agree([&] { before = rank_use(world_); });
        try {
            work();
        } catch (const Error&) {
            book_quietly(name, round, started);
            throw;
        }
        RankUse mine;
        world_.agree([&] { mine = rank_use(world_).since(before); });
        const std::vector<RankUse> use = world_.gather(std::span<const RankUse>(&mine, 1));
        world_.agree([&] { book(name, round, started, use); });
    }

    void book(const std::string& name, std::int64_t round, Clock::time_point started,
              const std::vector<RankUse>& use) const {
        if (!world_.is_root()) return;
        const Arm& arm = context_.active();
        RoundTimings timings = read_timings(arm, round).value_or(RoundTimings{});
        timings.seconds[name] += std::chrono::duration<double>(Clock::now() - started).count();
        if (!use.empty()) add_use(use, timings.ranks[name]);
        if (name == "label" && queue::exists(arm.queue())) {
            timings.oracle_seconds = queue::queue_status(arm.queue()).oracle_seconds;
        }
        write_timings(arm, round, timings);
    }

    // What went wrong with the step is what is told of.
    void book_quietly(const std::string& name, std::int64_t round,
                      Clock::time_point started) const noexcept {
        try {
            book(name, round, started, {});
        } catch (const std::exception& error) {
            log_warning(std::string("the time it took is not recorded: ") + error.what());
        }
    }

    // Calls `work` with the steps of each arm that takes part, the campaign's own first.
    template <typename Work>
    void for_each_arm(std::int64_t round, const Work& work) {
        for (const Arm& arm : context_.arms) {
            if (arm.first_round > round) continue;
            RoundSteps steps(context_, arm, round, world_);
            work(steps);
        }
    }

    // False if the budget does not pay for a batch.
    bool run_round(std::int64_t round) {
        bool is_paid = true;
        step("plan", round, [&] { for_each_arm(round, [](RoundSteps& arm) { arm.plan(); }); });
        if (round > 0) {
            step("select", round, [&] {
                for_each_arm(round, [&](RoundSteps& arm) { is_paid = is_paid && arm.select(); });
            });
        }
        if (!is_paid) return false;
        step("label", round, [&] { label(round); });
        step("train", round, [&] {
            read_test_set(context_, world_);
            for_each_arm(round, [](RoundSteps& arm) { arm.train(); });
        });
        step("evaluate", round,
             [&] { for_each_arm(round, [](RoundSteps& arm) { arm.evaluate(); }); });
        begin_step("close", round);
        close(round);
        return true;
    }

    // The campaign's own arm last: with it the round is complete.
    void close(std::int64_t round) {
        for (auto arm = context_.arms.rbegin(); arm != context_.arms.rend(); ++arm) {
            if (arm->first_round <= round) RoundSteps(context_, *arm, round, world_).close();
        }
    }

    // The batches of a round that wait for labels; the same on all ranks.
    std::vector<WaitingBatch> waiting_batches(std::int64_t round) {
        std::vector<WaitingBatch> batches;
        if (const auto test = test_batch(context_)) batches.push_back(*test);
        for (const Arm& arm : context_.arms) {
            if (arm.first_round > round || round == 0) continue;
            batches.push_back({arm.queue(), arm.labels(), "", arm.file(round, round_file::labels)});
        }
        std::vector<std::int64_t> waits(batches.size(), 0);
        world_.agree([&] {
            if (!world_.is_root()) return;
            for (std::size_t i = 0; i < batches.size(); ++i)
                waits[i] =
                    queue::exists(batches[i].record) || !queue::exists(batches[i].queue_directory)
                        ? 0
                        : 1;
        });
        world_.max(waits);
        std::vector<WaitingBatch> waiting;
        for (std::size_t i = 0; i < batches.size(); ++i) {
            if (waits[i] != 0) waiting.push_back(batches[i]);
        }
        return waiting;
    }

    void label(std::int64_t round) {
        const bool is_inside = context_.spec.label.where == LabelSpec::Where::inside;
        if (is_inside) {
            for (const WaitingBatch& batch : waiting_batches(round))
                label_inside(context_.spec.label, *context_.oracle, batch.queue_directory, world_);
        }
        enter_phase(fmt::format("ingest {}", round));
        std::int64_t open = ingest_test();
        std::vector<std::string> places;
        if (open > 0) places.push_back(place_text(open, context_.test_queue()));
        if (round > 0) {
            for (const Arm& arm : context_.arms) {
                if (arm.first_round > round) continue;
                const std::int64_t here = RoundSteps(context_, arm, round, world_).ingest();
                if (here > 0) places.push_back(place_text(here, arm.queue()));
            }
        }
        if (!places.empty()) throw pending(round, places);
    }

    std::int64_t ingest_test() {
        std::int64_t open = 0;
        const auto test = test_batch(context_);
        world_.agree([&] {
            if (test && world_.is_root()) open = settle_batch(*test, context_.spec.label);
        });
        return world_.max(open);
    }

    static std::string place_text(std::int64_t count, const std::string& queue_directory) {
        return fmt::format("{} items in {}", count_text(count), queue_directory);
    }

    // All ranks know of it.
    comm::AgreedError pending(std::int64_t round, const std::vector<std::string>& places) const {
        return {ExitCode::try_again,
                fmt::format("round {} waits for labels: {}; label them (sluice label --queue DIR "
                            "--oracle FILE --until-empty, or sluice queue export and import), then "
                            "run the same command again",
                            round, fmt::join(places, ", "))};
    }

    void tell(std::int64_t round) {
        world_.agree([&] {
            if (world_.is_root()) print(round_text(context_, round));
        });
    }

    std::optional<std::string> decide_after(std::int64_t round) {
        std::string reason;
        world_.agree([&] {
            if (!world_.is_root()) return;
            const std::optional<RoundRecord> record = stored_record(context_, round);
            require(record.has_value(), ExitCode::bad_data,
                    context_.active().file(round, round_file::metrics) + ": is gone; restore it");
            history_.push_back(*record);
            reason = decide(context_.spec.stop, history_).value_or("");
            write_curve();
        });
        world_.broadcast(reason);
        return reason.empty() ? std::nullopt : std::optional(reason);
    }

    void write_curve() const {
        const std::string path = context_.active().directory + "/curve.csv";
        const std::string text = curve_csv(stored_curve(context_));
        if (queue::exists(path) && read_text_file(path) == text) return;
        publish_text_file(path, text);
    }

    void end(std::int64_t round, const std::string& reason) {
        world_.agree([&] {
            if (world_.is_root()) print(end_text(context_, round, reason));
        });
        enter_phase("done");
    }

    CampaignContext context_;
    comm::Communicator& world_;
    std::vector<RoundRecord> history_;  // rank 0
};

}  // namespace

void run_campaign(const RunRequest& request, comm::Communicator& world) {
    enter_phase("open campaign");
    CampaignSpec spec = read_on_all_ranks(request, world);
    const bool only_looks = request.mode == RunRequest::Mode::dry_run;
    CampaignContext context =
        open_campaign(std::move(spec), only_looks ? Access::look : Access::write, world);
    if (!only_looks) return Run(std::move(context), world).run();
    world.agree([&] {
        if (world.is_root()) print(dry_run_text(context));
    });
}

}  // namespace sluice::campaign
