#include "oracle/judge.hpp"
#include "tests/oracle/judge_fixture.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>

namespace sluice::oracle {
namespace {

using queue::ItemResult;
using queue::ItemStatus;
using test::energy_rule;
using test::exited;
using JudgeJson = test::JudgeTest;

TEST_F(JudgeJson, result_json) {
    expect_label(judge_json(test::good_json), {-10.5}, {"Eh"});
    expect_label(judge_json(R"({"y": [1, 2.5], "converged": true})"), {1.0, 2.5});
    expect_label(judge_json(R"({"y": [1, 2], "units": ["m", "s"], "converged": true})"), {1, 2},
                 {"m", "s"});
    expect_label(judge_json(R"({"y": [1, 2], "units": "m", "status": "ok", "converged": true})"),
                 {1, 2}, {"m", "m"});
    const ItemResult result =
        judge_json(R"({"y": 1, "converged": true, "iterations": 12, "residual": 1e-9})");
    EXPECT_EQ(nlohmann::json::parse(result.quality),
              nlohmann::json::parse(R"({"iterations": 12, "residual": 1e-9})"));
}

TEST_F(JudgeJson, result_json_that_is_none) {
    expect(judge("", exited(0)), ItemStatus::oracle_error, "no result.json");
    for (const char* text : {"", "{", "[1]", "1", "null", "y = 1", R"({"y": 1, "conv)",
                             R"({"y": 1, "converged": true} x)", "\xff\xfe"}) {
        expect(judge_json(text), ItemStatus::oracle_error, "result.json is not a JSON object");
    }
    const std::string deep = R"({"y": 1, "converged": true, "a": )" + std::string(100'000, '[') +
                             std::string(100'000, ']') + "}";
    expect(judge_json(deep), ItemStatus::oracle_error, "result.json is not a JSON object");
    std::filesystem::remove(scratch_.file("result.json"));
    std::filesystem::create_symlink("/etc/passwd", scratch_.file("result.json"));
    expect(judge("", exited(0)), ItemStatus::oracle_error, "result.json is a link");
}

TEST_F(JudgeJson, result_json_about_convergence) {
    expect(judge_json(R"({"y": 1})"), ItemStatus::invalid, "converged is missing");
    expect(judge_json(R"({"y": 1, "converged": 1})"), ItemStatus::invalid,
           "converged is neither true nor false");
    expect(judge_json(R"({"y": 1, "converged": "yes"})"), ItemStatus::invalid,
           "converged is neither true nor false");
    expect(judge_json(R"({"y": 1, "converged": false})"), ItemStatus::nonconverged,
           "not converged");
    expect(judge_json(R"({"y": 1, "status": "ok", "converged": false, "reason": "SCF"})"),
           ItemStatus::nonconverged, "SCF");
    expect(judge_json(R"({"y": 1, "status": "nonconverged", "converged": true})"),
           ItemStatus::nonconverged, "the oracle says nonconverged");
    for (const char* name : {"invalid", "timeout", "oracle_error", "refused"}) {
        const std::string text = std::string(R"({"y": 1, "reason": "r", "status": ")") + name;
        expect(judge_json(text + "\"}"), *queue::parse_status(name), "r");
    }
    expect(judge_json(R"({"y": 1, "status": "fine", "converged": true})"), ItemStatus::oracle_error,
           "unknown status in result.json");
    expect(judge_json(R"({"y": 1, "status": true, "converged": true})"), ItemStatus::oracle_error,
           "unknown status in result.json");
}

TEST_F(JudgeJson, result_json_with_a_bad_label) {
    const auto judge_y = [&](const std::string& rest) {
        return judge_json(R"({"converged": true)" + rest + "}");
    };
    expect(judge_y(""), ItemStatus::oracle_error, "no y in result.json");
    expect(judge_y(R"(, "y": null)"), ItemStatus::invalid, "y is not finite");
    expect(judge_y(R"(, "y": NaN)"), ItemStatus::invalid, "y is not finite");
    expect(judge_y(R"(, "y": [1, -Infinity])"), ItemStatus::invalid, "y is not finite");
    expect(judge_y(R"(, "y": 1e999)"), ItemStatus::invalid, "y is not finite");
    expect(judge_y(R"(, "y": "1.5")"), ItemStatus::invalid, "y is not a number");
    expect(judge_y(R"(, "y": [[1]])"), ItemStatus::invalid, "y is not a number");
    expect(judge_y(R"(, "y": true)"), ItemStatus::invalid, "y is not a number");
    expect(judge_y(R"(, "y": [])"), ItemStatus::invalid, "y is empty");
    expect(judge_y(R"(, "y": {"a": 1})"), ItemStatus::invalid,
           "y is an object; give each part a [label NAME] section");
    expect(judge_y(R"(, "y": 1, "units": 3)"), ItemStatus::invalid,
           "units is neither a text nor a list of texts");
    expect(judge_y(R"(, "y": 1, "units": ["a", "b"])"), ItemStatus::invalid,
           "units and y differ in number");
    std::string many = ", \"y\": [0";
    for (int i = 0; i < 65'536; ++i)
        many += ",0";
    expect(judge_y(many + "]"), ItemStatus::invalid, "y has more than 65,536 numbers");
    expect_label(judge_y(R"(, "y": 1, "note": "y is \"NaN\" {[", "residual": NaN)"), {1.0});
}

TEST_F(JudgeJson, labels_out_of_result_json) {
    const std::string rules = "[label e]\nunit = Eh\nmin = -2\n[label f]\nmax = 5\n";
    expect_label(judge_json(R"({"y": {"f": 2, "e": -1, "g": 0}, "converged": true})", rules),
                 {-1, 2}, {"Eh", ""});
    expect_label(judge_json(R"({"y": [-1, 2], "units": ["Eh", "N"], "converged": true})", rules),
                 {-1, 2}, {"Eh", "N"});
    expect_label(judge_json(R"({"y": [-1, 2], "units": {"f": "N"}, "converged": true})", rules),
                 {-1, 2}, {"Eh", "N"});
    expect(judge_json(R"({"y": {"e": -1}, "converged": true})", rules), ItemStatus::oracle_error,
           "no y.f in result.json");
    expect(judge_json(R"({"y": [-1], "converged": true})", rules), ItemStatus::invalid,
           "y has 1 numbers, not 2");
    expect(judge_json(R"({"y": -1, "converged": true})", rules), ItemStatus::invalid,
           "y has 1 numbers, not 2");
    expect(judge_json(R"({"converged": true})", rules), ItemStatus::oracle_error,
           "no y in result.json");
    expect(judge_json(R"({"y": [-1, 2], "units": ["eV", "N"], "converged": true})", rules),
           ItemStatus::invalid, "e is not in Eh");
    expect(judge_json(R"({"y": [-3, 2], "converged": true})", rules), ItemStatus::invalid,
           "e is below min -2");
    expect(judge_json(R"({"y": [-1, 6], "converged": true})", rules), ItemStatus::invalid,
           "f is above max 5");
    expect(judge_json(R"({"y": [-1, 2]})", rules), ItemStatus::invalid, "converged is missing");
    const std::string checked = rules + "[check c]\nfile = stderr\nforbidden = error\n";
    expect_label(judge_json(R"({"y": [-1, 2]})", checked), {-1, 2}, {"Eh", ""});
}

TEST_F(JudgeJson, labels_out_of_text_and_json_together) {
    const std::string rules = energy_rule + "[label gap]\nunit = eV\n";
    const ProcessOutcome outcome = exited(0, "TOTAL ENERGY -10\n");
    expect(judge(rules, outcome), ItemStatus::oracle_error, "no result.json");
    put("result.json", R"({"y": 3, "converged": true})");
    expect_label(judge(rules, outcome), {-10, 3}, {"Eh", "eV"});
    put("result.json", R"({"y": 3, "converged": false})");
    expect(judge(rules, outcome), ItemStatus::nonconverged, "not converged");
}

TEST_F(JudgeJson, classes) {
    const std::string option = "label_is_class = yes\n";
    const ItemResult good = judge_json(R"({"y": 3, "converged": true})", "", option);
    expect_label(good, {3.0});
    EXPECT_TRUE(good.is_class);
    for (const char* y : {"-1", "0.5", "2147483648"}) {
        expect(judge_json(std::string(R"({"converged": true, "y": )") + y + "}", "", option),
               ItemStatus::invalid, "y is not a class index");
    }
    expect(judge_json(R"({"y": [1, 2], "converged": true})", "", option), ItemStatus::invalid,
           "y is not one class index");
}

}  // namespace
}  // namespace sluice::oracle
