// What a service finds around itself.
#include <gmock/gmock.h>
#include <unistd.h>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

/// One service `shows` that tells what it sees, in its log, and stays.
class SandboxTest : public SystemTest {
 protected:
  /// What `shows_environment` told inside a service with `members` added to its declaration.
  std::string shown(const std::string& members = {}) {
    const auto spec = write_spec(R"("env": {"FROM_ENVIRONMENT": "yes", "BOTH": "environment"},
      "services": {
        "shows": {"command": ["test_service", "shows_environment", "then", "writes", "all told\n",
                              "then", "waits"],
                  "ready": [{"log": "^all told$"}])" +
                                 (members.empty() ? "" : ", " + members) + R"(},
        "other-one": {"command": ["test_service", "tcp_echo", "*", "80"],
                      "ports": {"http": 80, "admin": "auto", "stats": "8125/udp"},
                      "ready": [{"tcp": "http"}]}})");
    const Outcome up_outcome = up(spec);
    EXPECT_THAT(up_outcome, ExitedWith(0));
    const std::string log = read_file(artefact_dir() / "latest" / "shows.log");
    EXPECT_THAT(down(spec), ExitedWith(0));
    return log;
  }
};

TEST_F(SandboxTest, HasLoAndOneInterfaceWithItsOwnAddresses) {
  const std::string text = shown();
  EXPECT_THAT(values(text, "interface"), UnorderedElementsAre("lo", "eth0"));
  EXPECT_THAT(values(text, "address"),
              AllOf(Contains("lo 127.0.0.1"), Contains("lo ::1"), Contains("eth0 10.79.0.2"),
                    Contains("eth0 fd69:736f:656e:7600::2")));
}

TEST_F(SandboxTest, HasNoRouteOut) {
  const std::string text = shown();
  for (const std::string& route : values(text, "route4")) {
    EXPECT_THAT(route, Not(HasSubstr("00000000\t00000000"))) << "a default route";
  }
  for (const std::string& route : values(text, "route6")) {
    EXPECT_THAT(route, Not(StartsWith("00000000000000000000000000000000 00"))) << "a default route";
  }
}

TEST_F(SandboxTest, SeesOnlyItsOwnInterfacesInSysfs) {
  const std::vector<std::string> seen = values(shown(), "sysfs_interface");
  // Where the machine does not permit a fresh /sys there is none of the host's in its place either.
  if (!seen.empty()) {
    EXPECT_THAT(seen, UnorderedElementsAre("lo", "eth0"));
  }
}

TEST_F(SandboxTest, SeesOnlyItsOwnProcesses) {
  const std::string text = shown();
  EXPECT_THAT(values(text, "process"), UnorderedElementsAre("1", value(text, "pid")));
  EXPECT_EQ(value(text, "ppid"), "1");
}

TEST_F(SandboxTest, IsNamedAfterTheService) { EXPECT_EQ(value(shown(), "hostname"), "shows"); }

TEST_F(SandboxTest, HasExactlyThreeDescriptors) {
  const std::vector<std::string> fds = values(shown(), "fd");
  ASSERT_THAT(fds, SizeIs(3));
  EXPECT_EQ(fds[0], "0 /dev/null");
  EXPECT_THAT(fds[1], StartsWith("1 "));
  EXPECT_THAT(fds[2], StartsWith("2 "));
}

TEST_F(SandboxTest, GainsNoPrivileges) {
  const std::string text = shown();
  EXPECT_THAT(values(text, "status"), Contains("NoNewPrivs 1"));
  if (::getuid() != 0) {
    EXPECT_THAT(values(text, "status"), Contains("CapEff 0000000000000000"));
    EXPECT_THAT(values(text, "status"), Contains("CapPrm 0000000000000000"));
  }
  EXPECT_THAT(values(text, "status"), Contains("CapAmb 0000000000000000"));
}

TEST_F(SandboxTest, RunsAsTheUserWhoAsked) {
  const std::string text = shown();
  EXPECT_EQ(value(text, "uid"), std::to_string(::getuid()));
  EXPECT_EQ(value(text, "gid"), std::to_string(::getgid()));
}

TEST_F(SandboxTest, HasDefaultSignalDispositions) {
  const std::string text = shown();
  EXPECT_THAT(values(text, "status"), Contains("SigIgn 0000000000000000"));
  EXPECT_THAT(values(text, "status"), Contains("SigBlk 0000000000000000"));
}

TEST_F(SandboxTest, FindsTheVariablesOfEveryService) {
  const std::string text = shown();
  EXPECT_EQ(variable(text, "ISOENV_OTHER_ONE_HOST"), "other-one");
  EXPECT_EQ(variable(text, "ISOENV_OTHER_ONE_PORT"), "80");
  EXPECT_EQ(variable(text, "ISOENV_OTHER_ONE_PORT_HTTP"), "80");
  EXPECT_EQ(variable(text, "ISOENV_OTHER_ONE_PORT_ADMIN"), "20000");
  EXPECT_EQ(variable(text, "ISOENV_OTHER_ONE_PORT_STATS"), "8125");
  EXPECT_EQ(variable(text, "ISOENV_OTHER_ONE_URL"), "http://other-one:80");
  EXPECT_EQ(variable(text, "ISOENV_SHOWS_HOST"), "shows");
  EXPECT_EQ(variable(text, "ISOENV_INSTANCE").size(), 8U);
}

