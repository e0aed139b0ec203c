#include "harness/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace isoenv {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Message and hint of the refusal; checks that it is a fault of usage.
template <typename Parse>
std::string refusal(Parse parse, const Arguments& arguments) {
  try {
    parse(arguments);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    return std::string(error.what()) + "; " + error.hint();
  }
  return "not refused";
}

TEST(OptionsTest, HaveDefaults) {
  const UpOptions up = parse_up({});
  EXPECT_EQ(up.file, "isoenv.json");
  EXPECT_EQ(up.owner, "auto");
  EXPECT_EQ(up.name, "");
  EXPECT_FALSE(up.artefacts);
  EXPECT_FALSE(up.json);
  EXPECT_THAT(up.services, IsEmpty());
  EXPECT_FALSE(parse_down({}).file);
  EXPECT_FALSE(parse_ps({}).file);
  EXPECT_FALSE(parse_logs({}).follow);
  EXPECT_EQ(parse_check({}).file, "isoenv.json");
  EXPECT_FALSE(parse_doctor({}).json);
  EXPECT_FALSE(parse_doctor({}).apparmor_profile);
}

TEST(OptionsTest, AreReadInEveryUsualSpelling) {
  for (const Arguments& arguments : std::vector<Arguments>{
           {"-f", "a.json", "user", "--json"},
           {"-fa.json", "--json", "user"},
           {"user", "--json", "--file=a.json"},
           {"--json", "--file", "a.json", "--", "user"},
       }) {
    const UpOptions up = parse_up(arguments);
    EXPECT_EQ(up.file, "a.json");
    EXPECT_TRUE(up.json);
    EXPECT_THAT(up.services, ElementsAre("user"));
  }
}

TEST(OptionsTest, OfUpAreAllKept) {
  const UpOptions up =
      parse_up({"--owner", "123", "--name", "second", "--artefacts", "logs", "--", "a", "-b"});
  EXPECT_EQ(up.owner, "123");
  EXPECT_EQ(up.name, "second");
  EXPECT_EQ(up.artefacts, "logs");
  EXPECT_THAT(up.services, ElementsAre("a", "-b"));
}

TEST(OptionsTest, OfLogsUseTheShortFForFollow) {
  const LogsOptions logs = parse_logs({"-f", "--file", "a.json", "user", "order"});
  EXPECT_TRUE(logs.follow);
  EXPECT_EQ(logs.file, "a.json");
  EXPECT_THAT(logs.services, ElementsAre("user", "order"));
}

TEST(OptionsTest, OfTheCommandAreNotIsoenvs) {
  const ExecOptions exec =
      parse_exec({"--service", "a", "--service=b", "ls", "-l", "--file", "x", "--help", "--"});
  EXPECT_THAT(exec.services, ElementsAre("a", "b"));
  EXPECT_THAT(exec.command, ElementsAre("ls", "-l", "--file", "x", "--help", "--"));
  EXPECT_FALSE(exec.file);
  EXPECT_FALSE(wants_help("exec", {"ls", "--help"}));
  EXPECT_FALSE(wants_help("exec", {"--", "--help"}));
}

TEST(OptionsTest, OfFaultsNameServices) {
  const FaultOptions kill = parse_fault_command("kill", {"-s", "TERM", "a", "--keep", "b"});
  EXPECT_EQ(kill.signal, "TERM");
  EXPECT_TRUE(kill.keep);
  EXPECT_THAT(kill.services, ElementsAre("a", "b"));
  const auto pause = [](const Arguments& words) { return parse_fault_command("pause", words); };
  EXPECT_THAT(refusal(pause, {"--json"}), HasSubstr("no service is named"));
  EXPECT_THAT(refusal(pause, {"-s", "TERM", "a"}), HasSubstr("unknown option '-s'"));
}

TEST(OptionsTest, TakeSeveralFaultsAndTellAllThatMakeNoSense) {
  EXPECT_THAT(parse_exec({"--fault", "stop:a@1s", "--fault=pause:b@0ms+1s", "ls"}).faults,
              ElementsAre("stop:a@1s", "pause:b@0ms+1s"));
  const std::string refused =
      refusal(parse_run, {"-f", "x", "--fault", "stp:a@1s", "--fault", "stop:a", "ls"});
  EXPECT_THAT(refused, HasSubstr("did you mean 'stop'?"));
  EXPECT_THAT(refused, HasSubstr("it has no '@'"));
  EXPECT_THAT(refusal(parse_run, {"--fault", "stop:a@1s", "ls"}), HasSubstr("needs a spec"));
}

