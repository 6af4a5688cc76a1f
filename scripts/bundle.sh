#!/usr/bin/env bash
# Usage: scripts/bundle.sh [--build DIR] [--out DIR] [--archive] [--gpu-check] [PROGRAM...]
#
# Puts the build into one folder that runs on another Linux x86-64 machine, one without Open MPI,
# HDF5 or a compiler: the program, mpirun, all libraries but glibc's, and Open MPI's plugins.
# There, DIR/sluice and DIR/mpirun are called; both set the environment that the rest needs.
# The other machine needs a glibc no older than this one's; GPUs need their driver, nothing else.
#
#   --build DIR    the build to take (default build/release, or build/ci where only that exists)
#   --out DIR      the folder (default build/bundle); replaced if it is a bundle
#   --archive      also DIR.tar.xz
#   --gpu-check    also the programs that scripts/gpu_check.sh --bundle DIR runs
#   PROGRAM        other programs of the build that go along, as tests/kernels/backend_test
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

build=
out=build/bundle
archive=no
programs=(sluice)
while [ $# -gt 0 ]; do
    case $1 in
        --build | --out)
            [ $# -ge 2 ] || fail 64 "bundle.sh: $1: needs a folder"
            printf -v "${1#--}" '%s' "$2"
            shift
            ;;
        --archive) archive=yes ;;
        --gpu-check)
            read -r -a tests <<<"$(sed -n 's/^tests=(\(.*\))$/\1/p' "$sluice_root/scripts/gpu_check.sh")"
            programs+=("${tests[@]}" "$(sed -n 's/^bench=//p' "$sluice_root/scripts/gpu_check.sh")")
            ;;
        --help | -h) print_help "$0"; exit 0 ;;
        -*) fail 64 "bundle.sh: $1: unknown option; see --help" ;;
        *) programs+=("$1") ;;
    esac
    shift
done

cd "$sluice_root"
if [ -z "$build" ]; then
    build=build/release
    [ -x "$build/sluice" ] || build=build/ci
fi
for program in "${programs[@]}"; do
    [ -x "$build/$program" ] ||
        fail 66 "$build/$program: not built; run cmake --preset release && cmake --build --preset release"
done
for needed in ompi_info ldd orted; do
    command -v "$needed" >/dev/null || fail 69 "$needed: not found; scripts/install_dependencies.sh build"
done
if [ -e "$out" ] && [ ! -e "$out/bundle.txt" ]; then
    fail 73 "$out: exists and is no bundle; choose another --out"
fi

mpi_path() { ompi_info --path "$1" --parsable | sed 's/^path:[^:]*://'; }
# Open MPI finds what belongs to it relative to where it believes to be installed (OPAL_PREFIX).
prefix=$(mpi_path prefix)
below_prefix() { # below_prefix PATH
    case $1 in
        "$prefix"/*) say "${1#"$prefix"/}" ;;
        *) fail 69 "$1: not below $prefix; such an Open MPI cannot be moved" ;;
    esac
}

rm -rf "$out.new"
mkdir -p "$out.new/bin" "$out.new/lib"
for program in "${programs[@]}"; do cp "$build/$program" "$out.new/bin/"; done
cp -L "$(command -v mpirun)" "$out.new/bin/orterun"
cp -L "$(command -v orted)" "$out.new/bin/orted"

plugins=$(mpi_path pkglibdir)
plugins_there=$out.new/$(below_prefix "$plugins")
mkdir -p "$plugins_there"
for plugin in "$plugins"/mca_*.so; do
    case ${plugin##*/} in
        # Transports that probe hardware libraries for a third of a second, OpenSHMEM's own, debuggers'.
        *ucx* | *_ofi* | *openib* | *psm* | mca_spml* | mca_scoll* | mca_memheap* | mca_sshmem* | mca_atomic*) ;;
        *) cp -L "$plugin" "$plugins_there/" ;;
    esac
done
pmix=$(find "$prefix"/lib* -maxdepth 4 -type d -path '*pmix*/lib/pmix' 2>/dev/null | head -n 1)
if [ -n "$pmix" ]; then
    mkdir -p "$out.new/$(below_prefix "$pmix")"
    cp -L "$pmix"/*.so "$out.new/$(below_prefix "$pmix")/"
fi
data=$(mpi_path pkgdatadir)
mkdir -p "$out.new/$(below_prefix "$data")" "$out.new/etc"
cp -rL "$data/." "$out.new/$(below_prefix "$data")/"
cp -rL "$(mpi_path sysconfdir)" "$out.new/etc/" 2>/dev/null || true

# Every library that anything of it is linked with; glibc stays with the machine's own loader.
find "$out.new" -type f \( -name '*.so' -o -path '*/bin/*' \) -print0 | xargs -0 ldd 2>/dev/null |
    awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u |
    grep -vE '/(ld-linux[^/]*|lib(c|m|dl|pthread|rt|resolv|util|anl|mvec|nss_[a-z]*)\.so[.0-9]*)$' |
    while read -r library; do cp -L "$library" "$out.new/lib/"; done

for name in mpirun "${programs[@]##*/}"; do
    program=$name
    [ "$name" != mpirun ] || program=orterun
    cat >"$out.new/$name" <<LAUNCHER
#!/bin/sh
# Runs bin/$program with what the bundle brings along.
here=\$(CDPATH= cd -- "\$(dirname -- "\$0")" && pwd)
export LD_LIBRARY_PATH="\$here/lib\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}" OPAL_PREFIX="\$here"
export OMPI_MCA_pml="\${OMPI_MCA_pml-ob1}"
# Without ssh there is this machine only.
command -v ssh >/dev/null 2>&1 || export OMPI_MCA_plm="\${OMPI_MCA_plm-isolated}"
if [ "\$(id -u)" -eq 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
exec "\$here/bin/$program" "\$@"
LAUNCHER
    chmod +x "$out.new/$name"
done
"$out.new/sluice" --version >"$out.new/bundle.txt" || fail 70 "$out.new/sluice: does not start"
rm -rf "$out"
mv "$out.new" "$out"
say "bundle     $out ($(du -sh "$out" | cut -f1)): mpirun -n 2 becomes $out/mpirun -n 2 $out/sluice"
if [ "$archive" = yes ]; then
    tar -C "$(dirname "$out")" -cJf "$out.tar.xz.new" "$(basename "$out")"
    mv "$out.tar.xz.new" "$out.tar.xz"
    say "archive    $out.tar.xz ($(du -h "$out.tar.xz" | cut -f1))"
fi
