#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/spec/parse_case.h"

namespace isoenv {
namespace {

using testing::ElementsAre;

constexpr const char* kPorts = R"("ports": {"http": 80, "stats": "81/udp"}, )";

std::vector<ProbeSpec> good_probes(const std::string& list) {
  return good_service(kPorts + ("\"ready\": " + list)).ready;
}

/// Faults of one probe of the service `user`, without the path before it.
std::string probe_faults(const std::string& probe) {
  return faults_of(with_service(kPorts + ("\"ready\": [" + probe + "]")));
}

TEST(ProbeReaderTest, ReadsEveryKind) {
  const std::vector<ProbeSpec> probes = good_probes(
      R"([{"tcp": "http"}, {"udp": "stats"}, {"http": "http"},
          {"http": "http", "path": "/health", "status": 204, "body": "^ok"}, {"log": "ready"},
          {"exec": ["check", ""]}, {"file": "x.pid"}, {"unix": "x.sock"}, {"notify": true}])");
  ASSERT_EQ(probes.size(), 9u);
  EXPECT_EQ(probes[0].kind, ProbeKind::kTcp);
  EXPECT_EQ(probes[0].port, "http");
  EXPECT_EQ(probes[1].kind, ProbeKind::kUdp);
  EXPECT_EQ(probes[1].port, "stats");
  EXPECT_EQ(probes[2].kind, ProbeKind::kHttp);
  EXPECT_EQ(probes[2].path, "/");
  EXPECT_EQ(probes[2].status, 0);
  EXPECT_EQ(probes[3].path, "/health");
  EXPECT_EQ(probes[3].status, 204);
  EXPECT_EQ(probes[3].pattern, "^ok");
  EXPECT_EQ(probes[4].kind, ProbeKind::kLog);
  EXPECT_EQ(probes[4].pattern, "ready");
  EXPECT_EQ(probes[5].kind, ProbeKind::kExec);
  EXPECT_THAT(probes[5].command, ElementsAre("check", ""));
  EXPECT_EQ(probes[6].kind, ProbeKind::kFile);
  EXPECT_EQ(probes[6].path, "x.pid");
  EXPECT_EQ(probes[7].kind, ProbeKind::kUnix);
  EXPECT_EQ(probes[7].path, "x.sock");
  EXPECT_EQ(probes[8].kind, ProbeKind::kNotify);
}

TEST(ProbeReaderTest, ReadsATasksExitCode) {
  const ServiceSpec task = good_task(R"("ready": [{"exit": 3}])");
  ASSERT_EQ(task.ready.size(), 1u);
  EXPECT_EQ(task.ready[0].kind, ProbeKind::kExit);
  EXPECT_EQ(task.ready[0].status, 3);
}

TEST(ProbeReaderTest, RefusesAProbeWithoutAKind) {
  EXPECT_EQ(probe_faults("{}"),
            "services.user.ready[0]: the probe has no kind; it needs one of tcp, udp, http, log, "
            "exec, file, unix, notify, exit");
  EXPECT_EQ(probe_faults(R"({"path": "/"})"),
            "services.user.ready[0]: the probe has no kind; it needs one of tcp, udp, http, log, "
            "exec, file, unix, notify, exit");
  EXPECT_EQ(probe_faults(R"({"htpp": "http", "path": "/"})"),
            "services.user.ready[0].htpp: unknown key; did you mean 'http'?");
}

TEST(ProbeReaderTest, RefusesAProbeWithTwoKinds) {
  EXPECT_EQ(probe_faults(R"({"tcp": "http", "log": "x"})"),
            "services.user.ready[0]: a probe has one kind, this one has 'tcp' and 'log'; write two "
            "probes: all of them must pass");
}

TEST(ProbeReaderTest, RefusesOptionsOfOtherKinds) {
  EXPECT_EQ(probe_faults(R"({"tcp": "http", "path": "/"})"),
            "services.user.ready[0].path: a probe of kind 'tcp' has no 'path'");
  EXPECT_EQ(probe_faults(R"({"http": "http", "stauts": 200})"),
            "services.user.ready[0].stauts: a probe of kind 'http' has no 'stauts'; did you mean "
            "'status'?");
}

TEST(ProbeReaderTest, RefusesPortsThatAreNotThereOrSpeakAnotherProtocol) {
  EXPECT_EQ(probe_faults(R"({"tcp": "htp"})"),
            "services.user.ready[0].tcp: 'htp' is not a port of 'user'; did you mean 'http'?");
  EXPECT_EQ(probe_faults(R"({"http": "stats"})"),
            "services.user.ready[0].http: 'http' asks a TCP port, but 'stats' is UDP");
  EXPECT_EQ(probe_faults(R"({"udp": "http"})"),
            "services.user.ready[0].udp: 'udp' asks a UDP port, but 'http' is TCP");
  EXPECT_EQ(probe_faults(R"({"tcp": 80})"),
            "services.user.ready[0].tcp: expected the name of a port, found the number 80; name it "
            "under 'ports'");
}

TEST(ProbeReaderTest, RefusesBadHttpOptions) {
  EXPECT_EQ(probe_faults(R"({"http": "http", "path": "health"})"),
            "services.user.ready[0].path: the path 'health' does not begin with '/'; write "
            "\"/health\"");
  EXPECT_EQ(probe_faults(R"({"http": "http", "status": 99})"),
            "services.user.ready[0].status: expected a whole number from 100 to 599, found the "
            "number 99");
  EXPECT_EQ(probe_faults(R"({"http": "http", "status": "200"})"),
            "services.user.ready[0].status: expected a whole number from 100 to 599, found '200'");
  EXPECT_EQ(probe_faults(R"({"http": "http", "body": "*"})"),
            "services.user.ready[0].body: '*' is not a regular expression: The repeat operator "
            "\"*\" cannot start a regular expression");
}

TEST(ProbeReaderTest, RefusesBadRegularExpressions) {
  EXPECT_EQ(probe_faults(R"({"log": "("})"),
            "services.user.ready[0].log: '(' is not a regular expression: Unmatched marking "
            "parenthesis ( or \\(");
  EXPECT_EQ(probe_faults(R"({"log": "[a"})"),
            "services.user.ready[0].log: '[a' is not a regular expression: Unmatched [ or [^ in "
            "character class declaration");
  EXPECT_EQ(probe_faults(R"({"log": ""})"),
            "services.user.ready[0].log: expected a string that is not empty");
}

TEST(ProbeReaderTest, RefusesBadValuesOfTheOtherKinds) {
  EXPECT_EQ(probe_faults(R"({"exec": "check"})"),
            "services.user.ready[0].exec: expected a list of strings, found 'check'; no shell "
            "splits it: write [\"PROGRAM\", \"ARGUMENT\"]");
  EXPECT_EQ(probe_faults(R"({"exec": []})"),
            "services.user.ready[0].exec: the list is empty; its first element is the program");
  EXPECT_EQ(probe_faults(R"({"file": ""})"),
            "services.user.ready[0].file: expected a string that is not empty");
  EXPECT_EQ(probe_faults(R"({"unix": []})"),
            "services.user.ready[0].unix: expected a string, found a list");
  EXPECT_EQ(probe_faults(R"({"notify": false})"),
            "services.user.ready[0].notify: expected true, found false");
  EXPECT_EQ(probe_faults("5"), "services.user.ready[0]: expected an object, found the number 5");
  EXPECT_EQ(faults_of(with_service(R"("ready": {"log": "x"})")),
            "services.user.ready: expected a list, found an object");
}

TEST(ProbeReaderTest, RefusesExitForServices) {
  EXPECT_EQ(probe_faults(R"({"exit": 0})"),
            "services.user.ready[0].exit: only a task is ready when it has exited; declare 'user' "
            "under 'tasks'");
}

TEST(ProbeReaderTest, RefusesBadExitCodes) {
  EXPECT_EQ(faults_of(with_task(R"("ready": [{"exit": 256}])")),
            "tasks.seed.ready[0].exit: expected a whole number from 0 to 255, found the number "
            "256");
  EXPECT_EQ(faults_of(with_task(R"("ready": [{"exit": 0}, {"exit": 1}])")),
            "tasks.seed.ready[1].exit: a second 'exit' in one task; keep one of them");
}

}  // namespace
}  // namespace isoenv
