#pragma once

#include "core/error.hpp"
#include "oracle/spec.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace sluice::oracle {

struct WorkerRequest {
    enum class End {
        when_empty,  ///< once nothing is left to claim
        never,       ///< waits for new batches until stopped
    };

    std::string queue_directory;
    Spec spec;
    int workers = 1;  ///< oracles that run at the same time
    End end = End::never;
    std::int64_t lease_seconds = 300;
    double target_seconds = 60.0;  ///< as many tickets are claimed at once as take about this long
    double walltime_seconds =
        0.0;  ///< this process must be over by then; 0 = SLURM_JOB_END_TIME, or no limit
    double grace_seconds = 20.0;  ///< after a stop signal: time for running items to finish
    std::int64_t max_items = 0;   ///< stop after this many; 0 = no limit
    std::string scratch;          ///< parent of scratch directories; empty = TMPDIR or /tmp
    int keep_failed = 3;          ///< scratch directories of failures that are kept
};

struct WorkerReport {
    std::map<std::string, std::int64_t> counts;  ///< status -> items
    std::int64_t tickets = 0;
    std::int64_t released = 0;   ///< tickets given back with items left
    std::int64_t lost = 0;       ///< leases that somebody reaped meanwhile
    std::int64_t left = 0;       ///< tickets that wait in the queue at the end
    std::int64_t elsewhere = 0;  ///< tickets that others held when this worker last looked
    double wall_seconds = 0.0;
    double oracle_seconds = 0.0;  ///< summed over all runs

    /// Why it ended before its work was done: try_again after SIGTERM or SIGUSR1 or when the
    /// walltime ran out, unavailable when the circuit breaker opened or the oracle asked to stop.
    /// Everything finished is handed in then, the rest given back.
    std::optional<Error> early_end = {};
};

/// `labeled 500 items (497 ok, 3 nonconverged) in 6.2 s, 10 tickets; 0 left`.
std::string report_text(const WorkerReport& report);

/// The same as JSON.
std::string report_json(const WorkerReport& report);

/// Works on a queue until its end. Renews its leases, hands in results, reaps what others left.
/// One thread does it all. What runs in the oracle's place: breaker.hpp (failures that are all
/// alike), worker_slots.hpp (tries, jsonl processes that fail in the middle). Throws
/// what queue functions throw; every other end is in the report.
WorkerReport run_worker(const WorkerRequest& request);

/// Runs the known item of the oracle's [test] section and prints what came out on stdout. Throws
/// Error(bad_config) without one, Error(bad_data) if the label is not the expected one.
void test_oracle(const Spec& spec, const std::string& scratch);

}  // namespace sluice::oracle
