#!/usr/bin/env bash
# Usage: scripts/install_dependencies.sh [--no-install] [GROUP...]
#
# Installs the Debian or Ubuntu packages that sluice needs and that are not there yet; says first
# which ones. Without a group: build and example.
#
# Groups
#   build     compiler, CMake, Ninja, Open MPI, HDF5, and the libraries sluice is linked with
#   example   Python modules that make and convert pools (h5py, NumPy, scikit-learn)
#   oracles   the physics codes of jobs/examples: xtb, LAMMPS, ngspice
#   test      what the test suite needs beyond build, example and oracles
#   bench     what scripts/bench.sh needs beyond build (the peers come into a venv of their own)
#   lint      clang-tidy
#   slurm     a Slurm of several nodes on this machine, for scripts/local_slurm.sh
#
#   --no-install   only list what is missing, with the command that would install it; exit code 69
#                  if anything is. For clusters: what modules provide counts as present.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# group, package, and how to see that the thing is there without the package (a module file, a
# newer version under /usr/local). Libraries without a program are left to CMake on systems
# without dpkg.
packages() {
    cat <<'TABLE'
build g++ program:g++
build cmake program:cmake
build ninja-build program:ninja
build pkg-config program:pkg-config
build openmpi-bin program:mpirun
build libopenmpi-dev program:mpicxx
build libhdf5-openmpi-dev program:h5pcc
build libboost-dev library
build libboost-program-options-dev library
build libdeflate-dev library
build libfmt-dev library
build libeigen3-dev library
build libssl-dev library
build nlohmann-json3-dev library
build libgtest-dev library
build libgmock-dev library
example python3-h5py python:h5py
example python3-numpy python:numpy
example python3-sklearn python:sklearn
oracles xtb program:xtb
oracles lammps program:lmp
oracles ngspice program:ngspice
test chromium program:chromium
test clang-format-14 program:clang-format-14
test hdf5-tools program:h5dump
test faketime program:faketime
test python3-torch python:torch
test strace program:strace
test util-linux program:mount
bench libbenchmark-dev library
bench python3-venv python:venv
lint clang-tidy-14 program:clang-tidy-14
slurm slurmctld program:slurmctld
slurm slurmd program:slurmd
slurm slurm-client program:sbatch
slurm slurm-wlm-basic-plugins library
slurm munge program:munged
slurm util-linux program:nsenter
slurm iproute2 program:ip
TABLE
}

is_installed() { # is_installed PACKAGE
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

is_present() { # is_present PACKAGE PROBE
    is_installed "$1" && return
    case $2 in
        program:*) command -v "${2#program:}" >/dev/null ;;
        python:*) find_python "${2#python:}" >/dev/null ;;
        library) ! command -v dpkg-query >/dev/null ;;
    esac
}

list_missing() { # list_missing GROUP...
    local group package probe
    while read -r group package probe; do
        case " $* " in
            *" $group "*) is_present "$package" "$probe" || printf '%s ' "$package" ;;
        esac
    done < <(packages)
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail 77 "not root and sudo is missing; run this as root: $*"
    fi
}

install_packages() { # install_packages PACKAGE...
    command -v apt-get >/dev/null ||
        fail 69 "missing: $* (Debian's names); install them with this system's package manager or load the modules"
    say "will be installed now: $*"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" </dev/null
}

install=yes
groups=()
for argument in "$@"; do
    case $argument in
        --no-install) install=no ;;
        --help | -h) print_help "$0"; exit 0 ;;
        build | example | oracles | test | bench | lint | slurm) groups+=("$argument") ;;
        *) fail 64 "install_dependencies.sh: $argument: unknown group or option; see --help" ;;
    esac
done
[ ${#groups[@]} -gt 0 ] || groups=(build example)

read -r -a missing <<<"$(list_missing "${groups[@]}")"
if [ ${#missing[@]} -eq 0 ]; then
    say "dependencies (${groups[*]}): nothing missing"
    exit 0
fi
say "dependencies (${groups[*]}): missing: ${missing[*]}"
if [ "$install" = no ]; then
    fail 69 "packages missing; install them with: sudo apt-get install -y --no-install-recommends ${missing[*]}"
fi
install_packages "${missing[@]}"
