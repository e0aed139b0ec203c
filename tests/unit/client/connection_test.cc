#include "source/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_keeper.h"
#include "isoenv/error.h"
#include "support/temp_dir.h"

namespace isoenv::inline client {
namespace {

using ::testing::HasSubstr;

class ConnectionTest : public ::testing::Test {
 protected:
  std::string message_of(const std::string& answer) {
    const test::FakeKeeper keeper(folder_.path(), answer);
    try {
      connection_.ask(Json{{"request", "ps"}});
    } catch (const EnvironmentError& error) {
      return error.what();
    }
    return "it did not throw";
  }

  test::TempDir folder_;
  Connection connection_{folder_.path() / "control", "the instance"};
};

TEST_F(ConnectionTest, SendsOneLineAndReturnsTheAnswer) {
  const test::FakeKeeper keeper(folder_.path(), "{\"ending\":false,\"rung\":\"root\"}\n");
  EXPECT_EQ(connection_.ask(Json{{"request", "mark"}, {"text", "a\nb\xff"}}).at("rung"), "root");
  EXPECT_EQ(keeper.request(), "{\"request\":\"mark\",\"text\":\"a\\nb\xef\xbf\xbd\"}");
  EXPECT_TRUE(connection_.is_alive());
}

TEST_F(ConnectionTest, ReadsTheReportInAnAnswer) {
  const test::FakeKeeper keeper(folder_.path(), "{\"ending\":true,\"report\":\"[1,2]\"}\n");
  EXPECT_EQ(connection_.ask_for_report(Json{{"request", "ps"}}), Json::parse("[1,2]"));
}

TEST_F(ConnectionTest, SaysThatTheInstanceHasEnded) {
  EXPECT_FALSE(connection_.is_alive());
  EXPECT_EQ(message_of(""), "the instance ended before it answered");
  EXPECT_EQ(message_of("{\"ending\":"), "the instance ended before it answered");
  EXPECT_EQ(message_of("{\"ending\":true}\n"), "the instance is ending");
  const Connection nobody(folder_.path() / "nowhere", "the instance");
  try {
    nobody.ask(Json::object());
    ADD_FAILURE() << "it did not throw";
  } catch (const EnvironmentError& error) {
    EXPECT_STREQ(error.what(), "the instance has ended");
  }
}

TEST_F(ConnectionTest, PassesARefusalOn) {
  EXPECT_EQ(message_of(R"({"ending":false,"error":{"message":"no","hint":"ask again","code":2,)"
                       R"("frames":["while asking"]}})"
                       "\n"),
            "no\n  while asking\n  hint: ask again");
}

TEST_F(ConnectionTest, RefusesAnAnswerThatMakesNoSense) {
  EXPECT_THAT(message_of("hello\n"), HasSubstr("makes no sense"));
  EXPECT_THAT(message_of("[]\n"), HasSubstr("makes no sense"));
  EXPECT_THAT(message_of("{\"ending\":3}\n"), HasSubstr("makes no sense"));
  EXPECT_THAT(message_of("{\"ending\":false,\"error\":{}}\n"), HasSubstr("makes no sense"));
}

TEST_F(ConnectionTest, RefusesAPathThatIsTooLong) {
  const Connection connection(folder_.path() / std::string(200, 'x'), "the instance");
  EXPECT_THROW(connection.ask(Json::object()), EnvironmentError);
}

}  // namespace
}  // namespace isoenv::inline client
