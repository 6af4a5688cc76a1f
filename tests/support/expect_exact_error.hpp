#pragma once

#include "core/error.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace sluice::test {

/// Expects `step` to throw Error with exactly this code and one-line message.
inline void expect_error(const std::function<void()>& step, ExitCode code,
                         const std::string& message) {
    try {
        step();
        FAIL() << "no error; expected: " << message;
    } catch (const Error& error) {
        EXPECT_EQ(error.what(), message);
        EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code)) << message;
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << message;
    }
}

}  // namespace sluice::test
