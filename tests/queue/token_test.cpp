#include "queue/token.hpp"

#include "queue/result_file.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::queue {
namespace {

const std::string nonce = "0123456789abcdef0123";

Token sample_token() {
    return {{"00112233445566aa", 42}, 2, 1, Holder{"node-7", 4711, nonce}, 300};
}

TEST(Token, names_hold_all_facts_and_read_back) {
    Token token = sample_token();
    EXPECT_EQ(token_name(token),
              "00112233445566aa-000042.a2.r1.node-7-4711-0123456789abcdef0123.l300");
    EXPECT_EQ(parse_token(token_name(token)), token);
    token.releases = 0;
    EXPECT_EQ(parse_token(token_name(token)), token);
    token.ticket.number = 12345678;
    token.holder->process = 0;
    token.holder->name = "-a--b-";
    EXPECT_EQ(parse_token(token_name(token)), token);
    token.holder.reset();
    token.lease_seconds = 0;
    EXPECT_EQ(token_name(token), "00112233445566aa-12345678.a2");
    EXPECT_EQ(parse_token(token_name(token)), token);
    token.releases = 3;
    token.ticket.batch_id = "a-b_c";
    EXPECT_EQ(token_name(token), "a-b_c-12345678.a2.r3");
    EXPECT_EQ(parse_token(token_name(token)), token);
}

TEST(Token, refuses_names_that_no_token_has) {
    const std::string leased = token_name(sample_token());
    ASSERT_TRUE(parse_token(leased).has_value());
    for (const std::string& name :
         std::vector<std::string>{"",
                                  ".",
                                  "..",
                                  "../x",
                                  "a1",
                                  "b-000001",
                                  "b-000001.",
                                  "b-000001.a",
                                  "b-000001.a0",
                                  "b-000001.a1.",
                                  "b-000001.a01",
                                  "b-000001.a-1",
                                  "b-000001.a+1",
                                  "b-000001.a1.r0",
                                  "b-000001.a1.r",
                                  "b-00001.a1",
                                  "b-0000001.a1",
                                  "b-000000.a1",
                                  "-000001.a1",
                                  "000001.a1",
                                  ".b-000001.a1",
                                  "../b-000001.a1",
                                  "a/b-000001.a1",
                                  "a.b-000001.a1",
                                  "b-000001.a1\n",
                                  "b\n-000001.a1",
                                  "b-000001.a1 ",
                                  "b-000001.a99999999999",
                                  "b-99999999999999999999.a1",
                                  "b-000001.a1.node",
                                  "b-000001.a1.node-1",
                                  "b-000001.a1.node-1-" + nonce,
                                  "b-000001.a1.node-1-" + nonce + ".l0",
                                  "b-000001.a1.node-1-" + nonce + ".l1.l1",
                                  "b-000001.a1.node-1-" + nonce + ".lx",
                                  "b-000001.a1.-1-" + nonce + ".l1",
                                  "b-000001.a1.node--" + nonce + ".l1",
                                  "b-000001.a1.no/de-1-" + nonce + ".l1",
                                  "b-000001.a1.node-01-" + nonce + ".l1",
                                  "b-000001.a1.node-1-" + nonce + "0.l1",
                                  "b-000001.a1.node-1-0123456789ABCDEF0123.l1",
                                  std::string("b-000001.a1\0", 12),
                                  std::string(300, 'b') + "-000001.a1"}) {
        EXPECT_FALSE(parse_token(name).has_value()) << name;
    }
}

TEST(Token, every_shortening_or_changed_byte_gives_another_token_or_none) {
    const std::string name = token_name(sample_token());
    for (std::size_t i = 0; i < name.size(); ++i) {
        EXPECT_NE(parse_token(name.substr(0, i)), sample_token()) << i;
        for (const char c : {'0', 'z', '.', '-', '/', '\n', '\xff'}) {
            std::string changed = name;
            changed[i] = c;
            const std::optional<Token> token = parse_token(changed);
            EXPECT_EQ(token ? token_name(*token) : changed, changed);
        }
    }
}

TEST(ResultName, reads_back_and_differs_from_every_token) {
    Token token = sample_token();
    token.lease_seconds = 0;
    const ResultName name{token, "l300"};
    const std::string text = result_file_name(name);
    EXPECT_EQ(text, "00112233445566aa-000042.a2.r1.node-7-4711-0123456789abcdef0123.l300.jsonl");
    EXPECT_EQ(parse_result_name(text), name);
    EXPECT_FALSE(parse_token(text).has_value());
    EXPECT_FALSE(parse_result_name(token_name(sample_token())).has_value());
}

TEST(ResultName, refuses_names_that_no_result_file_has) {
    const std::string stem = "b-000001.a1.node-1-" + nonce;
    ASSERT_TRUE(parse_result_name(stem + ".1.jsonl").has_value());
    for (const std::string& name : std::vector<std::string>{
             "", ".jsonl", "x.jsonl", "../" + stem + ".1.jsonl", stem + ".jsonl", stem + "..jsonl",
             stem + ".1", stem + ".1.jsonl~", stem + ".a-b.jsonl", stem + ".1\n.jsonl",
             stem + ".1.1.jsonl", "b-000001.a1.1.jsonl", stem + ".l5.1.jsonl",
             stem + "." + std::string(65, 'p') + ".jsonl"}) {
        EXPECT_FALSE(parse_result_name(name).has_value()) << name;
    }
}

}  // namespace
}  // namespace sluice::queue