TEST(OptionsTest, TakeWhatATestMeansOfItsServices) {
  const ExecOptions exec = parse_exec({"--allow-failure", "a", "--allow-failure=b", "--expect-exit",
                                       "c:3", "--expect-exit", "c:SIGKILL", "ls"});
  EXPECT_THAT(exec.tolerance.allow_failure, ElementsAre("a", "b"));
  EXPECT_THAT(exec.tolerance.exit_texts(), ElementsAre("c:3", "c:SIGKILL"));
  EXPECT_THAT(refusal(parse_run, {"-f", "x", "--expect-exit", "c", "--expect-exit", "c:256", "ls"}),
              AllOf(HasSubstr("it has no ':'"), HasSubstr("'256' is no exit code")));
  EXPECT_THAT(refusal(parse_run, {"--allow-failure", "a", "ls"}), HasSubstr("needs a spec"));
  EXPECT_THAT(refusal(parse_exec, {"--in", "a", "--expect-exit", "a:3", "ls"}),
              HasSubstr("option '--expect-exit' is for tests"));
}

TEST(OptionsTest, EndAtTheTwoHyphens) {
  EXPECT_THAT(parse_run({"-f", "a.json", "--", "--file", "x"}).command, ElementsAre("--file", "x"));
  EXPECT_THAT(parse_run({"--", "--", "x"}).command, ElementsAre("--", "x"));
  EXPECT_THAT(parse_run({"printf", "", "a b"}).command, ElementsAre("printf", "", "a b"));
}

TEST(OptionsTest, AreRefusedWithTheNearestRightOne) {
  EXPECT_EQ(refusal(parse_up, {"--ownr", "1"}), "unknown option '--ownr'; did you mean '--owner'?");
  EXPECT_EQ(refusal(parse_exec, {"--servce=a", "ls"}),
            "unknown option '--servce'; did you mean '--service'?");
  EXPECT_EQ(refusal(parse_ps, {"-x"}), "unknown option '-x'; see 'isoenv ps --help'");
}

TEST(OptionsTest, AreNotGuessedFromABeginning) {
  EXPECT_THAT(refusal(parse_up, {"--fi", "a.json"}), HasSubstr("unknown option '--fi'"));
}

TEST(OptionsTest, NeedTheirValues) {
  EXPECT_THAT(refusal(parse_up, {"--file"}), HasSubstr("option '--file' needs a value"));
  EXPECT_THAT(refusal(parse_up, {"--file", "--json"}), HasSubstr("option '--file' needs a value"));
  EXPECT_THAT(refusal(parse_up, {"-f", "--", "a"}), HasSubstr("option '-f' needs a value"));
  EXPECT_THAT(refusal(parse_up, {"--file="}), HasSubstr("option '--file' needs a value"));
  EXPECT_THAT(refusal(parse_up, {"--file", ""}), HasSubstr("option '--file' needs a value"));
  EXPECT_THAT(refusal(parse_up, {"--json=yes"}), HasSubstr("--json"));
}

TEST(OptionsTest, AreNotGivenTwice) {
  EXPECT_THAT(refusal(parse_up, {"-f", "a.json", "--file", "b.json"}),
              HasSubstr("option '--file' is given twice"));
  EXPECT_THAT(refusal(parse_up, {"--json", "--json"}), HasSubstr("'--json' is given twice"));
}

TEST(OptionsTest, RefuseAWordThatHasNoPlace) {
  EXPECT_THAT(refusal(parse_check, {"shop.json"}), HasSubstr("unexpected word 'shop.json'"));
  EXPECT_THAT(refusal(parse_doctor, {"shop.json"}), HasSubstr("unexpected word 'shop.json'"));
  EXPECT_THAT(refusal(parse_up, {"a", ""}), HasSubstr("a service's name is empty"));
}

TEST(OptionsTest, RequireACommandWhereOneIsRun) {
  EXPECT_THAT(refusal(parse_exec, {"--service", "a"}), HasSubstr("isoenv exec -- COMMAND"));
  EXPECT_THAT(refusal(parse_run, {"--"}), HasSubstr("no command is given"));
}

