#pragma once

#include "oracle/judge.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

namespace sluice::test {

/// A process that exited by itself.
inline oracle::ProcessOutcome exited(int code, const std::string& output = "",
                                     const std::string& log = "") {
    oracle::ProcessOutcome outcome;
    outcome.end = oracle::ProcessOutcome::End::exited;
    outcome.exit_code = code;
    outcome.output = output;
    outcome.log = log;
    return outcome;
}

inline const std::string energy_rule = R"([label energy]
file = stdout
pattern = TOTAL ENERGY\s+(\S+)
unit = Eh
min = -11
max = -9
)";

inline const std::string good_json = R"({"y": -10.5, "units": "Eh", "converged": true})";

/// Judges one item with an oracle file written for it.
class JudgeTest : public ::testing::Test {
  protected:
    void put(const std::string& name, const std::string& text) const {
        std::ofstream(scratch_.file(name), std::ios::binary) << text;
    }

    oracle::Spec spec_with(const std::string& sections, const std::string& options = "") const {
        const std::string path = ini_.file("oracle.ini");
        std::ofstream(path) << "[oracle]\nname = x\ncommand = true\n" << options << sections;
        return oracle::read_spec(path);
    }

    queue::ItemResult judge(const std::string& sections, const oracle::ProcessOutcome& outcome,
                            const std::string& options = "") const {
        return oracle::judge_item(spec_with(sections, options), item_, outcome, scratch_.path());
    }

    queue::ItemResult judge_json(const std::string& json, const std::string& sections = "",
                                 const std::string& options = "") const {
        put("result.json", json);
        return judge(sections, exited(0), options);
    }

    void expect(const queue::ItemResult& result, queue::ItemStatus status,
                const std::string& reason) const {
        EXPECT_EQ(queue::status_name(result.status), queue::status_name(status));
        EXPECT_EQ(result.reason, reason);
        EXPECT_TRUE(result.y.empty());
        EXPECT_TRUE(result.units.empty());
        EXPECT_NO_THROW(queue::parse_result(queue::result_text(result), "test"));
    }

    void expect_label(const queue::ItemResult& result, const std::vector<double>& y,
                      const std::vector<std::string>& units = {}) const {
        EXPECT_EQ(queue::status_name(result.status), "ok");
        EXPECT_EQ(result.reason, "");
        EXPECT_EQ(result.log_tail, "");
        EXPECT_EQ(result.y, y);
        EXPECT_EQ(result.units, units);
        EXPECT_EQ(queue::parse_result(queue::result_text(result), "test").y, y);
    }

    queue::TicketItem item_ = {4, 17, "w-17", {"R"}, {2.6}};
    TemporaryDirectory scratch_;
    TemporaryDirectory ini_;
};

}  // namespace sluice::test
