#include "harness/ctest_selection.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace isoenv {
namespace {

using Words = std::vector<std::string>;

TEST(CtestSelectionTest, IsEverythingWhenNoWordNarrowsIt) {
  for (const Words& words : std::vector<Words>{
           {"ctest"},
           {"/usr/bin/ctest", "-j", "4", "--output-on-failure"},
           {"ctest", "-j4"},
           {"ctest", "-j"},
           {"ctest", "-j", "-V"},
           {"ctest", "--parallel", "8", "-C", "Debug"},
           {"ctest", "--parallel=8", "--test-dir", "build"},
           {"ctest", "--force-new-ctest-process"},
           {"ctest", "--repeat", "until-pass:2", "--timeout", "60", "--output-junit", "x.xml"},
           {"ctest", "--no-tests=error", "--progress"},
           {"ctest", "-T", "test", "--schedule-random"},
           {"ctest", "-T", "Test", "--output-log", "-R"}}) {
    EXPECT_TRUE(runs_all_tests(words)) << ::testing::PrintToString(words);
  }
}

TEST(CtestSelectionTest, IsNotEverythingWhenAWordMayNarrowItOrIsNotKnown) {
  for (const Words& words : std::vector<Words>{{},
                                               {"ctest", "-R", "order"},
                                               {"ctest", "-Rorder"},
                                               {"ctest", "--tests-regex", "order"},
                                               {"ctest", "--tests-regex=order"},
                                               {"ctest", "-E", "slow"},
                                               {"ctest", "-L", "fast"},
                                               {"ctest", "-LE", "isoenv"},
                                               {"ctest", "-I", "1,4"},
                                               {"ctest", "-U"},
                                               {"ctest", "--rerun-failed"},
                                               {"ctest", "-FS", "isoenv"},
                                               {"ctest", "-FA", "isoenv"},
                                               {"ctest", "-F"},
                                               {"ctest", "--stop-on-failure"},
                                               {"ctest", "--stop-time", "12:00"},
                                               {"ctest", "--preset", "ci"},
                                               {"ctest", "--tests-from-file", "tests.txt"},
                                               {"ctest", "-S", "nightly.cmake"},
                                               {"ctest", "-D", "Nightly"},
                                               {"ctest", "-T", "memcheck"},
                                               {"ctest", "-T"},
                                               {"ctest", "-C"},
                                               {"ctest", "--build-and-test", "a", "b"},
                                               {"ctest", "--something-new"},
                                               {"ctest", "order"},
                                               {"ctest", "-jx"}}) {
    EXPECT_FALSE(runs_all_tests(words)) << ::testing::PrintToString(words);
  }
}

TEST(CtestSelectionTest, IsReadFromARunningProcess) {
  // This program was not called as a ctest that runs everything.
  EXPECT_FALSE(runs_all_tests(ProcessId{::getpid(), 1})) << "another process had this pid";
  EXPECT_FALSE(runs_all_tests(ProcessId{0, 0}));
}

}  // namespace
}  // namespace isoenv