TEST(OptionsTest, OfExecAndRunNameTheWordsOfAListing) {
  const ExecOptions exec = parse_exec({"--listing=--list", "--listing", "-l", "x", "--listing=y"});
  EXPECT_THAT(exec.listing, ElementsAre("--list", "-l"));
  EXPECT_THAT(exec.command, ElementsAre("x", "--listing=y"));
  EXPECT_THAT(parse_run({"--listing=--list", "x"}).listing, ElementsAre("--list"));
  EXPECT_THAT(refusal(parse_exec, {"--listing=", "x"}), HasSubstr("needs a value"));
}

TEST(OptionsTest, OfRunGiveEachCommandAFolderInAFolderOnly) {
  EXPECT_THAT(refusal(parse_run, {"--per-command", "x"}), HasSubstr("needs a folder"));
  EXPECT_TRUE(parse_run({"--per-command", "--artefacts", "a", "x"}).per_command);
  EXPECT_FALSE(parse_run({"--artefacts", "a", "x"}).per_command);
}

TEST(OptionsTest, OfRunNameServicesOfASpecOnly) {
  EXPECT_THAT(refusal(parse_run, {"--service", "a", "x"}), HasSubstr("needs a spec"));
  EXPECT_THAT(parse_run({"-f", "a.json", "--service", "a", "x"}).services, ElementsAre("a"));
}

TEST(OptionsTest, RefuseANameThatCannotBeOne) {
  for (const char* name : {"A", "a/b", "..", "-a", "a-", "a b"}) {
    EXPECT_THAT(refusal(parse_up, {std::string("--name=") + name}),
                HasSubstr("cannot be the name"));
  }
  EXPECT_EQ(parse_up({"--name", "a-2"}).name, "a-2");
}

TEST(HelpTest, IsAskedForAmongTheOptions) {
  EXPECT_TRUE(wants_help("up", {"--help"}));
  EXPECT_TRUE(wants_help("up", {"-f", "a.json", "user", "-h"}));
  EXPECT_TRUE(wants_help("exec", {"--service", "a", "--help", "ls"}));
  EXPECT_FALSE(wants_help("up", {}));
}

TEST(HelpTest, TellsOfEveryCommand) {
  for (const char* command : {"up", "down", "exec", "run", "ps", "logs", "check"}) {
    const std::string text = help_text(command);
    EXPECT_THAT(text, HasSubstr(std::string("Usage: isoenv ") + command));
    EXPECT_THAT(text, HasSubstr("--help"));
    EXPECT_THAT(text, HasSubstr("Exit codes:"));
    EXPECT_THAT(text, HasSubstr("Example:"));
  }
}

TEST(OptionsTest, OfUpNameServicesToPause) {
  EXPECT_THAT(parse_up({"--pause-before", "db", "--pause-before=web"}).pause_before,
              ElementsAre("db", "web"));
  EXPECT_THAT(parse_up({}).pause_before, IsEmpty());
}

TEST(OptionsTest, UpAndRunTellWhereTheTimeWentWhenAsked) {
  EXPECT_TRUE(parse_up({"--timing"}).timing);
  EXPECT_FALSE(parse_up({}).timing);
  EXPECT_TRUE(parse_run({"-f", "shop.json", "--timing", "true"}).timing);
  EXPECT_FALSE(parse_run({"-f", "shop.json", "true"}).timing);
  EXPECT_THAT(refusal(parse_run, {"--timing", "true"}), HasSubstr("needs a spec"));
}

TEST(OptionsTest, OfExecNameTheServiceInWhosePlaceItRuns) {
  EXPECT_EQ(parse_exec({"--in", "db", "--", "gdb", "-p", "2"}).in, "db");
  EXPECT_EQ(parse_exec({"true"}).in, "");
  EXPECT_THAT(refusal(parse_exec, {"--in"}), HasSubstr("'--in' needs a value"));
}

TEST(OptionsTest, OfShellAreOneService) {
  EXPECT_EQ(parse_shell({"-f", "a.json", "db"}).service, "db");
  EXPECT_THAT(refusal(parse_shell, {}), HasSubstr("no service is named"));
  EXPECT_THAT(refusal(parse_shell, {"db", "web"}), HasSubstr("more than one service is named"));
}

}  // namespace
}  // namespace isoenv
