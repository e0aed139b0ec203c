#include "harness/failure_bundle.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace isoenv
