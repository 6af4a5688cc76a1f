#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "pool/pool.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace sluice::pool::test {

/// A directory of pool files made by tests/support/make_test_pools.py, once for each test program,
/// removed at its end.
class TestPools {
  public:
    static const TestPools& instance() {
        static const TestPools pools;
        return pools;
    }

    std::string path(const std::string& name) const { return directory_ / name; }

    ~TestPools() {
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }

  private:
    TestPools()
        : directory_(std::filesystem::temp_directory_path() /
                     ("sluice_pools." + std::to_string(::getpid()))) {
        std::filesystem::create_directories(directory_);
        const char* python = std::getenv("SLUICE_PYTHON");
        const std::string command =
            std::string(python != nullptr ? python : "/usr/bin/python3") + " '" +
            source_directory() + "/tests/support/make_test_pools.py' '" + directory_.string() + "'";
        if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
    }

    // Where ctest says it is, or where this file was when it was compiled.
    static std::string source_directory() {
        if (const char* source = std::getenv("SLUICE_SOURCE")) return source;
        return std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
    }

    std::filesystem::path directory_;
};

inline std::string test_pool(const std::string& name) {
    return TestPools::instance().path(name + ".h5");
}

/// For tests that damage a file.
inline void copy_test_file(const std::string& from, const std::string& to) {
    std::filesystem::remove(to);
    std::filesystem::copy_file(from, to);
}

constexpr RowId test_rows = 203;
constexpr std::int64_t test_columns = 5;

/// What the good files hold (see make_test_pools.py).
inline double test_value(RowId row, std::int64_t column) {
    return static_cast<double>((31 * row + 7 * column) % 1000) / 8.0 - 60.0;
}

inline std::int64_t test_integer(RowId row, std::int64_t column) {
    return (31 * row + 7 * column) % 120;
}

/// Opens a pool on this process alone.
inline Pool open_alone(const PoolSource& source) {
    comm::Communicator alone;
    return open_pool(source, alone);
}

}  // namespace sluice::pool::test
