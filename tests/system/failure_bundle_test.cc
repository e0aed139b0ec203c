// What a failed test leaves: one directory that tells the whole story to who did not see it.
#include <csignal>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kWebAndQuiet[] = R"("services": {
    "web": {"command": ["test_service", "writes", "before\n", "then", "tcp_echo", "*", "80"],
            "ports": {"http": 80}, "ready": [{"tcp": "http"}, {"log": "before"}]},
    "quiet": {"command": ["test_service", "waits"]}})";

class FailureBundleTest : public SystemTest {
 protected:
  FailureBundleTest() {
    for (const char* name : {"GITHUB_ACTIONS", "GITLAB_CI"}) options().unset.push_back(name);
  }
  /// Of the newest instance, sorted.
  std::vector<fs::path> bundles() const { return bundles_in(artefact_dir() / "latest"); }
  static std::vector<fs::path> bundles_in(const fs::path& instance) {
    std::vector<fs::path> found;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(instance / "failed_tests", none)) {
      found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  Outcome exec_test(const fs::path& spec, const Words& options, const Words& behaviour) const {
    Words words = {"exec", "-f", spec, "--service", "web"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"--", "test_service"});
    words.insert(words.end(), behaviour.begin(), behaviour.end());
    return isoenv(words);
  }
};

