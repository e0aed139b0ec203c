#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "unit/spec/parse_case.h"

namespace isoenv {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Pair;

std::string service_faults(const std::string& members) { return faults_of(with_service(members)); }

TEST(ServiceReaderTest, HasDocumentedDefaults) {
  const ServiceSpec service = good_service("");
  EXPECT_EQ(service.name, "user");
  EXPECT_THAT(service.command, ElementsAre("serve"));
  EXPECT_EQ(service.working_directory, "");
  EXPECT_EQ(service.env_mode, EnvMode::kInherit);
  EXPECT_EQ(service.ready_timeout, 30s);
  EXPECT_EQ(service.stop_signal, SIGTERM);
  EXPECT_EQ(service.stop_timeout, 10s);
  EXPECT_TRUE(service.ready.empty());
  EXPECT_TRUE(service.secret_env.empty());
  EXPECT_EQ(service.user, "");
  EXPECT_EQ(service.log_limit, 256u << 20);
  EXPECT_EQ(service.restart, RestartPolicy::kNever);
  EXPECT_TRUE(service.expect_exit.empty());
  EXPECT_FALSE(service.allow_failure);
}

TEST(ServiceReaderTest, ReadsEveryKey) {
  const ServiceSpec service = good_service(
      R"("launcher": ["strace", "-f"], "working_directory": "services/user", "aliases": ["accounts", "people"],
         "env": {"B": "", "A": "{{self.port}}"}, "env_mode": "clean", "ready_timeout": "500ms",
         "secret_env": ["API_TOKEN", "_k2"], "user": "postgres", "stop_signal": "INT",
         "stop_timeout": "0s", "log_limit": "64MiB", "restart": "on_failure",
         "expect_exit": [3, "SIGKILL"], "allow_failure": true)");
  EXPECT_THAT(service.launcher, ElementsAre("strace", "-f"));
  EXPECT_EQ(service.working_directory, "services/user");
  EXPECT_THAT(service.aliases, ElementsAre("accounts", "people"));
  EXPECT_THAT(service.env, ElementsAre(Pair("B", ""), Pair("A", "{{self.port}}")));
  EXPECT_EQ(service.env_mode, EnvMode::kClean);
  EXPECT_EQ(service.ready_timeout, 500ms);
  EXPECT_EQ(service.stop_signal, SIGINT);
  EXPECT_EQ(service.stop_timeout, 0s);
  EXPECT_THAT(service.secret_env, ElementsAre("API_TOKEN", "_k2"));
  EXPECT_EQ(service.user, "postgres");
  EXPECT_EQ(service.log_limit, 64u << 20);
  EXPECT_EQ(service.restart, RestartPolicy::kOnFailure);
  EXPECT_THAT(service.expect_exit, ElementsAre(ExitStatus{3, 0, false}, ExitStatus{0, SIGKILL, false}));
  EXPECT_TRUE(service.allow_failure);
}

TEST(ServiceReaderTest, RefusesAnUnknownKey) {
  EXPECT_EQ(service_faults(R"("prots": {})"),
            "services.user.prots: unknown key; did you mean 'ports'?");
  EXPECT_EQ(service_faults(R"("image": "x")"),
            "services.user.image: unknown key; expected one of command, launcher, working_directory, "
            "aliases, ports, env, env_mode, secret_env, user, depends, ready, ready_timeout, "
            "stop_signal, stop_timeout, restart, expect_exit, allow_failure, log_limit, publish, localhost");
}

TEST(ServiceReaderTest, RefusesBadCommands) {
  const auto fault = [](const std::string& command) {
    return faults_of(R"({"version": 1, "environment": "a", "services": {"user": {"command": )" +
                     command + "}}}");
  };
  EXPECT_EQ(fault("\"node x\""),
            "services.user.command: expected a list of strings, found 'node x'; no shell splits "
            "it: write [\"PROGRAM\", \"ARGUMENT\"]");
  EXPECT_EQ(fault("[]"),
            "services.user.command: the list is empty; its first element is the program");
  EXPECT_EQ(fault("[\"\"]"), "services.user.command[0]: the program's name is empty");
  EXPECT_EQ(fault("[\"x\", 80, true, null]"),
            "services.user.command[1]: expected a string, found the number 80; write \"80\"\n"
            "services.user.command[2]: expected a string, found true; write \"true\"\n"
            "services.user.command[3]: expected a string, found null");
  EXPECT_EQ(fault("[\"x\\u0000y\"]"),
            "services.user.command[0]: the text holds a NUL character; remove the \\u0000\n"
            "services.user.command[0]: the program's name is empty");
}

TEST(ServiceReaderTest, RefusesBadEnvironmentVariables) {
  EXPECT_EQ(service_faults(R"("env": {"A": 8080, "B": true, "C": 1.50, "D": [], "E-F": "x"})"),
            "services.user.env.A: expected a string, found the number 8080; write \"8080\"\n"
            "services.user.env.B: expected a string, found true; write \"true\"\n"
            "services.user.env.C: expected a string, found the number 1.50; write \"1.50\"\n"
            "services.user.env.D: expected a string, found a list\n"
            "services.user.env.E-F: 'E-F' is not the name of an environment variable; use "
            "letters, digits and '_', no digit first");
  EXPECT_EQ(service_faults(R"("env": {"1A": "x", "": "y"})"),
            "services.user.env.1A: '1A' is not the name of an environment variable; use letters, "
            "digits and '_', no digit first\n"
            "services.user.env.'': '' is not the name of an environment variable; use letters, "
            "digits and '_', no digit first");
}

TEST(ServiceReaderTest, RefusesUnknownEnvironmentModes) {
  EXPECT_EQ(service_faults(R"("env_mode": "cleen")"),
            "services.user.env_mode: unknown word 'cleen'; did you mean 'clean'?");
  EXPECT_EQ(service_faults(R"("env_mode": true)"),
            "services.user.env_mode: expected a string, found true; write \"true\"");
}

TEST(ServiceReaderTest, RefusesBadWorkingDirectories) {
  EXPECT_EQ(service_faults(R"("working_directory": "")"),
            "services.user.working_directory: expected a string that is not empty");
}

TEST(ServiceReaderTest, RefusesBadAliases) {
  EXPECT_EQ(service_faults(R"("aliases": ["A", "localhost", "127", "", 5])"),
            "services.user.aliases[0]: 'A' is not a name for an alias; use lower-case letters, "
            "digits and inner '-'\n"
            "services.user.aliases[1]: the name 'localhost' is reserved; choose another name\n"
            "services.user.aliases[2]: the name '127' reads as an IP address; put a letter first\n"
            "services.user.aliases[3]: expected a string that is not empty\n"
            "services.user.aliases[4]: expected a string, found the number 5; write \"5\"");
  EXPECT_EQ(service_faults(R"("aliases": "people")"),
            "services.user.aliases: expected a list, found 'people'");
}

TEST(ServiceReaderTest, RefusesBadDurations) {
  const std::string form = "expected a duration such as \"500ms\", \"30s\" or \"2m\", found ";
  EXPECT_EQ(
      service_faults(R"("ready_timeout": 30)"),
      "services.user.ready_timeout: " + form + "the number 30; say the unit: \"30s\" or \"30ms\"");
  EXPECT_EQ(service_faults(R"("stop_timeout": "30")"),
            "services.user.stop_timeout: " + form + "'30'; say the unit: \"30s\" or \"30ms\"");
  for (const char* bad : {"", "s", "-1s", "1.5s", "1h", "1 s", "30S"}) {
    EXPECT_EQ(service_faults("\"ready_timeout\": \"" + std::string(bad) + "\""),
              "services.user.ready_timeout: " + form + "'" + bad + "'");
  }
  EXPECT_EQ(service_faults(R"("ready_timeout": "0s")"),
            "services.user.ready_timeout: '0s' leaves no time; write at least \"1ms\"");
  EXPECT_EQ(service_faults(R"("ready_timeout": "1441m")"),
            "services.user.ready_timeout: '1441m' is longer than a day");
  EXPECT_EQ(service_faults(R"("ready_timeout": "99999999999999999999ms")"),
            "services.user.ready_timeout: '99999999999999999999ms' is longer than a day");
  EXPECT_EQ(good_service(R"("ready_timeout": "1440m")").ready_timeout, 24h);
}

TEST(ServiceReaderTest, RefusesBadSizes) {
  const std::string form = "expected a size such as \"512KiB\", \"64MiB\" or \"1GiB\", found ";
  EXPECT_EQ(service_faults(R"("log_limit": 64)"),
            "services.user.log_limit: " + form + "the number 64; say the unit: \"64MiB\"");
  EXPECT_EQ(service_faults(R"("log_limit": "64")"),
            "services.user.log_limit: " + form + "'64'; say the unit: \"64MiB\"");
  for (const char* bad : {"", "MiB", "-1MiB", "1.5MiB", "64MB", "64 MiB", "64mib", "1TiB"}) {
    EXPECT_EQ(service_faults("\"log_limit\": \"" + std::string(bad) + "\""),
              "services.user.log_limit: " + form + "'" + bad + "'");
  }
  const std::string range = "; the least is \"256KiB\", the most \"1024GiB\"";
  EXPECT_EQ(service_faults(R"("log_limit": "255KiB")"),
            "services.user.log_limit: '255KiB' is less than such a size can be" + range);
  EXPECT_EQ(service_faults(R"("log_limit": "1025GiB")"),
            "services.user.log_limit: '1025GiB' is more than such a size can be" + range);
  EXPECT_EQ(
      service_faults(R"("log_limit": "99999999999999999999KiB")"),
      "services.user.log_limit: '99999999999999999999KiB' is more than such a size can be" + range);
  EXPECT_EQ(good_service(R"("log_limit": "256KiB")").log_limit, 256u << 10);
  EXPECT_EQ(good_service(R"("log_limit": "1024GiB")").log_limit, std::uint64_t{1} << 40);
}

TEST(ServiceReaderTest, TakesAccountsByNameAndByUid) {
  for (const char* good : {"root", "0", "4294967294", "_apt", "www-data", "First.Last", "a@b.c"}) {
    EXPECT_EQ(good_service("\"user\": \"" + std::string(good) + "\"").user, good);
  }
}

TEST(ServiceReaderTest, RefusesWhatIsNoAccount) {
  const std::string hint =
      " is not the name of an account; write a name such as \"postgres\", or a uid";
  for (const char* bad : {"-u", ".x", "a b", "a:b", "a/b", "user\u00e9"}) {
    EXPECT_THAT(service_faults("\"user\": \"" + std::string(bad) + "\""), testing::EndsWith(hint));
  }
  EXPECT_EQ(service_faults(R"("user": "4294967295")"),
            "services.user.user: '4294967295' is not a uid; the highest is 4294967294");
  EXPECT_EQ(service_faults(R"("user": 1000)"),
            "services.user.user: expected a string, found the number 1000; write \"1000\" to mean "
            "that uid");
  EXPECT_EQ(service_faults(R"("user": "")"),
            "services.user.user: expected a string that is not empty");
}

TEST(ServiceReaderTest, RefusesBadSecretsAllAtOnce) {
  EXPECT_EQ(service_faults(R"("secret_env": ["A", "B-C", "A", 5, ""], "env": {"A": "x"})"),
            "services.user.secret_env[1]: 'B-C' is not the name of an environment variable; use "
            "letters, digits and '_', no digit first\n"
            "services.user.secret_env[2]: 'A' stands twice; remove one of them\n"
            "services.user.secret_env[3]: expected a string, found the number 5; write \"5\"\n"
            "services.user.secret_env[4]: expected a string that is not empty\n"
            "services.user.secret_env: 'A' stands in 'env' too; remove it there: the value comes "
            "from the environment of 'isoenv up'");
  EXPECT_EQ(service_faults(R"("secret_env": "TOKEN")"),
            "services.user.secret_env: expected a list, found 'TOKEN'");
  EXPECT_EQ(service_faults(R"("secret_env": {"TOKEN": "x"})"),
            "services.user.secret_env: expected a list, found an object");
}

TEST(ServiceReaderTest, RefusesUnknownSignals) {
  EXPECT_EQ(service_faults(R"("stop_signal": "SIGTREM")"),
            "services.user.stop_signal: unknown signal 'SIGTREM'; did you mean 'SIGTERM'?");
  EXPECT_EQ(service_faults(R"("stop_signal": "term")"),
            "services.user.stop_signal: unknown signal 'term'; did you mean 'SIGTERM'?");
  EXPECT_EQ(service_faults(R"("stop_signal": "please")"),
            "services.user.stop_signal: unknown signal 'please'; write a name such as \"SIGTERM\" "
            "or \"SIGINT\"");
  EXPECT_EQ(service_faults(R"("stop_signal": 15)"),
            "services.user.stop_signal: expected a signal's name such as \"SIGTERM\", found the "
            "number 15");
}

std::vector<DependencySpec> good_depends(const std::string& depends) {
  return parse_good(R"({"version": 1, "environment": "a",
                        "services": {"order": {"command": ["x"], "depends": )" +
                    depends + R"(}, "user": {"command": ["x"]}},
                        "tasks": {"seed": {"command": ["x"]}}})")
      .services.front()
      .depends;
}

std::string depends_faults(const std::string& depends) {
  return faults_of(R"({"version": 1, "environment": "a",
                       "services": {"order": {"command": ["x"], "depends": )" +
                   depends + R"(}, "user": {"command": ["x"]}},
                       "tasks": {"seed": {"command": ["x"]}}})");
}

TEST(ServiceReaderTest, NeedsServicesReadyAndTasksCompletedByDefault) {
  const auto depends = good_depends(R"(["user", "seed", "unknown"])");
  ASSERT_EQ(depends.size(), 3u);
  EXPECT_EQ(depends[0].need, Need::kReady);
  EXPECT_EQ(depends[1].need, Need::kCompleted);
  EXPECT_EQ(depends[2].need, Need::kReady);
}

TEST(ServiceReaderTest, ReadsWhatIsNeeded) {
  const auto depends = good_depends(R"({"seed": "completed", "user": "started"})");
  ASSERT_EQ(depends.size(), 2u);
  EXPECT_EQ(depends[0].name, "seed");
  EXPECT_EQ(depends[0].need, Need::kCompleted);
  EXPECT_EQ(depends[1].need, Need::kStarted);
}

TEST(ServiceReaderTest, RefusesNeedsThatNeverComeTrue) {
  EXPECT_EQ(depends_faults(R"({"seed": "ready"})"),
            "services.order.depends.seed: 'seed' is a task, it can only be needed as "
            "\"completed\"; write \"completed\"");
  EXPECT_EQ(depends_faults(R"({"user": "completed"})"),
            "services.order.depends.user: 'user' is a service, it does not complete; write "
            "\"ready\" or \"started\", or declare it under 'tasks'");
}

TEST(ServiceReaderTest, RefusesBadDependencies) {
  EXPECT_EQ(depends_faults(R"({"user": "redy"})"),
            "services.order.depends.user: unknown word 'redy'; did you mean 'ready'?");
  EXPECT_EQ(depends_faults(R"(["user", "user"])"),
            "services.order.depends[1]: 'user' stands twice; remove one of them");
  EXPECT_EQ(depends_faults(R"("user")"),
            "services.order.depends: expected an object or a list, found 'user'; write "
            "{\"NAME\": \"ready\"} or [\"NAME\"]");
}

TEST(TaskReaderTest, HasNothingThatOthersReachItBy) {
  EXPECT_EQ(faults_of(with_task(R"("publish": [], "localhost": [], "aliases": [])")),
            "tasks.seed.publish: a task has no 'publish'; only a service is there to be reached\n"
            "tasks.seed.localhost: a task has no 'localhost'; only a service is there to be "
            "reached\n"
            "tasks.seed.aliases: a task has no 'aliases'; only a service is there to be reached");
}

TEST(TaskReaderTest, HasSecretsAnAccountAndALogLimit) {
  const ServiceSpec task =
      good_task(R"("secret_env": ["TOKEN"], "user": "70", "log_limit": "1GiB")");
  EXPECT_THAT(task.secret_env, ElementsAre("TOKEN"));
  EXPECT_EQ(task.user, "70");
  EXPECT_EQ(task.log_limit, 1u << 30);
}

TEST(TaskReaderTest, RefusesAnUnknownKey) {
  EXPECT_EQ(faults_of(with_task(R"("comand": ["x"])")),
            "tasks.seed.comand: unknown key; did you mean 'command'?");
}

/// `count` times the pattern, its `#` replaced by a number, with commas between.
std::string repeated(std::size_t count, const std::string& pattern) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    std::string one = pattern;
    one.replace(one.find('#'), 1, std::to_string(i));
    text += (i == 0 ? "" : ",") + one;
  }
  return text;
}

TEST(ServiceReaderTest, TakesAHundredPortsAliasesAndProbesAndNoMore) {
  const auto faults = [](std::size_t count) {
    return faults_of(with_service(
        R"("ports": {)" + repeated(count, R"("p#": "auto")") + R"(}, "aliases": [)" +
        repeated(count, R"("a#")") + R"(], "ready": [)" + repeated(count, R"({"file": "f#"})") +
        "]"));
  };
  EXPECT_EQ(faults(100), "");
  EXPECT_EQ(faults(101),
            "services.user.ports: 101 ports of one service; the most is 100\n"
            "services.user.aliases: 101 aliases of one service; the most is 100\n"
            "services.user.ready: 101 probes of one service; the most is 100");
}

TEST(ServiceReaderTest, TakesNoTextThatNoProgramCouldBeGiven) {
  const auto faults = [](std::size_t length) {
    return faults_of(with_service(R"("env": {"A": ")" + std::string(length, 'x') + "\"}"));
  };
  EXPECT_EQ(faults(131'071), "");
  EXPECT_EQ(faults(131'072),
            "services.user.env.A: the text has 131072 bytes; the most is 131071");
}

}  // namespace
}  // namespace isoenv
