#include "oracle/judge.hpp"

#include "tests/oracle/judge_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace sluice::oracle {
namespace {

using queue::ItemResult;
using queue::ItemStatus;
using test::energy_rule;
using test::exited;
using test::JudgeTest;
using ::testing::StartsWith;
using End = ProcessOutcome::End;

TEST_F(JudgeTest, says_which_item_and_what_it_cost) {
    ProcessOutcome outcome = exited(0, "TOTAL ENERGY -10.5 Eh\n");
    outcome.started = 1e9;
    outcome.wall_seconds = 2.5;
    outcome.cpu_seconds = 1.5;
    outcome.peak_memory_kib = 1024;
    const Spec spec = spec_with(energy_rule);
    const ItemResult result = judge_item(spec, item_, outcome, scratch_.path());
    expect_label(result, {-10.5}, {"Eh"});
    EXPECT_EQ(result.item, 4);
    EXPECT_EQ(result.row, 17);
    EXPECT_EQ(result.id, "w-17");
    EXPECT_EQ(result.started, 1e9);
    EXPECT_EQ(result.wall_seconds, 2.5);
    EXPECT_EQ(result.cpu_seconds, 1.5);
    EXPECT_EQ(result.peak_memory_kib, 1024);
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_FALSE(result.signal.has_value());
    EXPECT_EQ(result.oracle_hash, spec.hash);
}

TEST_F(JudgeTest, how_the_process_ended) {
    ProcessOutcome outcome;
    outcome.start_error = "No such file or directory";
    expect(judge(energy_rule, outcome), ItemStatus::oracle_error,
           "cannot start: No such file or directory");
    outcome.output = "TOTAL ENERGY -10.5\n";
    outcome.end = End::timed_out;
    expect(judge(energy_rule, outcome, "time_limit = 1.5\n"), ItemStatus::timeout,
           "ran longer than 1.5 s");
    outcome.end = End::log_limit;
    expect(judge(energy_rule, outcome), ItemStatus::oracle_error,
           "wrote more than 1 MiB of output");
    outcome.end = End::signalled;
    outcome.signal = 11;
    const ItemResult killed = judge(energy_rule, outcome);
    expect(killed, ItemStatus::oracle_error, "killed by signal 11 (SIGSEGV)");
    EXPECT_EQ(killed.signal, 11);
    EXPECT_FALSE(killed.exit_code.has_value());
    outcome.signal = 25;
    expect(judge(energy_rule, outcome), ItemStatus::oracle_error,
           "killed by signal 25 (SIGXFSZ, a file beyond file_limit)");
    outcome.signal = 40;
    expect(judge(energy_rule, outcome), ItemStatus::oracle_error, "killed by signal 40");
}

TEST_F(JudgeTest, exit_codes) {
    put("result.json", test::good_json);
    for (const int code : {1, 2, 7, 127, 201})
        expect(judge("", exited(code)), ItemStatus::oracle_error,
               "exit code " + std::to_string(code));
    expect(judge("", exited(10)), ItemStatus::oracle_error,
           "the oracle says failed (exit code 10)");
    expect(judge("", exited(20)), ItemStatus::refused, "asked to be run later (exit code 20)");
    expect(judge("", exited(75)), ItemStatus::refused, "asked to be run later (exit code 75)");
    expect(judge("", exited(30)), ItemStatus::refused, "asked its worker to stop (exit code 30)");
    EXPECT_TRUE(asks_to_stop(exited(30)));
    EXPECT_FALSE(asks_to_stop(exited(20)));
    ProcessOutcome killed = exited(30);
    killed.end = End::signalled;
    EXPECT_FALSE(asks_to_stop(killed));
}

TEST_F(JudgeTest, exit_codes_with_a_reason) {
    put("result.json", R"({"status": "nonconverged", "reason": "SCF: 200 cycles"})");
    expect(judge("", exited(10)), ItemStatus::nonconverged, "SCF: 200 cycles");
    expect(judge("", exited(20)), ItemStatus::refused, "SCF: 200 cycles");
    put("result.json", R"({"status": "ok", "y": 1, "converged": true, "reason": "none"})");
    expect(judge("", exited(10)), ItemStatus::oracle_error, "none");
}

TEST_F(JudgeTest, a_check_explains_an_exit_code) {
    const std::string checks = energy_rule +
                               "[check any output]\nfile = stdout\nrequired = .\n"
                               "[check SCF not converged]\nfile = stderr\n"
                               "forbidden = abnormal termination\nstatus = nonconverged\n";
    expect(judge(checks, exited(1, "", "abnormal termination of xtb\n")), ItemStatus::nonconverged,
           "SCF not converged");
    expect(judge(checks, exited(1, "", "license\n")), ItemStatus::oracle_error, "exit code 1");
    expect(judge(checks, exited(20, "", "abnormal termination\n")), ItemStatus::refused,
           "asked to be run later (exit code 20)");
}

TEST_F(JudgeTest, checks_are_made_in_order) {
    const std::string checks = energy_rule +
                               "[check normal end]\nfile = stderr\nrequired = normal termination\n"
                               "[check warnings]\nfile = stdout\nforbidden = ^WARNING\n"
                               "status = invalid\n";
    const std::string good = "TOTAL ENERGY -10\n";
    expect_label(judge(checks, exited(0, good, "a\nnormal termination of xtb\n")), {-10}, {"Eh"});
    expect(judge(checks, exited(0, good + "WARNING\n", "")), ItemStatus::oracle_error,
           "normal end");
    expect(judge(checks, exited(0, good + "WARNING\n", "normal termination")), ItemStatus::invalid,
           "warnings");
    expect_label(judge(checks, exited(0, "no WARNING\n" + good, "normal termination")), {-10},
                 {"Eh"});
}

TEST_F(JudgeTest, checks_on_files) {
    const std::string forbidden = energy_rule + "[check crash]\nfile = CRASH\nforbidden = .\n";
    const ProcessOutcome outcome = exited(0, "TOTAL ENERGY -10\n");
    expect_label(judge(forbidden, outcome), {-10}, {"Eh"});
    put("CRASH", "why\n");
    expect(judge(forbidden, outcome), ItemStatus::oracle_error, "crash");
    std::filesystem::remove(scratch_.file("CRASH"));
    std::filesystem::create_symlink("/dev/null", scratch_.file("CRASH"));
    const ItemResult link = judge(forbidden, outcome);
    expect(link, ItemStatus::oracle_error, "crash");
    EXPECT_EQ(link.log_tail, "CRASH is a link\nTOTAL ENERGY -10\n");
    const std::string required = energy_rule + "[check done]\nfile = DONE\nrequired = yes\n";
    expect(judge(required, outcome), ItemStatus::oracle_error, "done");
    put("DONE", "yes");
    expect_label(judge(required, outcome), {-10}, {"Eh"});
}

TEST_F(JudgeTest, the_last_match_wins_unless_told_otherwise) {
    const std::string two = "TOTAL ENERGY 5 TOTAL ENERGY -9.5\nx\r\nTOTAL ENERGY -10.25\r\nend";
    expect_label(judge(energy_rule, exited(0, two)), {-10.25}, {"Eh"});
    expect(judge(energy_rule + "match = first\n", exited(0, two)), ItemStatus::invalid,
           "energy is above max -9");
    const std::string one = "TOTAL ENERGY 5 TOTAL ENERGY -9.5\n";
    expect_label(judge(energy_rule, exited(0, one)), {-9.5}, {"Eh"});
}

TEST_F(JudgeTest, numbers_in_text) {
    const std::string rule = "[label e]\nfile = stdout\npattern = E=(\\S*)\n";
    for (const auto& [word, value] :
         std::vector<std::pair<std::string, double>>{{"-1.5", -1.5},
                                                     {"+2.5", 2.5},
                                                     {"1.0D-3", 1e-3},
                                                     {"-4.2d+01", -42.0},
                                                     {"7", 7.0},
                                                     {".5", 0.5},
                                                     {"5.", 5.0},
                                                     {"1E3", 1000.0},
                                                     {"-0", -0.0},
                                                     {"0x10", 0.0}}) {
        const ItemResult result = judge(rule, exited(0, "E=" + word + "\n"));
        if (word == "0x10") {
            expect(result, ItemStatus::invalid, "e is not a number");
        } else {
            expect_label(result, {value});
        }
    }
    for (const char* word :
         {"", "abc", "********", "1,5", "1.0e", "--1", "+-1", "1.0Eh", "1_000"}) {
        const ItemResult result = judge(rule, exited(0, std::string("E=") + word + "\n"));
        expect(result, ItemStatus::invalid, "e is not a number");
        EXPECT_THAT(result.log_tail, StartsWith(std::string("e = ") + word + "\n"));
    }
    for (const char* word : {"nan", "NaN", "-nan", "inf", "-Infinity", "1e999", "-1D+999"}) {
        const ItemResult result = judge(rule, exited(0, std::string("E=") + word + "\n"));
        expect(result, ItemStatus::invalid, "e is not finite");
    }
}

TEST_F(JudgeTest, a_missing_label_is_never_a_number) {
    expect(judge(energy_rule, exited(0, "nothing\n")), ItemStatus::oracle_error,
           "no match for label energy in stdout");
    expect(judge(energy_rule, exited(0)), ItemStatus::oracle_error,
           "no match for label energy in stdout");
    const std::string rule = "[label u]\nfile = b.dat\npattern = U (\\S+)\n";
    expect(judge(rule, exited(0, "U 1")), ItemStatus::oracle_error, "no file b.dat for label u");
    put("b.dat", "");
    expect(judge(rule, exited(0, "U 1")), ItemStatus::oracle_error,
           "no match for label u in b.dat");
    put("b.dat", "U 1.5\n");
    expect_label(judge(rule, exited(0)), {1.5});
    const std::string optional = "[label u]\nfile = stdout\npattern = U(\\s+\\S+)?$\n";
    expect(judge(optional, exited(0, "U\n")), ItemStatus::oracle_error,
           "no match for label u in stdout");
}

TEST_F(JudgeTest, only_the_oracles_own_plain_files_are_read) {
    const std::string rule = "[label u]\nfile = sub/b.dat\npattern = U (\\S+)\n";
    std::filesystem::create_directory(scratch_.file("sub"));
    put("sub/b.dat", "U 1\n");
    expect_label(judge(rule, exited(0)), {1.0});
    std::filesystem::remove(scratch_.file("sub/b.dat"));
    std::ofstream(ini_.file("b.dat")) << "U 2\n";
    std::filesystem::create_symlink(ini_.file("b.dat"), scratch_.file("sub/b.dat"));
    expect(judge(rule, exited(0)), ItemStatus::oracle_error, "sub/b.dat is a link for label u");
    std::filesystem::remove_all(scratch_.file("sub"));
    std::filesystem::create_directory_symlink(ini_.path(), scratch_.file("sub"));
    expect(judge(rule, exited(0)), ItemStatus::oracle_error,
           "sub/b.dat is not below a folder for label u");
    std::filesystem::remove(scratch_.file("sub"));
    std::filesystem::create_directory(scratch_.file("sub"));
    std::filesystem::create_directory(scratch_.file("sub/b.dat"));
    expect(judge(rule, exited(0)), ItemStatus::oracle_error,
           "sub/b.dat is not a regular file for label u");
    std::filesystem::remove(scratch_.file("sub/b.dat"));
    ASSERT_EQ(::mkfifo(scratch_.file("sub/b.dat").c_str(), 0600), 0);
    expect(judge(rule, exited(0)), ItemStatus::oracle_error,
           "sub/b.dat is not a regular file for label u");
    std::filesystem::remove(scratch_.file("sub/b.dat"));
    put("sub/b.dat", "U 1\n");
    std::filesystem::resize_file(scratch_.file("sub/b.dat"), (std::uintmax_t{64} << 20) + 1);
    expect(judge(rule, exited(0)), ItemStatus::oracle_error,
           "sub/b.dat is larger than 64 MiB for label u");
    if (::geteuid() != 0) return;
    put("sub/b.dat", "U 1\n");
    ASSERT_EQ(::chown(scratch_.file("sub/b.dat").c_str(), 65534, 65534), 0);
    expect(judge(rule, exited(0)), ItemStatus::oracle_error,
           "sub/b.dat belongs to somebody else for label u");
}

TEST_F(JudgeTest, long_lines_and_hard_patterns_end) {
    const std::string evil = "[label u]\nfile = stdout\npattern = (\\S+)+ .*end\n";
    expect(judge(evil, exited(0, std::string(10'000, 'a'))), ItemStatus::oracle_error,
           "label u: the pattern takes too many steps");
    const std::string check = energy_rule + "[check c]\nfile = stdout\nrequired = .*.*x\n";
    expect(judge(check, exited(0, std::string(10'000, 'a'))), ItemStatus::oracle_error,
           "check c: the pattern takes too many steps");
    const std::string plain = "[label u]\nfile = big.log\npattern = [Uu] (\\S+)\n";
    std::string big;
    for (int i = 0; i < 4'000; ++i)
        big += "step energy temperature pressure volume and so on 1.0 2.0\n";
    put("big.log", big + "u 1\n");
    expect_label(judge(plain, exited(0)), {1.0});
    const std::string rule = "[label u]\nfile = stdout\npattern = U (\\S+)\n";
    expect_label(judge(rule, exited(0, std::string(1 << 20, 'a') + "\nU 1\n")), {1.0});
    expect(judge(rule, exited(0, std::string(65'535, 'a') + " U 1\n")), ItemStatus::oracle_error,
           "no match for label u in stdout");
}

TEST_F(JudgeTest, bounds) {
    const auto energy = [&](const std::string& value) {
        return judge(energy_rule, exited(0, "TOTAL ENERGY " + value + "\n"));
    };
    expect_label(energy("-11"), {-11}, {"Eh"});
    expect_label(energy("-9"), {-9}, {"Eh"});
    const ItemResult low = energy("-1e6");
    expect(low, ItemStatus::invalid, "energy is below min -11");
    EXPECT_EQ(low.log_tail, "energy = -1e+06\nTOTAL ENERGY -1e6\n");
    expect(energy("-8.999"), ItemStatus::invalid, "energy is above max -9");
}

TEST_F(JudgeTest, reasons_and_logs_are_short_and_printable) {
    const std::string reason(300, 'r');
    expect(judge_json(R"({"status": "invalid", "reason": ")" + reason + "\"}"), ItemStatus::invalid,
           reason.substr(0, 200));
    expect(judge_json(R"({"status": "invalid", "reason": "a\nb\u001b[31m"})"), ItemStatus::invalid,
           "a\\x0ab\\x1b[31m");
    const std::string log = std::string(5000, 'a') + "\xc3\xa9" + std::string(2047, 'z');
    const ItemResult noisy = judge("", exited(7, "out", log));
    EXPECT_EQ(noisy.log_tail, std::string(2047, 'z')) << "no half characters";
    EXPECT_EQ(judge("", exited(7, "out", " \n")).log_tail, "out");
    put("result.json",
        R"({"y": 1, "converged": true, "big": ")" + std::string(20'000, 'q') + "\"}");
    EXPECT_EQ(judge("", exited(0)).quality, "{\"left_out_bytes\":20010}");
}

}  // namespace
}  // namespace sluice::oracle