TEST_F(FailureBundleTest, TellsWhatHappenedDuringTheTestAndNothingElse) {
  const auto spec = write_spec(kWebAndQuiet);
  ASSERT_THAT(up(spec), ExitedWith(0));
  const Outcome outcome = exec_test(spec, {"--test", "web.answers"},
                                    {"tcp_ask", "any", "web", "80", "x", "then", "exits", "3"});
  EXPECT_THAT(outcome, ExitedWith(3));
  ASSERT_EQ(bundles().size(), 1u);
  const fs::path bundle = bundles().front();
  EXPECT_THAT(bundle.filename().string(), HasSubstr("-web.answers-"));
  const std::string place = fs::canonical(bundle) / "README.txt";
  EXPECT_THAT(outcome.err, HasSubstr("isoenv: test 'web.answers' failed (exit code 3); what its "
                                     "services did meanwhile: " +
                                     place));
  const std::string readme = read_file(bundle / "README.txt");
  EXPECT_THAT(readme,
              AllOf(StartsWith("Test 'web.answers' failed: exit code 3."),
                    HasSubstr("test_service tcp_ask any web 80 x"), HasSubstr("run in     "),
                    HasSubstr(spec.string()), HasSubstr("timeline.log"), HasSubstr("web    ready"),
                    HasSubstr("Nothing was written by: ")));
  EXPECT_THAT(read_file(bundle / "timeline.log"),
              AllOf(Not(HasSubstr("before")), HasSubstr("test 'web.answers' begins")));
  EXPECT_FALSE(fs::exists(bundle / "logs" / "web.log"));
  EXPECT_THAT(read_file(bundle / "ps.txt"), HasSubstr("quiet"));
  EXPECT_THAT(read_file(bundle / "plan.json"), HasSubstr("\"environment\": \"lab\""));
  EXPECT_THAT(read_file(bundle / "environment.txt"), HasSubstr("ISOENV_WEB_URL=http://web:80\n"));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(FailureBundleTest, HoldsTheSlicesOfTheLogsWithFaultsAmongTheEvents) {
  const auto spec = write_spec(R"("services": {"web": {
      "command": ["test_service", "writes", "hello\n", "then", "tcp_echo", "*", "80"],
      "ports": {"http": 80}}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_THAT(isoenv({"exec", "-f", spec, "--", "sh", "-c",
                      std::string(ISOENV_EXECUTABLE) + " restart web; exit 4"}),
              ExitedWith(4));
  ASSERT_EQ(bundles().size(), 1u);
  const fs::path bundle = bundles().front();
  EXPECT_EQ(read_file(bundle / "logs" / "web.log"), "hello\n");
  EXPECT_THAT(read_file(bundle / "timeline.log"), HasSubstr("web    | hello"));
  EXPECT_THAT(read_file(bundle / "events.log"), HasSubstr("web: started, pid "));
  EXPECT_THAT(read_file(bundle / "events.log"), Not(HasSubstr("hello")));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(FailureBundleTest, IsNotMadeForTestsThatPassAreSkippedOrInterrupted) {
  const auto spec = write_spec(kWebAndQuiet);
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_THAT(exec_test(spec, {}, {"exits", "0"}), ExitedWith(0));
  EXPECT_THAT(exec_test(spec, {}, {"exits", "77"}), ExitedWith(77));
  Process process = start_isoenv(
      {"exec", "-f", spec, "--", "test_service", "writes", "armed\\n", "then", "waits"});
  ASSERT_TRUE(process.wait_for_output("armed"));
  process.send_signal(SIGINT);
  EXPECT_THAT(process.wait(), ExitedWith(128 + SIGINT));
  EXPECT_FALSE(fs::exists(artefact_dir() / "latest" / "failed_tests"));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(FailureBundleTest, RepeatsTheTestAlone) {
  const auto spec = write_spec(kWebAndQuiet);
  ASSERT_THAT(up(spec), ExitedWith(0));
  options().directory = dir() / "home";
  EXPECT_THAT(exec_test(spec, {},
                        {"writes", "it's me\n", "then", "tcp_ask", "any", "web", "80", "x", "then",
                         "exits", "9"}),
              ExitedWith(9));
  ASSERT_EQ(bundles().size(), 1u);
  const std::string script = bundles().front() / "repeat.sh";
  EXPECT_THAT(read_file(script), HasSubstr("cd " + (dir() / "home").string() + " && "));
  EXPECT_THAT(down(spec), ExitedWith(0));
  const Outcome repeated = run({"sh", script}, options());
  EXPECT_THAT(repeated, ExitedWith(9));
  EXPECT_THAT(repeated.out, HasSubstr("it's me\nx\n"));
}

TEST_F(FailureBundleTest, ShowsNoSecret) {
  options().env["LAB_PIN"] = "swordfish";
  options().env["MY_API_KEY"] = "tunafish";
  const auto spec = write_spec(R"("services": {"web": {
      "command": ["test_service", "waits"], "secret_env": ["LAB_PIN"]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_THAT(isoenv({"exec", "-f", spec, "--", "test_service", "writes", "swordfish", "then",
                      "exits", "2"}),
              ExitedWith(2));
  ASSERT_EQ(bundles().size(), 1u);
  for (const auto& entry : fs::recursive_directory_iterator(bundles().front())) {
    if (!entry.is_regular_file()) continue;
    EXPECT_THAT(read_file(entry.path()), Not(HasSubstr("swordfish"))) << entry.path();
    EXPECT_THAT(read_file(entry.path()), Not(HasSubstr("tunafish"))) << entry.path();
  }
  EXPECT_THAT(read_file(bundles().front() / "environment.txt"), HasSubstr("LAB_PIN=***\n"));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(FailureBundleTest, IsMadeForRunTooAndKeepsItsInstanceAmongTheFailed) {
  const auto spec = write_spec(kWebAndQuiet);
  const Outcome outcome = isoenv(
      {"run", "-f", spec, "--artefacts", artefact_dir(), "--", "test_service", "crashes", "segv"});
  EXPECT_THAT(outcome, ExitedWith(128 + SIGSEGV));
  EXPECT_THAT(outcome.err, HasSubstr("failed (killed by SIGSEGV"));
  ASSERT_EQ(bundles().size(), 1u);
  EXPECT_THAT(read_file(artefact_dir() / "latest" / ".isoenv"), HasSubstr("\"passed\":false"));
}

TEST_F(FailureBundleTest, IsMadeByTheKeeperForATestThatIsKilled) {
  Gate gate = make_gate();
  const auto spec = write_spec(R"("services": {
      "web": {"command": ["test_service", "writes", "hello\n", "then", "waits"]},
      "weak": {"command": ["test_service", "waits_for", ")" +
                               gate.text() + R"(", "then", "crashes", "segv"]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  options().env["MY_API_KEY"] = "tunafish";
  Process test = start_isoenv({"exec", "-f", spec, "--test", "web.hangs", "--", "test_service",
                               "writes", "armed\n", "then", "waits"});
  ASSERT_TRUE(test.wait_for_output("armed"));
  ASSERT_TRUE(gate.open());
  EXPECT_TRUE(eventually(
      [&] { return isoenv({"logs"}).out.find("weak: ended by itself") != std::string::npos; }));
  test.send_signal(SIGKILL);
  EXPECT_EQ(test.wait().signal, SIGKILL);
  ASSERT_TRUE(eventually([&] { return bundles().size() == 1; }));
  const fs::path bundle = fs::canonical(bundles().front());
  const std::string place = bundle / "README.txt";
  ASSERT_TRUE(eventually([&] { return isoenv({"logs"}).out.find(place) != std::string::npos; }));
  EXPECT_THAT(read_file(place),
              AllOf(StartsWith("Test 'web.hangs' failed: killed, with its isoenv"),
                    HasSubstr("service 'weak' at "), HasSubstr("killed by SIGSEGV"),
                    HasSubstr("test_service writes"), HasSubstr("web   ready")));
  EXPECT_THAT(read_file(bundle / "environment.txt"), HasSubstr("MY_API_KEY=***\n"));
  EXPECT_THAT(read_file(bundle / "plan.json"), HasSubstr("\"environment\": \"lab\""));
  EXPECT_THAT(read_file(bundle / "repeat.sh"),  // the latter when these tests are ctest's
              AnyOf(HasSubstr(" run --file " + spec.string()), HasSubstr(R"(-R '^web\.hangs$')")));
  const Outcome ended = down(spec);
  EXPECT_THAT(ended, ExitedWith(0)) << "the test has failed already";
  EXPECT_THAT(ended.err, AllOf(HasSubstr("test 'web.hangs' failed (killed, with its isoenv"),
                               HasSubstr(place)));
}

TEST_F(FailureBundleTest, IsMadeForARunThatIsKilled) {
  const auto spec = write_spec(kWebAndQuiet);
  Process test = start_isoenv({"run", "-f", spec, "--artefacts", artefact_dir(), "--test", "own",
                               "--", "test_service", "writes", "armed\n", "then", "waits"});
  ASSERT_TRUE(test.wait_for_output("armed"));
  test.send_signal(SIGKILL);
  EXPECT_EQ(test.wait().signal, SIGKILL);
  ASSERT_TRUE(eventually([&] {
    return read_file(artefact_dir() / "latest" / "isoenv.log").find("README.txt") !=
           std::string::npos;
  }));
  ASSERT_EQ(bundles().size(), 1u);
  EXPECT_THAT(
      read_file(bundles().front() / "README.txt"),
      AllOf(StartsWith("Test 'own' failed: killed, with its isoenv"), HasSubstr("web    ready")));
}

TEST_F(FailureBundleTest, IsMadeWhenOnlyTheEndOfTheServicesFails) {
  const auto spec = write_spec(R"("services": {"web": {"command": ["test_service", "exits_on",
      "SIGTERM", "3", "then", "writes", "up\n", "then", "waits"], "ready": [{"log": "up"}]}})");
  const Outcome outcome = isoenv(
      {"run", "-f", spec, "--artefacts", artefact_dir(), "--test", "web.ends", "--", "true"});
  EXPECT_THAT(outcome, ExitedWith(1));
  ASSERT_EQ(bundles().size(), 1u);
  const fs::path bundle = fs::canonical(bundles().front());
  EXPECT_THAT(
      outcome.err,
      AllOf(HasSubstr("test 'web.ends' failed (its services failed when they were stopped)"),
            HasSubstr(bundle / "README.txt"), HasSubstr("to repeat it alone: ")));
  EXPECT_THAT(
      read_file(bundle / "README.txt"),
      AllOf(HasSubstr("ended badly when it was stopped: exit code 3"), HasSubstr("web   ready")));
}

TEST_F(FailureBundleTest, IsNotMadeForRunsWhoseServicesEndWell) {
  const auto spec = write_spec(kWebAndQuiet);
  EXPECT_THAT(isoenv({"run", "-f", spec, "--artefacts", artefact_dir(), "--", "true"}),
              ExitedWith(0));
  EXPECT_FALSE(fs::exists(artefact_dir() / "latest" / "failed_tests"));
}

TEST_F(FailureBundleTest, IsAnnotatedForCiSystems) {
  const auto spec = write_spec(kWebAndQuiet);
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_THAT(exec_test(spec, {}, {"exits", "3"}).err, Not(HasSubstr("::group::")));
  options().unset.clear();
  options().env["GITHUB_ACTIONS"] = "true";
  EXPECT_THAT(exec_test(spec, {"--test", "a"}, {"exits", "3"}).err,
              AllOf(HasSubstr("\n::group::what the services did while 'a' ran\n"),
                    HasSubstr("\n::endgroup::\n::error title=test 'a' failed::exit code 3%0A")));
  options().env.erase("GITHUB_ACTIONS");
  options().env["GITLAB_CI"] = "true";
  EXPECT_THAT(exec_test(spec, {}, {"exits", "3"}).err, HasSubstr("\x1b[0Ksection_start:"));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(FailureBundleTest, IsMadeForTestsThatRunAtTheSameTime) {
  const auto spec = write_spec(kWebAndQuiet);
  ASSERT_THAT(up(spec), ExitedWith(0));
  std::vector<Process> all;
  for (int i = 0; i < 8; ++i) {
    all.push_back(start_isoenv({"exec", "-f", spec, "--", "test_service", "exits", "5"}));
  }
  for (Process& process : all) EXPECT_THAT(process.wait(), ExitedWith(5));
  EXPECT_EQ(bundles().size(), 8u);
  EXPECT_THAT(down(spec), ExitedWith(0));
}

}  // namespace
}  // namespace isoenv::test
