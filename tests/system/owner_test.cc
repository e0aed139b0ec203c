// An instance ends with its owner, and with its keeper, however these end.
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Values;

/// Services of every bad habit: one deaf to SIGTERM, one with a daemon, one with many children.
constexpr std::string_view kStubborn = R"("services": {
    "deaf": {"command": ["test_service", "ignores", "SIGTERM", "then", "tcp_echo", "*", "80"],
             "ports": {"main": 80}, "stop_timeout": "100ms", "allow_failure": true},
    "daemon": {"command": ["test_service", "leaves_daemon", "daemon", "then", "forks", "20", "then",
                           "tcp_echo", "*", "81"],
               "ports": {"main": 81}, "depends": ["deaf"], "stop_timeout": "100ms", "allow_failure": true}})";

std::string name_of_signal(const ::testing::TestParamInfo<int>& signal) {
  return ::sigabbrev_np(signal.param);
}

class OwnerTest : public SystemTest, public ::testing::WithParamInterface<int> {
 protected:
  /// A program that does nothing, to own an instance.
  Process start_owner() { return Process({"test_service", "waits"}, options()); }

  /// A program that IsoEnv takes for a ctest run: a shell of that name, fed by stdin. A shell that
  /// is killed leaves no child here, as it reads with a builtin.
  Process start_ctest() {
    std::filesystem::copy_file("/bin/sh", dir() / "ctest",
                               std::filesystem::copy_options::skip_existing);
    return Process({dir() / "ctest"}, options());
  }
  std::string up_command(const std::filesystem::path& spec) const {
    return std::string(ISOENV_EXECUTABLE) + " up -f " + spec.string() + " --artefacts " +
           artefact_dir().string();
  }
};

TEST_P(OwnerTest, EndsTheInstanceBySignal) {
  Process owner = start_owner();
  ASSERT_THAT(up(write_spec(kStubborn), {"--owner", std::to_string(owner.pid())}), ExitedWith(0));
  owner.send_signal(GetParam());
  EXPECT_EQ(owner.wait().signal, GetParam());
}

TEST_P(OwnerTest, EndsTheInstanceOfItsCtestRun) {
  Process ctest = start_ctest();
  ctest.write_stdin(up_command(write_spec(kStubborn)) + " && echo ready\n");
  ASSERT_TRUE(ctest.wait_for_output("ready\n")) << ctest.wait();
  ctest.send_signal(GetParam());
  EXPECT_EQ(ctest.wait().signal, GetParam());
}

TEST_P(OwnerTest, EndsAnInstanceThatIsStillStarting) {
  Gate gate = make_gate();
  const auto spec = write_spec(R"("services": {
    "first": {"command": ["test_service", "ignores", "SIGTERM", "then", "leaves_daemon", "daemon",
                          "then", "tcp_echo", "*", "80"],
              "ports": {"main": 80}, "stop_timeout": "100ms"},
    "second": {"command": ["test_service", "waits_for", "gate", "then", "waits"],
               "ready": [{"file": "never"}], "depends": ["first"]}})");
  Process owner = start_owner();
  Process waiting = start_up(spec, {"--owner", std::to_string(owner.pid())});
  ASSERT_TRUE(gate.wait_until_reached()) << waiting.wait();
  owner.send_signal(GetParam());
  EXPECT_EQ(owner.wait().signal, GetParam());
  EXPECT_THAT(waiting.wait(), ExitedWith(1));
}

INSTANTIATE_TEST_SUITE_P(KilledBy, OwnerTest, Values(SIGKILL, SIGINT, SIGTERM), name_of_signal);

class KeeperTest : public SystemTest, public ::testing::WithParamInterface<int> {};

TEST_P(KeeperTest, TakesTheInstanceWithIt) {
  ASSERT_THAT(up(write_spec(kStubborn)), ExitedWith(0));
  EXPECT_EQ(::kill(keeper(), GetParam()), 0);
  expect_nothing_left();
}

TEST_P(KeeperTest, TakesARunningExecWithIt) {
  const auto spec = write_spec(kStubborn);
  ASSERT_THAT(up(spec), ExitedWith(0));
  Process running = start_isoenv({"exec", "-f", spec, "--", "test_service", "ignores", "SIGTERM",
                                  "then", "leaves_daemon", dir() / "daemon2", "then", "writes",
                                  "armed\\n", "then", "waits"});
  ASSERT_TRUE(running.wait_for_output("armed"));
  EXPECT_EQ(::kill(keeper(), GetParam()), 0);
  const Outcome outcome = running.wait();
  EXPECT_TRUE(outcome.exited_with(125) || outcome.exited_with(128 + SIGKILL)) << outcome;
}

TEST_P(KeeperTest, TellsAnUpThatIsStillWaiting) {
  Gate gate = make_gate();
  const auto spec = write_spec(R"("services": {
    "slow": {"command": ["test_service", "waits_for", "gate", "then", "waits"],
             "ready": [{"file": "never"}]}})");
  Process waiting = start_up(spec);
  ASSERT_TRUE(gate.wait_until_reached()) << waiting.wait();
  EXPECT_EQ(::kill(keeper(), GetParam()), 0);
  const Outcome outcome = waiting.wait();
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, AnyOf(HasSubstr("the instance ended before its services were up"),
                                 HasSubstr("slow: stopped before it was ready")));
}

