#include "stream/run_stream.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/path_status.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "stream/stream_state.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <limits>
#include <optional>
#include <thread>

namespace sluice::stream {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t block_rows = 1024;
constexpr int silence_ms = 100;  // of the writer, after which signals and walltime are looked at

std::string options_text(const StreamRequest& request) {
    const PolicyOptions& policy = request.policy;
    return fmt::format(
        "policy {}, budget {}, window {}, threshold {}, step {}, spread {}, ridge {}, embedding "
        "{}, seed {}",
        find_policy(policy.policy).name, number_text(policy.budget), policy.window,
        number_text(policy.threshold), number_text(policy.step), number_text(policy.spread),
        number_text(policy.ridge), static_cast<int>(request.embedding), policy.seed);
}

// JSON has no infinity; what is as certain as can be has none.
nlohmann::ordered_json certainty_json(double certainty) {
    return certainty < std::numeric_limits<double>::max() ? nlohmann::ordered_json(certainty)
                                                          : nlohmann::ordered_json();
}

std::string text_of(const nlohmann::ordered_json& line) {
    return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

class Stream {
  public:
    explicit Stream(const StreamRequest& request)
        : request_(request),
          policy_(find_policy(request.policy.policy)),
          observer_(request.model_path, request.embedding),
          options_(options_text(request)),
          state_(initial_state(request.policy)) {
        if (!request.state_path.empty()) {
            if (const auto before = load_state(request.state_path, options_)) state_ = *before;
        }
        if (!request.queue.directory.empty())
            queue_.emplace(request.queue, options_ + ", model " + request.model_path);
    }

    void run() {
        try {
            if (request_.pool.files.empty()) {
                read_lines();
            } else {
                read_pool();
            }
            publish();
        } catch (const Error&) {
            save();
            throw;
        }
        save();
        log_info(fmt::format("{} of {} items are to be labeled ({:.3f} %, budget {:.3f} %)",
                             count_text(state_.asked), count_text(state_.seen),
                             state_.seen == 0 ? 0.0
                                              : 100.0 * static_cast<double>(state_.asked) /
                                                    static_cast<double>(state_.seen),
                             100.0 * request_.policy.budget));
    }

  private:
    void check_stop() const {
        require(!stop_requested(), ExitCode::try_again,
                stop_text() + "; run the same command again to go on");
    }

    // A writer may be silent for hours: a read that waits would notice neither signal nor walltime.
    void wait_for_line() const {
        pollfd input = {STDIN_FILENO, POLLIN, 0};
        while (std::cin.rdbuf()->in_avail() <= 0 && ::poll(&input, 1, silence_ms) <= 0)
            check_stop();
    }

    void read_lines() {
        std::ios::sync_with_stdio(false);  // a buffer that can be asked whether it holds a line
        std::int64_t to_pass = request_.lines == StreamRequest::Lines::from_start ? state_.seen : 0;
        std::int64_t number = 0;
        for (std::string line; wait_for_line(), std::getline(std::cin, line);) {
            check_stop();
            ++number;
            if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
            if (to_pass-- > 0) continue;
            take(observer_.of_line(line, fmt::format("stdin:{}", number)));
        }
        check_stop();
    }

    void read_pool() {
        Clock::time_point last_news = Clock::now();
        while (true) {
            check_stop();
            if (take_new_rows()) last_news = Clock::now();
            const std::chrono::duration<double> idle = Clock::now() - last_news;
            if (idle.count() >= request_.idle_seconds) {
                if (trouble_) throw *trouble_;
                return;
            }
            wait(std::min(request_.poll_seconds, request_.idle_seconds - idle.count()));
        }
    }

    void wait(double seconds) const {
        const Clock::time_point end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                                         std::chrono::duration<double>(seconds));
        while (Clock::now() < end && !stop_requested())
            std::this_thread::sleep_for(
                std::min<Clock::duration>(std::chrono::milliseconds(50), end - Clock::now()));
    }

    // A file that is just being written cannot be opened, or lacks rows of one dataset: that is
    // trouble only if it lasts.
    bool take_new_rows() {
        comm::Communicator alone;
        trouble_.reset();
        try {
            pool_ = pool::open_pool(request_.pool, alone);
        } catch (const Error& error) {
            trouble_ = error;
            return false;
        }
        const pool::Pool& pool = *pool_;
        require(pool.num_rows >= state_.seen, ExitCode::bad_data,
                fmt::format("{}: has {} rows, fewer than the {} that are decided; give the pool "
                            "that the state is about",
                            request_.pool.files.front(), pool.num_rows, state_.seen));
        const bool is_news = pool.num_rows > state_.seen;
        while (state_.seen < pool.num_rows) {
            check_stop();
            const RowRange rows = {state_.seen,
                                   std::min<RowId>(pool.num_rows, state_.seen + block_rows)};
            for (const Observation& observation : observer_.of_rows(pool, rows, policy_))
                take(observation);
        }
        return is_news;
    }

    void take(const Observation& observation) {
        const Item item = observer_.item_of(observation, policy_);
        const std::int64_t number = state_.seen;
        const Decision decision = decide(request_.policy, item, state_);
        print(observation, item, number, decision);
        keep(observation, item, number, decision);
        if (state_.seen % request_.save_every == 0) save();
    }

    void keep(const Observation& observation, const Item& item, std::int64_t number,
              const Decision& decision) {
        if (decision.kind == Decision::Kind::pass) {
            if (request_.skipped_path.empty()) return;
            return state_.skipped.offer(request_.policy.seed, request_.skipped_items, number,
                                        observation.id, item.certainty);
        }
        if (!queue_) return;
        Observation asked = observation;
        if (pool_) asked.features.clear();
        state_.asked_items.add(number, asked, item.certainty);
        if (state_.asked_items.size() < request_.queue.batch_items) return;
        publish();
        save();
    }

    // Killed before the state is saved, the same items make the same batch, which is found.
    void publish() {
        if (queue_) queue_->publish(pool_ ? &*pool_ : nullptr, state_.asked_items);
    }

    void print(const Observation& observation, const Item& item, std::int64_t number,
               const Decision& decision) const {
        nlohmann::ordered_json line;
        line["id"] = observation.id.empty() ? std::to_string(number) : observation.id;
        line["item"] = number;
        line["ask"] = decision.kind == Decision::Kind::ask;
        line["certainty"] = certainty_json(item.certainty);
        line["bound"] = decision.bound;
        const std::string text = text_of(line);
        require(std::fwrite(text.data(), 1, text.size(), stdout) == text.size(), ExitCode::io_error,
                "stdout: cannot write the decisions (closed pipe or full disk)");
        // Who reads a pipe waits for the decision.
        if (request_.pool.files.empty()) flush();
    }

    void flush() const {
        require(std::fflush(stdout) == 0, ExitCode::io_error,
                "stdout: cannot write the decisions (closed pipe or full disk)");
    }

    // What a state has counted has been printed.
    void save() const {
        flush();
        if (!request_.state_path.empty()) save_state(request_.state_path, options_, state_);
        if (!request_.skipped_path.empty())
            publish_text_file(request_.skipped_path, skipped_text());
    }

    std::string skipped_text() const {
        std::string text;
        const SkippedSample& sample = state_.skipped;
        for (std::size_t i = 0; i < sample.numbers.size(); ++i) {
            nlohmann::ordered_json line;
            line["id"] = sample.ids[i];
            line["item"] = sample.numbers[i];
            line["certainty"] = certainty_json(sample.certainties[i]);
            text += text_of(line);
        }
        return text;
    }

    const StreamRequest& request_;
    const PolicyDefinition& policy_;
    Observer observer_;
    std::string options_;
    StreamState state_;
    std::optional<pool::Pool> pool_;  // as last opened
    std::optional<StreamQueue> queue_;
    std::optional<Error> trouble_;
};

}  // namespace

void run_stream(const StreamRequest& request) {
    Stream(request).run();
}

}  // namespace sluice::stream
