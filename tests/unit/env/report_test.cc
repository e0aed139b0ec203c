#include "env/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace isoenv {
namespace {

using namespace std::string_literals;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using How = ServiceStop::How;

/// As the texts below show it.
UpReport failed_report() {
  return {
      "shop",
      3,
      {{"db", "not ready within 30 s", {"tcp sql: nothing listens"}, {"one", "two"}, "/l/db.log"},
       {"web", "not started: it needs 'db', which failed", {}, {}, {}}}};
}

ServiceStatus ready_status() {
  ServiceStatus status;
  status.service = "db";
  status.state = ServiceState::kReady;
  status.pid = 4711;
  status.ipv4 = "10.79.0.2";
  status.ipv6 = "fd69::2";
  status.ports = {"sql 5432", "stats 8125/udp"};
  status.uptime = milliseconds(61500);
  status.restarts = 2;
  status.readiness = "ready after 31 ms";
  return status;
}

TEST(ReportTest, NamesEveryState) {
  EXPECT_STREQ(state_name(ServiceState::kDown), "down");
  EXPECT_STREQ(state_name(ServiceState::kWaiting), "waiting");
  EXPECT_STREQ(state_name(ServiceState::kStarting), "starting");
  EXPECT_STREQ(state_name(ServiceState::kReady), "ready");
  EXPECT_STREQ(state_name(ServiceState::kCompleted), "completed");
  EXPECT_STREQ(state_name(ServiceState::kFailed), "failed");
  EXPECT_STREQ(state_name(ServiceState::kExited), "exited");
  EXPECT_STREQ(state_name(ServiceState::kStopping), "stopping");
}

TEST(UpReportTest, ComesBackFromJson) {
  const UpReport report = up_report_from_json(to_json(failed_report()));
  EXPECT_EQ(report.environment, "shop");
  EXPECT_EQ(report.wanted, 3U);
  ASSERT_EQ(report.failures.size(), 2U);
  const ServiceFailure& failure = report.failures[0];
  EXPECT_EQ(failure.service, "db");
  EXPECT_EQ(failure.what, "not ready within 30 s");
  EXPECT_THAT(failure.diagnosis, ElementsAre("tcp sql: nothing listens"));
  EXPECT_THAT(failure.last_lines, ElementsAre("one", "two"));
  EXPECT_EQ(failure.log, "/l/db.log");
  EXPECT_THAT(report.failures[1].diagnosis, IsEmpty());
  EXPECT_TRUE(report.failures[1].log.empty());
}

TEST(UpReportTest, SaysInJsonWhetherAllIsUp) {
  EXPECT_THAT(to_json(failed_report()), HasSubstr(R"("up":false)"));
  EXPECT_THAT(to_json(UpReport{"shop", 3, {}}), HasSubstr(R"("up":true)"));
  EXPECT_THAT(up_report_from_json(to_json(UpReport{"shop", 3, {}})).failures, IsEmpty());
}

TEST(UpReportTest, KeepsControlBytesAndReplacesWhatIsNoUtf8) {
  UpReport report = failed_report();
  report.failures[0].last_lines = {"tab\t quote\" \x1b[1m", "caf\xe9 \xff", "grün"};
  report.failures[0].last_lines.push_back("nul\0end"s);
  const std::string json = to_json(report);
  EXPECT_THAT(json, Not(HasSubstr("\n"))) << "a message of the control channel is one line";
  EXPECT_THAT(up_report_from_json(json).failures.at(0).last_lines,
              ElementsAre("tab\t quote\" \x1b[1m", "caf\ufffd \ufffd", "grün", "nul\0end"s));
}

TEST(UpReportTest, TellsWhatIsPausedBeforeItsStartAndHowItGoesOn) {
  UpReport sent{"shop", 2, {}};
  sent.paused = {{"db", 4711}};
  sent.waiting = {"user", "web"};
  const UpReport report = up_report_from_json(to_json(sent));
  EXPECT_THAT(to_json(sent), HasSubstr(R"("up":false)"));
  ASSERT_EQ(report.paused.size(), 1u);
  EXPECT_EQ(report.paused[0].pid, 4711);
  EXPECT_EQ(report.waiting, sent.waiting);
  const std::string text = paused_text(report);
  EXPECT_THAT(text, HasSubstr("'db' is paused before its program is executed, pid 4711\n"));
  EXPECT_THAT(text, HasSubstr("gdb -p 2 "));
  EXPECT_THAT(text, HasSubstr("isoenv resume db\nwaiting for that: user, web\n"));
  sent.rung = "ports";
  EXPECT_THAT(paused_text(sent), HasSubstr("gdb -p 4711 "));
  EXPECT_EQ(paused_text(UpReport{"shop", 2, {}}), "");
}

TEST(UpReportTest, IsNoTextWhenNothingFailed) { EXPECT_EQ(up_text(UpReport{"shop", 3, {}}), ""); }

TEST(UpReportTest, TellsEverythingAboutEachFailure) {
  EXPECT_EQ(up_text(failed_report()),
            "environment 'shop' is not up: 2 of 3 failed\n"
            "\n"
            "  db: not ready within 30 s\n"
            "    tcp sql: nothing listens\n"
            "    its last output:\n"
            "      | one\n"
            "      | two\n"
            "    whole log: /l/db.log\n"
            "\n"
            "  web: not started: it needs 'db', which failed\n");
}

TEST(UpReportTest, TellsOnceWhatHappenedToManyAlike) {
  const auto failed = [](const char* service, const char* what, const char* log) {
    ServiceFailure failure;
    failure.service = service;
    failure.what = what;
    failure.log = log;
    return failure;
  };
  EXPECT_EQ(failures_text({failed("a", "exit code 3", "/l/a.log"), failed("b", "ENOENT", ""),
                           failed("c", "exit code 3", "/l/c.log"), failed("d", "ENOENT", ""),
                           failed("e", "exit code 3", "")}),
            "\n  a, c, e: exit code 3\n    whole logs: /l/a.log, and 1 more beside it\n"
            "\n  b, d: ENOENT\n");
}

TEST(UpReportTest, KeepsApartWhoWroteSomethingElse) {
  ServiceFailure one;
  one.service = "a";
  one.what = "exit code 3";
  one.last_lines = {"no disk"};
  ServiceFailure other = one;
  other.service = "b";
  other.last_lines = {"no memory"};
  EXPECT_EQ(failures_text({one, other}),
            "\n  a: exit code 3\n    its last output:\n      | no disk\n"
            "\n  b: exit code 3\n    its last output:\n      | no memory\n");
}

TEST(DownReportTest, ComesBackFromJson) {
  const DownReport report =
      down_report_from_json(to_json(DownReport{{{"web", How::kStopped, "exit code 0"},
                                                {"db", How::kKilled, "killed by SIGKILL"},
                                                {"x", How::kNotRunning, ""}},
                                               {"cannot remove '/x'"}}));
  ASSERT_EQ(report.stops.size(), 3U);
  EXPECT_EQ(report.stops[0].service, "web");
  EXPECT_EQ(report.stops[0].how, How::kStopped);
  EXPECT_EQ(report.stops[0].status, "exit code 0");
  EXPECT_EQ(report.stops[1].how, How::kKilled);
  EXPECT_EQ(report.stops[2].how, How::kNotRunning);
  EXPECT_EQ(report.stops[2].status, "");
  EXPECT_THAT(report.problems, ElementsAre("cannot remove '/x'"));
  EXPECT_THAT(down_report_from_json(to_json(DownReport{})).stops, IsEmpty());
}

TEST(DownReportTest, TellsHowEachWasStopped) {
  EXPECT_EQ(
      down_text({{{"web", How::kStopped, "exit code 0"}, {"db", How::kKilled, "killed by SIGKILL"}},
                 {"cannot remove '/x'"}}),
      "web: stopped (exit code 0)\n"
      "db: did not stop in time and was killed\n"
      "cannot remove '/x'\n");
  EXPECT_EQ(down_text({}), "");
}

TEST(StatusesTest, ComeBackFromJson) {
  ServiceStatus task;
  task.service = "seed";
  task.is_task = true;
  task.state = ServiceState::kStopping;
  task.rung = "ports";
  const std::vector<ServiceStatus> statuses = statuses_from_json(to_json({ready_status(), task}));
  ASSERT_EQ(statuses.size(), 2U);
  EXPECT_EQ(statuses[0].service, "db");
  EXPECT_FALSE(statuses[0].is_task);
  EXPECT_EQ(statuses[0].state, ServiceState::kReady);
  EXPECT_EQ(statuses[0].pid, 4711);
  EXPECT_EQ(statuses[0].ipv4, "10.79.0.2");
  EXPECT_EQ(statuses[0].ipv6, "fd69::2");
  EXPECT_THAT(statuses[0].ports, ElementsAre("sql 5432", "stats 8125/udp"));
  EXPECT_EQ(statuses[0].uptime, milliseconds(61500));
  EXPECT_EQ(statuses[0].restarts, 2U);
  EXPECT_EQ(statuses[0].readiness, "ready after 31 ms");
  EXPECT_TRUE(statuses[1].is_task);
  EXPECT_EQ(statuses[1].state, ServiceState::kStopping);
  EXPECT_EQ(statuses[1].rung, "ports");
  EXPECT_THAT(statuses_from_json(to_json(std::vector<ServiceStatus>{})), IsEmpty());
}

TEST(StatusesTest, AreATableWhoseColumnsAlignWhateverTheBytesOfACharacter) {
  ServiceStatus published = ready_status();
  published.ports = {"http 3000 → 127.0.0.1:8080"};
  ServiceStatus down;
  down.service = "user-service";
  EXPECT_EQ(statuses_text({published, down}),
            "NAME          STATE  PID   ADDRESS    PORTS                       UPTIME  RESTARTS  "
            "READINESS\n"
            "db            ready  4711  10.79.0.2  http 3000 → 127.0.0.1:8080  1m1s    2         "
            "ready after 31 ms\n"
            "user-service  down   -                -                           -       0\n");
}

TEST(StatusesTest, ShowTheUptimeInUnitsThatSuitIt) {
  const auto shows = [](milliseconds uptime, const std::string& text) {
    ServiceStatus status = ready_status();
    status.uptime = uptime;
    EXPECT_THAT(statuses_text({status}), HasSubstr("  " + text + "  ")) << uptime.count();
  };
  shows(milliseconds(0), "0.0s");
  shows(milliseconds(1290), "1.3s");
  shows(minutes(1), "1m0s");
  shows(minutes(59) + seconds(59), "59m59s");
  shows(hours(25) + minutes(1) + seconds(59), "25h1m");
}

TEST(ReportTest, LetsNothingThatAServiceWroteReachTheTerminalAsACommand) {
  ServiceFailure failure;
  failure.service = "api";
  failure.what = "exit code 1 before it was ready";
  failure.diagnosis = {"exec check: exit code 1: \x1b]0;x\x07"};
  failure.last_lines = {"\x1b[31mred\x1b[0m", "clear\x1b[2J", "caf\xe9"};
  EXPECT_EQ(failures_text({failure}),
            "\n  api: exit code 1 before it was ready\n"
            "    exec check: exit code 1: \\x1b]0;x\\x07\n"
            "    its last output:\n"
            "      | red\n"
            "      | clear\\x1b[2J\n"
            "      | caf\\xe9\n");
}

}  // namespace
}  // namespace isoenv
