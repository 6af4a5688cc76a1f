# Sourced by the other scripts: where the repository is, how to say things, which Python to use.
# shellcheck shell=bash
set -euo pipefail

sluice_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PATH=$PATH:/usr/sbin:/sbin

say() { printf '%s\n' "$*"; }
fail() { # fail EXIT_CODE MESSAGE
    printf 'sluice: error: %s\n' "$2" >&2
    exit "$1"
}

# The comment block at the head of a script is its help.
print_help() { # print_help SCRIPT
    awk 'NR == 1 { next } /^#/ { sub(/^# ?/, ""); print; next } { exit }' "$1"
}

num_cores() { nproc 2>/dev/null || echo 1; }

# Prints the first Python 3 that can import all the modules named; fails if there is none.
# Debian keeps its modules with /usr/bin/python3, whatever `python3` on PATH may be.
find_python() { # find_python MODULE...
    local python imports
    imports=$(printf 'import %s\n' "$@")
    for python in "${SLUICE_PYTHON:-}" /usr/bin/python3 python3; do
        if [ -n "$python" ] && "$python" -c "$imports" >/dev/null 2>&1; then
            say "$python"
            return
        fi
    done
    return 1
}

# What Open MPI needs on a workstation or in a container; on a cluster none of it hurts.
prepare_mpi() { # prepare_mpi RANKS
    if [ "$(id -u)" -eq 0 ]; then
        export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    fi
    if [ "$1" -gt "$(num_cores)" ]; then
        export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1
    fi
}

# Configures a preset and builds targets of it; the log goes to the terminal.
configure_and_build() { # configure_and_build PRESET [TARGET...]
    local preset=$1 launcher=()
    shift
    if command -v ccache >/dev/null; then
        launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    fi
    (cd "$sluice_root" && cmake --preset "$preset" "${launcher[@]}" &&
        cmake --build --preset "$preset" ${1:+--target "$@"})
}
