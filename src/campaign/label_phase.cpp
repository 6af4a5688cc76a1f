#include "campaign/label_phase.hpp"

#include "core/directory.hpp"
#include "core/error.hpp"
#include "core/stop.hpp"
#include "oracle/worker.hpp"
#include "queue/layout.hpp"
#include "queue/reap.hpp"

#include <chrono>
#include <cstdint>
#include <thread>

namespace sluice::campaign {
namespace {

using Clock = std::chrono::steady_clock;

// Short at first, as a round of fast oracles would else spend its time in sleep.
constexpr std::chrono::milliseconds first_pause{5};
constexpr std::chrono::milliseconds longest_pause{500};
constexpr std::chrono::seconds reap_interval{2};
// Others may take tickets between a look at them and the claim, but not always.
constexpr int most_runs_for_nothing = 1000;

bool has_names(const std::string& queue_directory, std::string_view folder) {
    return !list_directory(queue::join(queue_directory, folder)).empty();
}

// This rank's part of the workers: the first ranks have one more.
int workers_of(const LabelSpec& label, const comm::Communicator& world) {
    if (label.workers == 0) return 1;
    const std::int64_t share = label.workers / world.size();
    const bool has_one_more = world.rank() < label.workers % world.size();
    return static_cast<int>(share + (has_one_more ? 1 : 0));
}

class Share {
  public:
    Share(const LabelSpec& label, const oracle::Spec& oracle, const std::string& queue_directory,
          int workers)
        : queue_directory_(queue_directory), reaper_(queue_directory) {
        request_.queue_directory = queue_directory;
        request_.spec = oracle;
        request_.workers = workers;
        request_.end = oracle::WorkerRequest::End::when_empty;
        request_.lease_seconds = label.lease_seconds;
        request_.grace_seconds = label.grace_seconds;
        request_.scratch = label.scratch;
        request_.keep_failed = label.keep_failed;
    }

    void run() {
        while (true) {
            if (request_.workers > 0 && has_names(queue_directory_, queue::folder::pending)) work();
            if (is_done()) return;
            require(!stop_requested(), ExitCode::try_again,
                    queue_directory_ + ": " + stop_text() +
                        " while others label; run the same "
                        "command again");
            rest();
        }
    }

  private:
    void work() {
        pause_ = first_pause;
        const oracle::WorkerReport report = oracle::run_worker(request_);
        if (report.early_end) throw *report.early_end;
        runs_for_nothing_ = report.tickets == 0 ? runs_for_nothing_ + 1 : 0;
        require(runs_for_nothing_ < most_runs_for_nothing, ExitCode::bad_data,
                queue_directory_ +
                    ": holds tickets that this campaign's oracle may not take; sluice queue fsck "
                    "says which");
    }

    // A token that is claimed or given back moves between the two: none of it is in neither for
    // long, so both are looked at twice.
    bool is_done() const {
        for (int look = 0; look < 2; ++look) {
            if (has_names(queue_directory_, queue::folder::pending)) return false;
            if (has_names(queue_directory_, queue::folder::leased)) return false;
        }
        return true;
    }

    void rest() {
        std::this_thread::sleep_for(pause_);
        pause_ = std::min(2 * pause_, longest_pause);
        if (Clock::now() < next_look_) return;
        next_look_ = Clock::now() + reap_interval;
        reaper_.look();
    }

    oracle::WorkerRequest request_;
    const std::string& queue_directory_;
    queue::Reaper reaper_;
    std::chrono::milliseconds pause_ = first_pause;
    int runs_for_nothing_ = 0;
    Clock::time_point next_look_ = Clock::now();
};

}  // namespace

void label_inside(const LabelSpec& label, const oracle::Spec& oracle,
                  const std::string& queue_directory, comm::Communicator& world) {
    world.agree([&] { Share(label, oracle, queue_directory, workers_of(label, world)).run(); });
}

}  // namespace sluice::campaign
