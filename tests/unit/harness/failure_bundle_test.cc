#include "harness/failure_bundle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "base/error.h"
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

TestFacts facts() {
  TestFacts facts;
  facts.name = "t";
  facts.repeated.command = {"false"};
  return facts;
}

TEST(FailureBundleTest, StaysForTheNewestOnly) {
  const test::TempDir artefacts;
  TestFailure failure;
  failure.what = "exit code 1";
  failure.plan = R"({"services": []})";
  Bundle last;
  for (std::size_t i = 0; i < kKeptBundles + 3; ++i) {
    last = write_bundle(facts(), LogSlices(artefacts.path()), failure);
  }
  const std::filesystem::directory_iterator folders(artefacts.path() / "failed_tests");
  EXPECT_EQ(std::distance(begin(folders), end(folders)),
            static_cast<std::ptrdiff_t>(kKeptBundles));
  EXPECT_TRUE(exists(last.folder / "README.txt"));
}

TEST(FailureBundleTest, ThatCannotBeWrittenIsAnError) {
  EXPECT_THROW(write_bundle(facts(), LogSlices("/no/such/place"), {}), Error);
}

TEST(FailureBundleTest, TellsWhereItIs) {
  testing::internal::CaptureStderr();
  tell_bundle({"t", "exit code 1", {}, "/p/failed_tests/t", "ctest -R t"});
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_NE(told.find("test 't' failed (exit code 1)"), std::string::npos);
  EXPECT_NE(told.find("/p/failed_tests/t/README.txt\n"), std::string::npos);
  EXPECT_NE(told.find("to repeat it alone: ctest -R t\n"), std::string::npos);
}

TEST(TestFactsTest, ComeBackFromTheirText) {
  TestFacts before = facts();
  before.name = "a\xff\"b";
  before.owns_instance = true;
  before.variables = {{"A", "\xfe\n"}, {"B", ""}};
  before.repeated.command = {"x", "", "\x80"};
  before.repeated.services = {"web"};
  before.repeated.faults = {"pause:web@1s"};
  before.repeated.tolerance = parse_tolerance({"web"}, {"web:3"});
  before.repeated.ctest_folder = "/p";
  const TestFacts after = test_facts_from_text(to_text(before, 10'000));
  EXPECT_EQ(after.name, before.name);
  EXPECT_TRUE(after.owns_instance);
  EXPECT_EQ(after.variables, before.variables);
  EXPECT_EQ(repeat_command(after.repeated), repeat_command(before.repeated));
  EXPECT_THROW(test_facts_from_text("{}"), Error);
}

TEST(TestFactsTest, LeaveOutWhatIsTooLong) {
  TestFacts long_ones = facts();
  long_ones.variables = {{"A", std::string(2000, 'x')}};
  TestFacts kept = test_facts_from_text(to_text(long_ones, 1000));
  EXPECT_TRUE(kept.variables.empty());
  EXPECT_EQ(kept.repeated.command, long_ones.repeated.command);
  long_ones.repeated.command.assign(1, std::string(2000, 'y'));
  kept = test_facts_from_text(to_text(long_ones, 1000));
  EXPECT_EQ(kept.name, "t");
  EXPECT_TRUE(kept.repeated.command.empty());
}

}  // namespace
}  // namespace isoenv
