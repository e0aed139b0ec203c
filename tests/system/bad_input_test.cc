// Wrong input: exit code 2 and one message that names the thing; nothing is started.
#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class BadInputTest : public SystemTest {
 protected:
  /// The first line names the command.
  static std::string without_first_line(const std::string& text) {
    return text.substr(text.find('\n') + 1);
  }

  /// The complaint about a spec with these members: the same by check, up and run.
  std::string complaint(const std::string& members) {
    const auto spec = write_spec(members);
    const Outcome check = isoenv({"check", "-f", spec});
    EXPECT_THAT(check, ExitedWith(2));
    EXPECT_THAT(check.out, IsEmpty());
    EXPECT_THAT(check.err, HasSubstr("lab.json"));
    const Outcome up_outcome = up(spec);
    EXPECT_THAT(up_outcome, ExitedWith(2));
    EXPECT_EQ(without_first_line(up_outcome.err), without_first_line(check.err));
    const Outcome run_outcome = run_in(spec, {"creates_file", dir() / "ran"});
    EXPECT_THAT(run_outcome, ExitedWith(2));
    EXPECT_EQ(without_first_line(run_outcome.err), without_first_line(check.err));
    EXPECT_FALSE(std::filesystem::exists(dir() / "ran"));
    return check.err;
  }
};

TEST_F(BadInputTest, NamesAnUnknownKeyAndTheNearestRightOne) {
  EXPECT_THAT(complaint(R"("services": {"web": {"command": ["x"], "prots": {"http": 80}}})"),
              AllOf(HasSubstr("services.web.prots"), HasSubstr("'ports'")));
}

TEST_F(BadInputTest, ShowsACycle) {
  EXPECT_THAT(complaint(R"("services": {
    "a": {"command": ["x"], "depends": ["b"]}, "b": {"command": ["x"], "depends": ["a"]}})"),
              HasSubstr("a → b → a"));
}

TEST_F(BadInputTest, NamesAnUnknownDependency) {
  EXPECT_THAT(complaint(R"("services": {
    "user": {"command": ["x"]}, "order": {"command": ["x"], "depends": ["usr"]}})"),
              AllOf(HasSubstr("'usr'"), HasSubstr("'user'")));
}

TEST_F(BadInputTest, NamesATemplateOfAnUnknownService) {
  EXPECT_THAT(complaint(R"("services": {
    "user": {"command": ["x"], "ports": {"http": 80}},
    "order": {"command": ["x"], "env": {"USER_URL": "{{usr.url}}"}}})"),
              AllOf(HasSubstr("usr"), HasSubstr("user"), HasSubstr("services.order.env.USER_URL")));
}

TEST_F(BadInputTest, NamesTwoServicesForwardedToOnePort) {
  EXPECT_THAT(complaint(R"("services": {
    "left": {"command": ["x"], "ports": {"main": 6379}, "localhost": ["main"]},
    "right": {"command": ["x"], "ports": {"main": 6379}, "localhost": ["main"]}})"),
              AllOf(HasSubstr("'left'"), HasSubstr("'right'"), HasSubstr("6379")));
}

TEST_F(BadInputTest, NamesTwoPortsOfOneServiceOnOneNumber) {
  EXPECT_THAT(complaint(R"("services": {"web": {"command": ["x"], "ports": {"a": 80, "b": 80}}})"),
              AllOf(HasSubstr("services.web.ports"), HasSubstr("80")));
}

TEST_F(BadInputTest, TellsEveryFaultAtOnce) {
  EXPECT_THAT(complaint(R"("sevices": {}, "services": {
    "Web": {"command": ["x"]}, "b": {"command": []},
    "c": {"command": ["x"], "ready_timeout": 30}, "d": {"command": ["x"], "env": {"N": 1}}})"),
              AllOf(HasSubstr("sevices"), HasSubstr("Web"), HasSubstr("services.b.command"),
                    HasSubstr("30s"), HasSubstr("\"1\"")));
}

TEST_F(BadInputTest, NamesAFileThatIsNotThere) {
  for (const char* command : {"check", "up"}) {
    const Outcome outcome = isoenv({command, "-f", dir() / "none.json"});
    EXPECT_THAT(outcome, ExitedWith(2));
    EXPECT_THAT(outcome.err, HasSubstr("none.json"));
  }
}

TEST_F(BadInputTest, NamesTheDefaultFileWhenThereIsNone) {
  options().directory = dir();
  const Outcome outcome = isoenv({"up"});
  EXPECT_THAT(outcome, ExitedWith(2));
  EXPECT_THAT(outcome.err, HasSubstr("isoenv.json"));
}

TEST_F(BadInputTest, TellsWhereJsonIsBroken) {
  write_file("broken.json", "{\"version\": 1,\n \"environment\": }\n");
  const Outcome outcome = isoenv({"check", "-f", dir() / "broken.json"});
  EXPECT_THAT(outcome, ExitedWith(2));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("broken.json"), HasSubstr("line 2")));
}

TEST_F(BadInputTest, NamesAnUnknownCommandAndOption) {
  const Outcome command = isoenv({"upp"});
  EXPECT_THAT(command, ExitedWith(2));
  EXPECT_THAT(command.err, AllOf(HasSubstr("'upp'"), HasSubstr("'up'")));
  const Outcome option = isoenv({"up", "--onwer", "none"});
  EXPECT_THAT(option, ExitedWith(2));
  EXPECT_THAT(option.err, AllOf(HasSubstr("'--onwer'"), HasSubstr("'--owner'")));
}

TEST_F(BadInputTest, NamesAMissingCommand) {
  for (const char* name : {"run", "exec"}) {
    EXPECT_THAT(isoenv({name}), ExitedWith(2));
    const Outcome outcome = isoenv({name, "--"});
    EXPECT_THAT(outcome, ExitedWith(2));
    EXPECT_THAT(outcome.err, HasSubstr("command"));
  }
}

TEST_F(BadInputTest, RefusesAWrongOwner) {
  const Outcome outcome = up(write_spec(R"("services": {})"), {"--owner", "nobody"});
  EXPECT_THAT(outcome, ExitedWith(2));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("'nobody'"), HasSubstr("auto")));
}

TEST_F(BadInputTest, IsNotHelpOrVersion) {
  for (const char* command : {"up", "down", "exec", "run", "ps", "logs", "check"}) {
    const Outcome outcome = isoenv({command, "--help"});
    EXPECT_THAT(outcome, ExitedWith(0));
    EXPECT_THAT(outcome.out, HasSubstr(std::string("isoenv ") + command));
    EXPECT_THAT(outcome.err, IsEmpty());
  }
  EXPECT_THAT(isoenv({"--help"}), ExitedWith(0));
  const Outcome version = isoenv({"--version"});
  EXPECT_THAT(version, ExitedWith(0));
  EXPECT_THAT(version.out, Not(IsEmpty()));
}

}  // namespace
}  // namespace isoenv::test
