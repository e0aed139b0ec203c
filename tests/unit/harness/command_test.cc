#include "harness/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/process.h"
#include "support/temp_dir.h"

namespace isoenv {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::filesystem::path write_spec(const test::TempDir& temp, const std::string& text) {
  const std::filesystem::path file = temp.path() / "shop.json";
  std::ofstream(file) << text;
  return file;
}

TEST(RenderErrorTest, TellsCauseFramesAndHint) {
  SystemError error(ENOENT, "open", "x", ExitCode::kUsage, "give -f FILE");
  error.add_frame("reading the spec");
  error.add_frame("starting 'shop'");
  EXPECT_EQ(render_error("up", error),
            "isoenv up: cannot open 'x': ENOENT (No such file or directory)\n"
            "  while reading the spec\n"
            "  while starting 'shop'\n"
            "  hint: give -f FILE\n");
  EXPECT_EQ(render_error("", Error("bad")), "isoenv: bad\n");
}

TEST(ExitCodeTest, SetsOwnFailureApartFromTheCommands) {
  EXPECT_EQ(exit_code_after("up", ExitCode::kEnvironmentFailed), 1);
  EXPECT_EQ(exit_code_after("run", ExitCode::kEnvironmentFailed), 125);
  EXPECT_EQ(exit_code_after("exec", ExitCode::kOwnFailure), 125);
  EXPECT_EQ(exit_code_after("exec", ExitCode::kUsage), 2);
  EXPECT_EQ(exit_code_after("run", ExitCode::kCannotRun), 77);
}

TEST(LoadSpecTest, TellsEveryFaultOfASpec) {
  const test::TempDir temp;
  const auto file = write_spec(temp, R"({"version": 1, "environment": "shop", "servces": {},
                                         "services": {"a": {"comand": ["x"]}}})");
  try {
    load_spec(file);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("servces"), HasSubstr("comand"), HasSubstr("\n")));
  }
}

TEST(FindServicesTest, TellsTheNearestName) {
  EnvironmentPlan plan;
  plan.name = "shop";
  plan.services.resize(2);
  plan.services[0].name = "user";
  plan.services[1].name = "order";
  EXPECT_THAT(find_services(plan, {"order", "user"}), ::testing::ElementsAre(1U, 0U));
  try {
    find_services(plan, {"oder"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    EXPECT_STREQ(error.what(), "environment 'shop' has no service 'oder'");
    EXPECT_EQ(error.hint(), "did you mean 'order'?");
  }
}

class MainTest : public ::testing::Test {
 protected:
  static test::Outcome isoenv(std::vector<std::string> words) {
    words.insert(words.begin(), ISOENV_EXECUTABLE);
    return test::run(words);
  }
};

TEST_F(MainTest, PrintsItsVersion) {
  const test::Outcome outcome = isoenv({"--version"});
  EXPECT_TRUE(outcome.exited_with(0)) << outcome;
  EXPECT_EQ(outcome.out, "isoenv " + isoenv_version() + "\n");
}

TEST_F(MainTest, PrintsAnOverviewAndTheHelpOfACommand) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"--help"}, {"-h"}, {"help"}}) {
    EXPECT_THAT(isoenv(words).out, HasSubstr("Commands:"));
  }
  EXPECT_THAT(isoenv({"help", "run"}).out, StartsWith("Usage: isoenv run"));
  EXPECT_THAT(isoenv({"run", "--help"}).out, StartsWith("Usage: isoenv run"));
}

TEST_F(MainTest, AnswersWrongInputWithTwoAndOneMessage) {
  const test::Outcome nothing = isoenv({});
  EXPECT_TRUE(nothing.exited_with(2)) << nothing;
  const test::Outcome command = isoenv({"chek"});
  EXPECT_TRUE(command.exited_with(2)) << command;
  EXPECT_EQ(command.err, "isoenv: unknown command 'chek'\n  hint: did you mean 'check'?\n");
  const test::Outcome option = isoenv({"check", "--jsn"});
  EXPECT_TRUE(option.exited_with(2)) << option;
  EXPECT_EQ(option.err, "isoenv check: unknown option '--jsn'\n  hint: did you mean '--json'?\n");
  const test::Outcome file = isoenv({"check", "-f", "/nowhere/shop.json"});
  EXPECT_TRUE(file.exited_with(2)) << file;
  EXPECT_THAT(file.err, HasSubstr("'/nowhere/shop.json'"));
}

TEST_F(MainTest, ChecksASpecWithoutCreatingAnything) {
  const test::TempDir temp;
  const auto file = write_spec(temp, R"({"version": 1, "environment": "shop",
      "services": {"user": {"command": ["user"], "ports": {"http": 3000}}}})");
  test::ProcessOptions options;
  options.env = {{"HOME", temp.path()}, {"ISOENV_RUNTIME_DIR", temp.path() / "r"}};
  options.unset = {"XDG_STATE_HOME"};
  for (const std::string format : {"", "--json"}) {
    std::vector<std::string> words{ISOENV_EXECUTABLE, "check", "-f", file};
    if (!format.empty()) words.push_back(format);
    const test::Outcome outcome = test::run(words, options);
    EXPECT_TRUE(outcome.exited_with(0)) << outcome;
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("user"), HasSubstr("3000"))) << format;
  }
  EXPECT_FALSE(std::filesystem::exists(temp.path() / "r"));
  EXPECT_FALSE(std::filesystem::exists(temp.path() / ".local"));
}

}  // namespace
}  // namespace isoenv
