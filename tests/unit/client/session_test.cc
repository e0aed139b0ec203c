#include "source/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "fake_keeper.h"
#include "support/temp_dir.h"

namespace isoenv::inline client {
namespace {

using ::testing::HasSubstr;

/// An answer that is fit for the beginning and the end of session 3.
std::string answer_with(const Json& report) {
  return Json{{"ending", false}, {"session", 3}, {"report", report.dump()}}.dump() + "\n";
}

class SessionTest : public ::testing::Test {
 protected:
  void SetUp() override { ::unsetenv("ISOENV_SESSION"); }
  std::string end_with(const Json& report) {
    const test::FakeKeeper keeper(folder_.path(), answer_with(report));
    return TestSession(instance_, "Order.Places").end();
  }

  test::TempDir folder_;
  Instance instance_{
      {folder_.path() / "control", "the instance"}, "lab", "01234567", "root", {}, {}, {}, {}, {}};
  const Json good_ = Json::parse(R"({"test":"t","failures":[],"failed":[],"warnings":["late"]})");
};

TEST_F(SessionTest, IsThatOfTheTestUnderWay) {
  const test::FakeKeeper keeper(folder_.path(), answer_with(good_));
  EXPECT_EQ(session_in(instance_), 0U);
  {
    TestSession session(instance_, std::string(1000, 'x'));
    EXPECT_EQ(session_in(instance_), 3U);
    EXPECT_EQ(Json::parse(keeper.request()).at("test").get<std::string>().size(), 256U);
    EXPECT_EQ(session.end(), "");
    EXPECT_EQ(Json::parse(keeper.request()).at("session"), 3);
  }
  EXPECT_EQ(session_in(instance_), 0U);
}

TEST_F(SessionTest, IsElseThatOfTheCommandAround) {
  ::setenv("ISOENV_SESSION", "01234567:12", 1);
  EXPECT_TRUE(has_surrounding_session(instance_));
  EXPECT_EQ(session_in(instance_), 12U);
  const test::FakeKeeper keeper(folder_.path(), answer_with(good_));
  const TestSession session(instance_, "Order.Places");
  EXPECT_EQ(Json::parse(keeper.request()).at("within"), 12);
  EXPECT_EQ(session_in(instance_), 3U);
}

TEST_F(SessionTest, IsNoneOfAnotherInstance) {
  ::setenv("ISOENV_SESSION", "76543210:12", 1);
  EXPECT_FALSE(has_surrounding_session(instance_));
  EXPECT_EQ(session_in(instance_), 0U);
}

TEST_F(SessionTest, TellsAtItsEndWhatFailsTheTest) {
  EXPECT_EQ(end_with(good_), "");
  Json report = good_;
  report["failed"] = {"the fault 'x' could not be made"};
  report["failures"] = Json::parse(
      R"([{"service":"db","what":"not ready","diagnosis":["d"],"last_lines":["l"],"log":"/db.log"}])");
  report["incidents"] = Json::parse(
      R"([{"service":"web","what":"killed by SIGSEGV","when":"12:00:00","report":["r"],"log":""}])");
  EXPECT_EQ(end_with(report),
            "the fault 'x' could not be made\n"
            "cannot be undone: db: not ready\n    d\n    | l\n    whole log: /db.log\n"
            "service 'web' at 12:00:00: killed by SIGSEGV\n    | r\n");
}

TEST_F(SessionTest, RefusesAnEndThatMakesNoSense) {
  EXPECT_THROW(end_with(Json::object()), std::runtime_error);
}

}  // namespace
}  // namespace isoenv::inline client
