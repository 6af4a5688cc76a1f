#pragma once

#include "core/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace sluice::test {

/// Expects `step` to throw Error(code) whose one-line message contains `part`.
inline void expect_error(ExitCode code, const std::string& part,
                         const std::function<void()>& step) {
    try {
        step();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), code) << error.what();
        EXPECT_THAT(error.what(), ::testing::HasSubstr(part));
        EXPECT_THAT(error.what(), ::testing::Not(::testing::HasSubstr("\n")));
        return;
    }
    ADD_FAILURE() << "no Error was thrown; expected one about '" << part << "'";
}

}  // namespace sluice::test