TEST_F(SandboxTest, FindsItsOwnValues) {
  const std::string text = shown(R"("ports": {"http": 3000, "admin": "auto"},
      "env": {"BOTH": "service", "PEER": "{{other-one.url}}", "BRACES": "{{{{x}}",
              "ME": "{{self.name}} {{self.port}} {{self.port.admin}}"})");
  EXPECT_EQ(variable(text, "SERVICE_NAME"), "shows");
  EXPECT_EQ(variable(text, "PORT"), "3000");
  EXPECT_EQ(variable(text, "PORT_HTTP"), "3000");
  EXPECT_EQ(variable(text, "PORT_ADMIN"), "20000");
  EXPECT_EQ(variable(text, "FROM_ENVIRONMENT"), "yes");
  EXPECT_EQ(variable(text, "BOTH"), "service");
  EXPECT_EQ(variable(text, "PEER"), "http://other-one:80");
  EXPECT_EQ(variable(text, "ME"), "shows 3000 20000");
  EXPECT_EQ(variable(text, "BRACES"), "{{x}}");
}

TEST_F(SandboxTest, InheritsTheCallersVariables) {
  options().env["COLOUR"] = "blue";
  EXPECT_EQ(variable(shown(), "COLOUR"), "blue");
}

TEST_F(SandboxTest, SeesNothingOfACallersMake) {
  options().env["MAKEFLAGS"] = "-j --jobserver-auth=3,4";
  EXPECT_EQ(variable(shown(), "MAKEFLAGS"), "(not set)");
}

TEST_F(SandboxTest, StartsFromAMinimumWhenItsEnvironmentIsClean) {
  options().env["COLOUR"] = "blue";
  const std::string text = shown(R"("env_mode": "clean", "env": {"OWN": "1"})");
  EXPECT_EQ(variable(text, "COLOUR"), "(not set)");
  EXPECT_EQ(variable(text, "OWN"), "1");
  EXPECT_EQ(variable(text, "FROM_ENVIRONMENT"), "yes");
  EXPECT_EQ(variable(text, "HOME"), dir() / "home");
  EXPECT_EQ(variable(text, "PATH"), options().env["PATH"]);
  EXPECT_EQ(variable(text, "SERVICE_NAME"), "shows");
}

TEST_F(SandboxTest, WorksInTheFolderOfTheSpecUnlessToldOtherwise) {
  EXPECT_EQ(value(shown(), "cwd"), dir());
  EXPECT_EQ(value(shown(R"("working_directory": "home")"), "cwd"), dir() / "home");
}

TEST_F(SandboxTest, HasAPrivateWritableTmpdir) {
  const auto spec = write_spec(R"("services": {
    "one": {"command": ["sh", "-c", "echo $TMPDIR && echo one > $TMPDIR/file && exec test_service waits"],
            "ready": [{"file": "{{self.tmp}}/file"}]},
    "two": {"command": ["sh", "-c", "echo $TMPDIR && echo two > $TMPDIR/file && exec test_service waits"],
            "ready": [{"file": "{{self.tmp}}/file"}]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  ASSERT_THAT(down(spec), ExitedWith(0));
  const std::string one = read_file(artefact_dir() / "latest" / "one.log");
  const std::string two = read_file(artefact_dir() / "latest" / "two.log");
  EXPECT_THAT(one, StartsWith(runtime_dir()));
  EXPECT_NE(one, two);
}

// To remove a folder that is a mount point in a namespace that ends, the kernel waits long.
TEST_F(SandboxTest, MountsItsTmpdirOnNoFolderOfTheHost) {
  const auto spec = write_spec(R"("services": {
    "one": {"command": ["test_service", "writes", "{{self.tmp}}\n", "then", "waits"],
            "ready": [{"log": "one"}]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(runtime_dir())) {
    const bool is_run_directory = entry.path().parent_path() == runtime_dir();
    EXPECT_EQ(entry.is_directory(), is_run_directory) << entry.path();
  }
  ASSERT_THAT(down(spec), ExitedWith(0));
}

TEST_F(SandboxTest, KeepsItsScratchDirectoryAmongTheArtefacts) {
  const auto spec = write_spec(R"("services": {
    "one": {"command": ["test_service", "creates_file", "{{self.dir}}/kept", "then", "waits"],
            "ready": [{"file": "{{self.dir}}/kept"}]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  ASSERT_THAT(down(spec), ExitedWith(0));
  EXPECT_TRUE(std::filesystem::exists(artefact_dir() / "latest" / "one" / "kept"));
}

TEST_F(SandboxTest, MayUseLowPorts) {
  const auto spec = write_spec(R"("services": {
    "web": {"command": ["test_service", "tcp_echo", "*", "80", "web: "], "ports": {"http": 80}}})");
  const Outcome outcome = run_in(spec, {"tcp_ask", "any", "web", "80", "hello"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_EQ(outcome.out, "web: hello\n");
}

TEST_F(SandboxTest, CannotSignalAnotherService) {
  const auto spec = write_spec(R"("services": {
    "victim": {"command": ["test_service", "tcp_echo", "*", "80", "alive: "], "ports": {"http": 80}},
    "bully": {"command": ["test_service", "signals_all", "SIGTERM", "then", "writes", "done\n",
                          "then", "waits"],
              "depends": ["victim"], "ready": [{"log": "done"}], "stop_timeout": "100ms",
              "allow_failure": true}})");
  const Outcome outcome = run_in(spec, {"tcp_ask", "any", "victim", "80", "hello"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_EQ(outcome.out, "alive: hello\n");
}

}  // namespace
}  // namespace isoenv::test
