#pragma once

#include "oracle/spec.hpp"
#include "tests/support/expect_exact_error.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace sluice::test {

/// The shortest oracle file.
inline const std::string minimal = "[oracle]\nname = x\ncommand = true\n";

/// One with every section and key.
inline const std::string full = R"([oracle]
name = water-dimer
version = xtb 6.5.1, GFN2
command = xtb geometry.xyz --gfn 2 '{{id}}' ; a comment
mode = item
time_limit = 60
start_limit = 5
log_limit = 0.5
file_limit = 10
pass_environment = XTBPATH OMP_STACKSIZE
tags = gpu big
breaker = 3
label_is_class = no
[template geometry.xyz]
source = geometry.xyz.in
[file params.dat]
source = params.dat
[label energy]
file = stdout
pattern = TOTAL ENERGY\s+(\S+)
match = first
unit = Eh
min = -11
max = -9
[label gap]
[check normal end]
file = stderr
required = normal termination
status = nonconverged
[check crash]
file = out/CRASH
forbidden = .
[environment]
OMP_NUM_THREADS = 1
[retry]
oracle_error = 1
timeout = 0
[test]
R = 2.6
a = 0
expect energy = -10.14600
tolerance = 1e-4
)";

/// Reads oracle files out of a directory of their own.
class SpecTest : public ::testing::Test {
  protected:
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(directory_.file(name), std::ios::binary) << text;
    }

    std::string ini() const { return directory_.file("oracle.ini"); }

    oracle::Spec read(const std::string& text) const {
        write("oracle.ini", text);
        return oracle::read_spec(ini());
    }

    oracle::Spec read_full() const {
        write("geometry.xyz.in", "O {{R:.8f}}\n");
        write("params.dat", "{{not a placeholder}}");
        return read(full);
    }

    // `message` without the path in front of `:LINE:COLUMN`.
    void expect_bad(const std::string& text, const std::string& message,
                    ExitCode code = ExitCode::bad_config) const {
        expect_error([&] { read(text); }, code, ini() + message);
    }

    std::string hash_with(const std::string& from, const std::string& to) const {
        read_full();
        std::string text = full;
        text.replace(text.find(from), from.size(), to);
        return read(text).hash;
    }

    TemporaryDirectory directory_;
};

}  // namespace sluice::test