TEST_P(KeeperTest, LeavesRoomForANewInstance) {
  const auto spec = write_spec(kStubborn);
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(up(spec), ExitedWith(0));
    EXPECT_EQ(::kill(keeper(), GetParam()), 0);
    EXPECT_TRUE(eventually([&] { return processes().empty(); }));
  }
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_THAT(exec_in(spec, {"tcp_ask", "any", host("daemon"), "81", "x"}), ExitedWith(0));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

INSTANTIATE_TEST_SUITE_P(KilledBy, KeeperTest, Values(SIGKILL, SIGINT, SIGTERM), name_of_signal);

TEST_F(OwnerTest, DoesNotWaitForServicesThatAreDeafToTheirStopSignal) {
  const auto spec = write_spec(R"("services": {"deaf": {"command": ["test_service", "ignores",
      "SIGTERM", "then", "writes", "armed\n", "then", "waits"],
      "ready": [{"log": "armed"}], "stop_timeout": "10m"}})");
  Process owner = start_owner();
  ASSERT_THAT(up(spec, {"--owner", std::to_string(owner.pid())}), ExitedWith(0));
  owner.send_signal(SIGKILL);
  EXPECT_EQ(owner.wait().signal, SIGKILL);
  EXPECT_TRUE(eventually([&] { return processes().empty(); }));
}

TEST_F(OwnerTest, MayEndInPeace) {
  Process ctest = start_ctest();
  ctest.write_stdin(up_command(write_spec(kStubborn)) + " && echo ready\n");
  ASSERT_TRUE(ctest.wait_for_output("ready\n")) << ctest.wait();
  EXPECT_THAT(ctest.wait(), ExitedWith(0));
}

TEST_F(OwnerTest, IsNotTheUpCommandItself) {
  const auto spec = write_spec(kStubborn);
  ASSERT_THAT(up(spec, {"--owner", "none"}), ExitedWith(0));
  EXPECT_THAT(exec_in(spec, {"tcp_ask", "any", host("daemon"), "81", "x"}), ExitedWith(0));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(OwnerTest, HasAnInstanceOfItsOwn) {
  const auto spec = write_spec(kStubborn);
  Process one = start_ctest();
  Process two = start_ctest();
  for (Process* ctest : {&one, &two}) {
    ctest->write_stdin(up_command(spec) + " && echo ready\n");
    ASSERT_TRUE(ctest->wait_for_output("ready\n")) << ctest->wait();
  }
  one.send_signal(SIGKILL);
  EXPECT_EQ(one.wait().signal, SIGKILL);
  two.write_stdin(std::string(ISOENV_EXECUTABLE) + " exec -f " + spec.string() +
                  " -- test_service tcp_ask any daemon 81 alive\n");
  EXPECT_TRUE(two.wait_for_output("alive\n"));
  EXPECT_THAT(two.wait(), ExitedWith(0));
}

TEST_F(OwnerTest, MustBeAliveWhenTheInstanceStarts) {
  Process owner = start_owner();
  const std::string pid = std::to_string(owner.pid());
  owner.send_signal(SIGKILL);
  EXPECT_EQ(owner.wait().signal, SIGKILL);
  const Outcome outcome = up(write_spec(kStubborn), {"--owner", pid});
  EXPECT_THAT(outcome, ExitedWith(2));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr(pid), HasSubstr("owner")));
}

// ctest is killed between its start of `isoenv up` and that one's look at who is above. A PID
// namespace hides the ctest that runs this test.
TEST_F(OwnerTest, IsMissedWhenItIsACtestThatHasEndedBeforeItWasFound) {
  const auto spec = write_spec(kStubborn);
  options().unset.push_back("CTEST_INTERACTIVE_DEBUG_MODE");
  Words words{"unshare", "--pid", "--fork", "--mount-proc"};
  if (::geteuid() != 0) words.insert(words.end(), {"--user", "--map-root-user"});
  for (const std::string command : {"up", "exec", "run"}) {
    std::string line = "CTEST_INTERACTIVE_DEBUG_MODE=1 '" ISOENV_EXECUTABLE "' " + command;
    if (command == "up") line += " -f '" + spec.string() + "'; exit $?";
    if (command != "up") line += " -- true; exit $?";
    Words all = words;
    all.insert(all.end(), {"sh", "-c", line});
    const Outcome outcome = run(all, options());
    EXPECT_THAT(outcome, ExitedWith(command == "up" ? 1 : 125));
    EXPECT_EQ(outcome.err, "isoenv " + command + ": the ctest that started this has ended\n");
  }
}

TEST_F(OwnerTest, OutlivesAnUpThatIsKilled) {
  Gate gate = make_gate();
  const auto spec = write_spec(R"("services": {
    "slow": {"command": ["test_service", "waits_for", "gate", "then", "creates_file", "done", "then",
                         "waits"],
             "ready": [{"file": "done"}]}})");
  Process waiting = start_up(spec);
  ASSERT_TRUE(gate.wait_until_reached()) << waiting.wait();
  waiting.send_signal(SIGKILL);
  EXPECT_EQ(waiting.wait().signal, SIGKILL);
  EXPECT_THAT(down(spec), ExitedWith(0));
}

}  // namespace
}  // namespace isoenv::test
