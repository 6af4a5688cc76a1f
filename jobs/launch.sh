# Sourced by the batch scripts beside it: how sluice is started in a job, how it is told that the
# time is nearly over, and what its exit code means for the job.
# shellcheck shell=bash
set -u

# A batch job starts in the folder that sbatch was called in.
# shellcheck disable=SC2034  # used by the batch scripts
sluice=${SLUICE:-build/release/sluice}

# module load openmpi hdf5      (what sluice was built with on this cluster)

# When the job ends, where Slurm does not say so itself (before 23.02).
if end=$(squeue --noheader --jobs="${SLURM_JOB_ID:-}" --format=%e 2>/dev/null | head -n 1) &&
    end=$(date -d "$end" +%s 2>/dev/null) && [ -n "$end" ]; then
    export SLURM_JOB_END_TIME=$end
fi

# Runs a command to its end and hands the signals of Slurm on to it: USR1 before the time limit
# (--signal=B:USR1@120), TERM when the job is cancelled or preempted. Returns the exit code.
cancelled=no
process=
pass_on() { # pass_on SIGNAL
    [ "$1" = USR1 ] || cancelled=yes
    [ -z "$process" ] || kill -"$1" "$process" 2>/dev/null
}
trap 'pass_on USR1' USR1
trap 'pass_on TERM' TERM

run() { # run COMMAND...
    local code
    echo "$(date -Is) start ${SLURM_RESTART_COUNT:-0} of job ${SLURM_JOB_ID:-}: $*"
    "$@" &
    process=$!
    wait "$process"
    code=$?
    # A trapped signal ends the wait, not the command.
    while [ "$code" -gt 128 ] && kill -0 "$process" 2>/dev/null; do
        wait "$process"
        code=$?
    done
    process=
    return "$code"
}

# Ranks are started by srun where Slurm has PMIx, elsewhere by mpirun.
starts_by_srun() {
    [ "${SLUICE_LAUNCHER:-srun}" = srun ] && srun --mpi=list 2>&1 | grep -q pmix
}

# The same on all ranks of the job.
run_ranks() { # run_ranks COMMAND...
    local cores=${SLURM_CPUS_PER_TASK:-1}
    if starts_by_srun; then
        run srun --mpi=pmix --cpus-per-task="$cores" --kill-on-bad-exit=1 "$@"
    else
        run mpirun --map-by "slot:PE=$cores" "$@"
    fi
}

# Whether it is worth trying again: sluice says so (75), or what ended says nothing of sluice, whose
# codes are 0 and 64 to 78: a rank or a node was lost, or the launcher itself failed.
comes_back() { # comes_back EXIT_CODE
    [ "$1" -eq 75 ] || { [ "$1" -gt 0 ] && [ "$1" -lt 64 ]; } || [ "$1" -gt 78 ]
}

most_restarts=5

# The end of the job. If it is worth trying again it is requeued and goes on from its files, unless
# it was cancelled, or has come back for nothing too often.
finish() { # finish EXIT_CODE
    local restarts=${SLURM_RESTART_COUNT:-0}
    if comes_back "$1" && [ "$cancelled" = no ] && [ "$restarts" -lt "$most_restarts" ]; then
        echo "$(date -Is) exit code $1: requeued"
        scontrol requeue "$SLURM_JOB_ID" && exit 0
    fi
    exit "$1"
}
