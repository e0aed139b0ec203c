// `isoenv up --pause-before`: a service's process stands still before it executes its program.
#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class PauseBeforeTest : public SystemTest {
 protected:
  void SetUp() override {
    spec_ = write_spec(R"("services": {
      "db": {"command": ["test_service", "writes", "runs\n", "then", "tcp_echo", "*", "env:PORT"],
             "ports": {"sql": "auto"}},
      "web": {"command": ["test_service", "waits"], "depends": ["db"]}})");
  }
  void TearDown() override {
    EXPECT_THAT(down(spec_), ExitedWith(0));
    SystemTest::TearDown();
  }
  void expect_paused() {
    const Outcome outcome = up(spec_, {"--pause-before", "db"});
    EXPECT_THAT(outcome, ExitedWith(0));
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("'db' is paused before its program is executed, pid "),
                                   HasSubstr("isoenv resume db"), HasSubstr("waiting for that: web")));
    EXPECT_THAT(isoenv({"ps", "-f", spec_}).out, HasSubstr("paused before its start"));
    EXPECT_FALSE(std::filesystem::exists(artefact_dir() / "latest" / "db.log"));
  }
  void expect_up() {
    EXPECT_THAT(up(spec_), ExitedWith(0));  // waits for those that still start
    EXPECT_EQ(read_file(artefact_dir() / "latest" / "db.log"), "runs\n");
  }

  std::filesystem::path spec_;
};

TEST_F(PauseBeforeTest, GoesOnWithResume) {
  expect_paused();
  const Outcome resumed = isoenv({"resume", "-f", spec_, "db"});
  EXPECT_THAT(resumed, ExitedWith(0));
  EXPECT_THAT(resumed.out, HasSubstr("db: ready after "));
  expect_up();
}

TEST_F(PauseBeforeTest, IsThereToBeTracedAndGoesOnByItself) {
  expect_paused();
  EXPECT_EQ(isoenv({"exec", "-f", spec_, "--in", "db", "--", "test_service", "attempts", "trace",
                    "2"}).out,
            "trace 2: ok\n");
  // As a debugger that continues it does.
  EXPECT_THAT(isoenv({"exec", "-f", spec_, "--in", "db", "--", "sh", "-c", "kill -CONT 2"}),
              ExitedWith(0));
  expect_up();
}

TEST_F(PauseBeforeTest, IsTakenDownWhileItStandsStill) {
  expect_paused();
  EXPECT_THAT(down(spec_), ExitedWith(0));
  EXPECT_TRUE(eventually([&] { return processes().empty(); }));
}

TEST_F(PauseBeforeTest, WorksWithoutNamespacesToo) {
  options().env["ISOENV_ISOLATION"] = "ports";
  expect_paused();
  EXPECT_THAT(isoenv({"resume", "-f", spec_, "db"}), ExitedWith(0));
  expect_up();
}

TEST_F(PauseBeforeTest, TellsWhenTheProgramCannotBeExecutedAfterAll) {
  write_file("broken", "#!/no/such/interpreter\n");
  std::filesystem::permissions(dir() / "broken", std::filesystem::perms::all);
  const auto broken = write_spec(R"("services": {"db": {"command": ["./broken"]}})", "broken.json");
  EXPECT_THAT(up(broken, {"--pause-before", "db"}), ExitedWith(0));
  const Outcome resumed = isoenv({"resume", "-f", broken, "db"});
  EXPECT_THAT(resumed, ExitedWith(1));
  EXPECT_THAT(resumed.err, HasSubstr("cannot execute './broken'"));
  EXPECT_THAT(down(broken), ExitedWith(0));
}

TEST_F(PauseBeforeTest, IsRefusedForWhatRunsAlreadyOrIsNotThere) {
  EXPECT_THAT(up(spec_), ExitedWith(0));
  const Outcome outcome = up(spec_, {"--pause-before", "db"});
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("'db' cannot be paused before its start: it is ready already"));
  const Outcome unknown = up(spec_, {"--pause-before", "bd"});
  EXPECT_THAT(unknown, ExitedWith(2));
  EXPECT_THAT(unknown.err, HasSubstr("has no service 'bd'"));
}

}  // namespace
}  // namespace isoenv::test
