// `up`, `down`, `ps`, `check`: the life of an instance that outlives its commands.
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <set>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Json = nlohmann::json;

constexpr std::string_view kTwoServices = R"("services": {
    "web": {"command": ["test_service", "http_hello", "*", "80"], "ports": {"http": 80}},
    "echo": {"command": ["test_service", "tcp_echo", "*", "7", "echo: "], "ports": {"main": 7},
             "depends": ["web"]}})";

class UpDownTest : public SystemTest {
 protected:
  /// `ps --json` of one service.
  Json ps(const std::filesystem::path& spec, const std::string& service) const {
    const Outcome outcome = isoenv({"ps", "-f", spec, "--json"});
    EXPECT_THAT(outcome, ExitedWith(0));
    for (const Json& row : Json::parse(outcome.out, nullptr, false)) {
      if (row.is_object() && row.value("service", "") == service) return row;
    }
    ADD_FAILURE() << "no '" << service << "' in " << outcome;
    return Json::object();
  }
};

TEST_F(UpDownTest, PsShowsTheRung) {
  const auto spec = write_spec(R"("services": {"web": {"command": ["test_service", "waits"]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  const std::string namespaces = ::geteuid() == 0 ? "root" : "userns";
  const std::string rung = host("web") == "web" ? namespaces : "ports";
  EXPECT_EQ(ps(spec, "web").value("rung", ""), rung);
  EXPECT_THAT(isoenv({"ps", "-f", spec}).out, HasSubstr("\nrung '" + rung + "'"));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(UpDownTest, UpReturnsWhenServicesAnswer) {
  const auto spec = write_spec(kTwoServices);
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_THAT(exec_in(spec, {"http_get", "any", host("web"), "80", "/health"}).out, HasSubstr("200 OK"));
  EXPECT_EQ(exec_in(spec, {"tcp_ask", "any", host("echo"), "7", "x"}).out, "echo: x\n");
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(UpDownTest, UpLeavesNoProcessBehindButTheInstance) {
  const auto spec = write_spec(kTwoServices);
  // run() waits for the end of both pipes: a keeper that held them would let this time out.
  ASSERT_THAT(up(spec), ExitedWith(0));
  for (const LivingProcess& process : processes()) {
    EXPECT_THAT(process.command_line, Not(HasSubstr(" exec "))) << process.pid;
  }
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(UpDownTest, UpWorksWithStandardStreamsThatAreClosed) {
  const auto spec = write_spec(kTwoServices);
  const Outcome outcome =
      run({"sh", "-c", ISOENV_EXECUTABLE " up -f " + spec.string() + " --owner $PPID <&- >&- 2>&-"},
          options());
  EXPECT_THAT(outcome, ExitedWith(0));
  EXPECT_EQ(exec_in(spec, {"tcp_ask", "any", host("echo"), "7", "x"}).out, "echo: x\n");
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(UpDownTest, UpTwiceChangesNothing) {
  const auto spec = write_spec(kTwoServices);
  ASSERT_THAT(up(spec), ExitedWith(0));
  const Json before = ps(spec, "web");
  const pid_t keeper_before = keeper();
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_EQ(keeper(), keeper_before);
  EXPECT_EQ(ps(spec, "web")["pid"], before["pid"]);
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(UpDownTest, SixteenUpsAtOnceGiveOneKeeper) {
  const auto spec = write_spec(R"("services": {
    "web": {"command": ["sh", "-c", "echo started >> starts; exec test_service tcp_echo '*' 80"],
            "ports": {"http": 80}}})");
  std::vector<Process> ups;
  for (int i = 0; i < 16; ++i) ups.push_back(start_up(spec));
  for (Process& process : ups) EXPECT_THAT(process.wait(), ExitedWith(0));
  EXPECT_GT(keeper(), 0);
  EXPECT_EQ(read_file(dir() / "starts"), "started\n");
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(UpDownTest, SixteenUpsAndDownsAtOnceEndInAWholeState) {
  const auto spec = write_spec(kTwoServices);
  std::vector<Process> commands;
  for (int i = 0; i < 8; ++i) {
    commands.push_back(start_up(spec));
    commands.push_back(start_isoenv({"down", "-f", spec}));
  }
  // An `up` whose instance a `down` ended in between may say so; nothing may hang or crash.
  for (Process& process : commands) {
    const Outcome outcome = process.wait();
    EXPECT_TRUE(outcome.exited_with(0) || outcome.exited_with(1)) << outcome;
  }
  EXPECT_THAT(up(spec), ExitedWith(0));
  EXPECT_EQ(exec_in(spec, {"tcp_ask", "any", host("echo"), "7", "x"}).out, "echo: x\n");
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(UpDownTest, ConcurrentUpsOfDifferentServicesAllGetTheirs) {
  std::string members;
  for (int i = 0; i < 8; ++i) {
    const std::string name = "s" + std::to_string(i);
    members += (i == 0 ? "\"" : ", \"") + name +
               R"(": {"command": ["test_service", "tcp_echo", "*", "80", ")" + name +
               R"( "], "ports": {"main": 80}})";
  }
  const auto spec = write_spec(R"("services": {)" + members + "}");
  std::vector<Process> ups;
  for (int i = 0; i < 8; ++i) ups.push_back(start_up(spec, {"s" + std::to_string(i)}));
  for (Process& process : ups) EXPECT_THAT(process.wait(), ExitedWith(0));
  for (int i = 0; i < 8; ++i) {
    const std::string name = "s" + std::to_string(i);
    EXPECT_EQ(exec_in(spec, {"tcp_ask", "any", name, "80", "x"}).out, name + " x\n");
  }
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(UpDownTest, UpStartsAServiceAgainThatHasDied) {
  const auto spec = write_spec(kTwoServices);
  ASSERT_THAT(up(spec), ExitedWith(0));
  ASSERT_EQ(::kill(ps(spec, "echo").value("pid", 0), SIGKILL), 0);
  ASSERT_TRUE(eventually([&] { return ps(spec, "echo").value("state", "") == "exited"; }));
  EXPECT_THAT(up(spec), ExitedWith(0));
  EXPECT_EQ(exec_in(spec, {"tcp_ask", "any", host("echo"), "7", "x"}).out, "echo: x\n");
  EXPECT_THAT(down(spec), ExitedWith(1)) << "it has died, and no test was there to fail";
}

TEST_F(UpDownTest, DownOfOneServiceLeavesTheOthers) {
  const auto spec = write_spec(kTwoServices);
  ASSERT_THAT(up(spec), ExitedWith(0));
  ASSERT_THAT(down(spec, {"echo"}), ExitedWith(0));
  EXPECT_THAT(exec_in(spec, {"http_get", "any", host("web"), "80", "/"}).out, HasSubstr("hello"));
  EXPECT_THAT(exec_in(spec, {"tcp_ask", "any", host("echo"), "7", "x"}), ExitedWith(1));
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_EQ(exec_in(spec, {"tcp_ask", "any", host("echo"), "7", "x"}).out, "echo: x\n");
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(UpDownTest, DownOfNothingIsNoError) {
  const auto spec = write_spec(kTwoServices);
  EXPECT_THAT(down(spec), ExitedWith(0));
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_THAT(down(spec), ExitedWith(0));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(UpDownTest, NamedInstancesOfOneSpecLiveSideBySide) {
  const auto spec = write_spec(kTwoServices);
  ASSERT_THAT(up(spec, {"--name", "blue"}), ExitedWith(0));
  ASSERT_THAT(up(spec, {"--name", "green"}), ExitedWith(0));
  ASSERT_THAT(down(spec, {"--name", "blue"}), ExitedWith(0));
  const Outcome outcome = isoenv({"exec", "-f", spec, "--name", "green", "--", "test_service",
                                  "tcp_ask", "any", host("echo"), "7", "x"});
  EXPECT_EQ(outcome.out, "echo: x\n") << outcome;
  EXPECT_THAT(down(spec, {"--name", "green"}), ExitedWith(0));
}

TEST_F(UpDownTest, PsShowsPeopleStateAddressAndPorts) {
  const auto spec = write_spec(kTwoServices);
  ASSERT_THAT(up(spec), ExitedWith(0));
  const Outcome outcome = isoenv({"ps", "-f", spec});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("web"), HasSubstr("echo"), HasSubstr("ready"),
                                 HasSubstr("10.79.0.2"), HasSubstr("80")));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(UpDownTest, PsOfNothingFails) {
  const auto spec = write_spec(kTwoServices);
  const Outcome outcome = isoenv({"ps", "-f", spec});
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("no instance"), HasSubstr("lab.json")));
}

TEST_F(UpDownTest, PsTellsProgramsTheSame) {
  const auto spec = write_spec(kTwoServices);
  ASSERT_THAT(up(spec), ExitedWith(0));
  const Json web = ps(spec, "web");
  EXPECT_EQ(web.value("state", ""), "ready");
  EXPECT_EQ(web.value("ipv4", ""), "10.79.0.2");
  std::set<pid_t> pids;
  for (const LivingProcess& process : processes()) pids.insert(process.pid);
  EXPECT_TRUE(pids.contains(web.value("pid", 0))) << web;
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(UpDownTest, PsShowsAServiceThatHasDied) {
  const auto spec = write_spec(R"("services": {"brief": {"command": ["test_service", "writes",
      "up\n", "then", "waits_for", "gate", "then", "exits", "7"], "ready": [{"log": "up"}]}})");
  Gate gate = make_gate();
  ASSERT_THAT(up(spec), ExitedWith(0));
  ASSERT_TRUE(gate.open());
  ASSERT_TRUE(eventually([&] { return ps(spec, "brief").value("state", "") != "ready"; }));
  const Outcome outcome = isoenv({"ps", "-f", spec});
  EXPECT_THAT(outcome.out, HasSubstr("exit code 7"));
  EXPECT_THAT(down(spec), ExitedWith(1));
}

TEST_F(UpDownTest, UpTellsProgramsTheResult) {
  const auto spec = write_spec(kTwoServices);
  const Outcome outcome = up(spec, {"--json"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_TRUE(Json::accept(outcome.out)) << outcome;
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(UpDownTest, UpWarnsOfASpecThatWasEditedSince) {
  const auto spec = write_spec(kTwoServices);
  ASSERT_THAT(up(spec), ExitedWith(0));
  const Outcome same = up(spec);
  ASSERT_THAT(same, ExitedWith(0));
  EXPECT_EQ(same.err, "");

  write_spec(R"("services": {"other": {"command": ["test_service", "waits"]}, )" +
             std::string(kTwoServices).substr(std::string("\"services\": {").size()));
  const Outcome edited = up(spec, {"web"});
  ASSERT_THAT(edited, ExitedWith(0));
  EXPECT_THAT(edited.err, HasSubstr("isoenv up: warning: environment 'lab' still runs with the old "
                                    "spec: '" + spec.string() + "' was edited"));
  const Outcome json = up(spec, {"web", "--json"});
  ASSERT_THAT(json, ExitedWith(0));
  EXPECT_THAT(Json::parse(json.out).at("warnings").at(0).get<std::string>(),
              HasSubstr("still runs with the old spec"));
  const Outcome missing = up(spec, {"other"});
  EXPECT_THAT(missing, ExitedWith(2));
  EXPECT_THAT(missing.err, AllOf(HasSubstr("no service 'other'"), HasSubstr("isoenv down")));

  ASSERT_THAT(down(spec), ExitedWith(0));
  const Outcome anew = up(spec);
  ASSERT_THAT(anew, ExitedWith(0));
  EXPECT_EQ(anew.err, "");
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(UpDownTest, UpWarnsOfLinesThatWereEditedSince) {
  write_file("values", "one\n");
  const auto spec = write_spec(
      R"("lines": "values", "services": {"echo": {"command": ["test_service", "waits"],
         "env": {"VALUE": "{{line.1}}"}}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  write_file("values", "two\n");
  EXPECT_THAT(up(spec).err, HasSubstr("still runs with the old spec"));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(UpDownTest, CheckStartsNothing) {
  const auto spec = write_spec(kTwoServices);
  const Outcome text = isoenv({"check", "-f", spec});
  ASSERT_THAT(text, ExitedWith(0));
  EXPECT_THAT(text.out, AllOf(HasSubstr("web"), HasSubstr("10.79.0.2"), HasSubstr("echo")));
  const Outcome json = isoenv({"check", "-f", spec, "--json"});
  ASSERT_THAT(json, ExitedWith(0));
  EXPECT_EQ(Json::parse(json.out).at("environment"), "lab");
  EXPECT_THAT(processes(), IsEmpty());
}

TEST_F(UpDownTest, UpNamesAServiceThatThereIsNot) {
  const Outcome outcome = up(write_spec(kTwoServices), {"ecko"});
  EXPECT_THAT(outcome, ExitedWith(2));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("'ecko'"), HasSubstr("'echo'")));
}

TEST_F(UpDownTest, UpSurvivesTheRemovalOfItsWorkingDirectory) {
  const auto spec = write_spec(kTwoServices);
  std::filesystem::create_directory(dir() / "gone");
  options().directory = dir() / "gone";
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_TRUE(std::filesystem::remove(dir() / "gone"));
  options().directory = dir();
  EXPECT_EQ(exec_in(spec, {"tcp_ask", "any", host("echo"), "7", "x"}).out, "echo: x\n");
  EXPECT_THAT(down(spec), ExitedWith(0));
}

}  // namespace
}  // namespace isoenv::test
