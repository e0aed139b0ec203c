// Test programs behind `isoenv exec` and `isoenv run` as a launcher: asked for their tests, they
// answer without an instance; asked to run one, they never run outside.
#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class ListingTest : public SystemTest {
 protected:
  void SetUp() override {
    spec_ = write_spec(R"("services": {
      "web": {"command": ["test_service", "tcp_echo", "*", "80", "web: "], "ports": {"http": 80}}})");
  }
  std::vector<std::string> artefacts(const std::filesystem::path& folder) const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  std::filesystem::path spec_;
};

TEST_F(ListingTest, NeedsNoInstance) {
  for (const char* command : {"exec", "run"}) {
    const Outcome outcome =
        isoenv({command, "--file", "there-is-none.json", "--service", "web", "--listing=the-list",
                "--", "test_service", "writes", "the-list", "then", "shows_environment"});
    ASSERT_THAT(outcome, ExitedWith(0)) << command;
    EXPECT_THAT(outcome.out, StartsWith("the-list")) << command;
    EXPECT_EQ(variable(outcome.out, "ISOENV_INSTANCE"), "(not set)") << command;
  }
  EXPECT_FALSE(std::filesystem::exists(artefact_dir()));
  expect_nothing_left();
}

TEST_F(ListingTest, PassesTheExitCodeOn) {
  EXPECT_THAT(isoenv({"exec", "--listing=3", "--", "test_service", "exits", "3"}), ExitedWith(3));
  EXPECT_THAT(isoenv({"exec", "--listing=x", "--", "there-is-none", "x"}), ExitedWith(125));
}

TEST_F(ListingTest, IsNotTakenForARunOfATest) {
  const Outcome outcome =
      isoenv({"exec", "-f", spec_, "--listing=--list", "--", "test_service", "writes", "--lists"});
  EXPECT_THAT(outcome, ExitedWith(125));
  EXPECT_THAT(outcome.out, IsEmpty());
}

TEST_F(ListingTest, GivesEachCommandAFolderOfItsOwn) {
  for (const char* word : {"--gtest_filter=A.b", "--gtest_filter=A.c"}) {
    const Outcome outcome = isoenv({"run", "-f", spec_, "--artefacts", artefact_dir(),
                                    "--per-command", "--", "test_service", "writes", word});
    ASSERT_THAT(outcome, ExitedWith(0));
  }
  const std::vector<std::string> folders = artefacts(artefact_dir());
  ASSERT_THAT(folders,
              AllOf(SizeIs(2), Contains(StartsWith("A.b-")), Contains(StartsWith("A.c-"))));
  for (const std::string& folder : folders) {
    EXPECT_THAT(artefacts(artefact_dir() / folder), Contains("latest"));
  }
  expect_nothing_left();
}

}  // namespace
}  // namespace isoenv::test
