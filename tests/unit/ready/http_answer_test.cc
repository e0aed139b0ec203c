#include "ready/http_answer.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace isoenv {
namespace {

/// What is said about an answer that arrives in pieces of `size` bytes.
std::string judge(std::string_view answer, std::size_t size, int status = 0,
                  const Pattern* body = nullptr) {
  HttpAnswer http("GET /", status, body);
  for (; !answer.empty(); answer.remove_prefix(std::min(size, answer.size()))) {
    http.feed(answer.substr(0, size));
  }
  http.finish();
  EXPECT_TRUE(http.judged());
  return (http.passed() ? "passed: " : "failed: ") + http.sentence();
}

TEST(HttpAnswerTest, IsJudgedTheSameInWhateverPiecesItArrives) {
  const Pattern pattern("^ready$");
  const std::string answer =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nrea\r\n2\r\ndy\r\n0\r\n\r\n";
  for (const std::size_t size : {1U, 2U, 7U, 1000U}) {
    EXPECT_EQ(judge(answer, size, 200, &pattern), "passed: GET / answered 200");
    EXPECT_EQ(judge(answer, size, 204), "failed: GET / answered 200, expected 204");
    EXPECT_EQ(judge("SSH-2.0-x\r\n\r\n", size),
              "failed: GET /: the answer is not HTTP: bad version");
  }
}

// An assertion of Beast ended the keeper.
TEST(HttpAnswerTest, MayHaveNoChunkAtAll) {
  const Pattern pattern("^$");
  for (const std::size_t size : {1U, 2U, 3U, 4U, 1000U}) {
    EXPECT_EQ(judge("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", size, 200,
                    &pattern),
              "passed: GET / answered 200");
    EXPECT_EQ(
        judge("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", size, 200, &pattern),
        "failed: GET / answered 200, but the connection was closed in mid-answer");
  }
}

TEST(HttpAnswerTest, IsJudgedByItsStatusBeforeItsBodyArrives) {
  HttpAnswer answer("GET /", 0, nullptr);
  answer.feed("HTTP/1.1 503 No\r\nContent-Length: 99999999\r\n\r");
  EXPECT_FALSE(answer.judged());
  answer.feed("\n");
  EXPECT_EQ(answer.sentence(), "GET / answered 503");
  answer.feed("more");
  answer.finish();
  EXPECT_EQ(answer.sentence(), "GET / answered 503");
}

TEST(HttpAnswerTest, IsRefusedWhenItsHeaderNeverEnds) {
  HttpAnswer answer("GET /", 0, nullptr);
  answer.feed("HTTP/1.1 200 OK\r\nX: ");
  for (int i = 0; i < 1000 && !answer.judged(); ++i) answer.feed(std::string(1024, 'x'));
  EXPECT_TRUE(answer.judged());
  EXPECT_FALSE(answer.passed());
}

}  // namespace
}  // namespace isoenv
