#include "harness/failure_bundle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "support/temp_dir.h"

namespace isoenv {
namespace {

TEST(FailureBundleTest, TellsTheEnvironmentSortedWithLastValues) {
  EXPECT_EQ(environment_text({{"B", "1"}, {"A", "x y"}, {"B", "2"}}, {}), "A=x y\nB=2\n");
}

TEST(FailureBundleTest, HidesWhatIsOrSoundsSecret) {
  EXPECT_EQ(environment_text({{"LOGIN", "hunter22"},
                              {"CI_JOB_TOKEN", "abc"},
                              {"db_password", "def"},
                              {"URL", "http://u:hunter22@db"}},
                             {"LOGIN"}),
            "CI_JOB_TOKEN=***\nLOGIN=***\nURL=http://u:***@db\ndb_password=***\n");
}

TEST(FailureBundleTest, LeavesControlCharactersHarmless) {
  EXPECT_EQ(environment_text({{"A", "x\ny"}}, {}), "A=x\\x0ay\n");
}

TEST(FailureBundleTest, StaysForTheNewestOnly) {
  const test::TempDir artefacts;
  RepeatedTest repeated;
  repeated.command = {"false"};
  TestWitness::Failure failure;
  failure.status.code = 1;
  failure.plan = R"({"services": []})";
  testing::internal::CaptureStderr();
  for (std::size_t i = 0; i < kKeptBundles + 3; ++i) {
    TestWitness("t", artefacts.path(), repeated).tell(failure);
  }
  const std::string told = testing::internal::GetCapturedStderr();
  const std::filesystem::directory_iterator folders(artefacts.path() / "failed_tests");
  EXPECT_EQ(std::distance(begin(folders), end(folders)),
            static_cast<std::ptrdiff_t>(kKeptBundles));
  EXPECT_NE(told.find("README.txt"), std::string::npos);
}

TEST(FailureBundleTest, ThatCannotBeWrittenIsAWarningOnly) {
  TestWitness::Failure failure;
  failure.status.code = 1;
  testing::internal::CaptureStderr();
  RepeatedTest repeated;
  repeated.command = {"false"};
  TestWitness("t", "/no/such/place", repeated).tell(failure);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("isoenv: warning: what the services did"),
            std::string::npos);
}

}  // namespace
}  // namespace isoenv
