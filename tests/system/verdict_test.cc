// A test fails when a service that it uses did, whatever its own assertions saw.
#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kFails[] = "the test fails, although its command ended with 0";

class VerdictTest : public SystemTest {
 protected:
  /// One service, `order`, with these words and further members of its own.
  std::filesystem::path spec_of(const std::string& command, const std::string& members = "") const {
    return write_spec(R"("services": {
      "order": {"command": )" +
                      command + R"(, "ready": [{"log": "up"}])" + members + R"(},
      "other": {"command": ["test_service", "waits"]}})");
  }
  /// A service that is ready, waits for the gate, and does the rest.
  std::filesystem::path spec_at_gate(const std::string& rest,
                                     const std::string& members = "") const {
    return spec_of(R"(["test_service", "writes", "up\n", "then", "waits_for", ")" + gate_.text() +
                       "\", \"then\", " + rest + "]",
                   members);
  }
  /// A test that opens the gate, and passes when `order` is in that state.
  Outcome run_test(const std::filesystem::path& spec, const std::string& until = "exited",
                   const Words& words = {}) {
    Words all = {"exec", "-f", spec};
    all.insert(all.end(), words.begin(), words.end());
    all.insert(all.end(), {"--", "test_service", "waits_for", (dir() / "end").string()});
    Gate end(dir() / "end");
    Process test = start_isoenv(all);
    EXPECT_TRUE(end.wait_until_reached());
    EXPECT_TRUE(gate_.open());
    EXPECT_TRUE(eventually([&] { return log_has("order: " + until); })) << log();
    EXPECT_TRUE(end.open());
    const Outcome outcome = test.wait();
    std::filesystem::remove(end.path());
    return outcome;
  }
  std::string log() const { return isoenv({"logs"}).out; }
  bool log_has(const std::string& text) const { return log().find(text) != std::string::npos; }

  Gate gate_ = make_gate();
};

TEST_F(VerdictTest, FailsATestWhoseServiceCrashes) {
  const auto spec = spec_at_gate(R"("writes", "last words\n", "then", "crashes", "segv")");
  ASSERT_THAT(up(spec), ExitedWith(0));
  const Outcome outcome = run_test(spec, "ended by itself");
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr(kFails), HasSubstr("service 'order' at "),
                                 HasSubstr("ended while it should have been up: killed by SIGSEGV"),
                                 HasSubstr("| last words"), HasSubstr("order.log")));
  EXPECT_THAT(down(spec), ExitedWith(0)) << "the test has told it";
}

TEST_F(VerdictTest, FailsATestThatEndsAtTheVeryMomentOfItsServicesDeath) {
  const Gate asked = make_gate("asked");
  const Gate alive = make_gate("alive");  // has no writer any more when the service is dead
  const auto spec = spec_of(R"(["sh", "-c", "exec 3<>\"$1\"; echo up; read -r _ <\"$0\"; kill -SEGV $$",
      ")" + asked.text() + R"(", ")" + alive.text() + R"("])");
  for (int round = 0; round < 10; ++round) {
    const Outcome outcome =
        isoenv({"run", "-f", spec, "--artefacts", artefact_dir(), "--", "sh", "-c",
                "exec 4<\"$1\"; echo go >\"$0\"; cat <&4", asked.text(), alive.text()});
    ASSERT_THAT(outcome, ExitedWith(1));
    EXPECT_THAT(outcome.err, HasSubstr("ended while it should have been up: killed by SIGSEGV"));
  }
}

TEST_F(VerdictTest, FailsNoTestThatDoesNotUseTheService) {
  const auto spec = spec_at_gate(R"("exits", "3")");
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_THAT(run_test(spec, "ended by itself", {"--service", "other"}), ExitedWith(0));
  const Outcome outcome = down(spec);
  EXPECT_THAT(outcome, ExitedWith(1)) << "somebody has to";
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("services have failed"), HasSubstr("exit code 3")));
}

TEST_F(VerdictTest, KnowsWhatIsExpectedOrAllowed) {
  for (const char* members : {R"(, "expect_exit": [3])", R"(, "allow_failure": true)"}) {
    const auto spec = spec_at_gate(R"("exits", "3")", members);
    ASSERT_THAT(up(spec), ExitedWith(0));
    EXPECT_THAT(run_test(spec, "ended"), ExitedWith(0)) << members;
    EXPECT_THAT(down(spec), ExitedWith(0));
  }
}

TEST_F(VerdictTest, LetsATestMeanWhatWouldFailOthers) {
  for (const Words& words : {Words{"--expect-exit", "order:3"}, Words{"--allow-failure", "order"}}) {
    const auto spec = spec_at_gate(R"("exits", "3")");
    ASSERT_THAT(up(spec), ExitedWith(0));
    EXPECT_THAT(run_test(spec, "ended by itself", words), ExitedWith(0)) << words.back();
    EXPECT_THAT(isoenv({"exec", "-f", spec, "--service", "order", "--", "true"}), ExitedWith(0))
        << "the next test finds it up";
    EXPECT_THAT(down(spec), ExitedWith(0));
    std::filesystem::remove(gate_.path());
    gate_ = make_gate();
  }
}

TEST_F(VerdictTest, FailsATestThatMeansAnotherEnd) {
  const auto spec = spec_at_gate(R"("exits", "3")");
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_THAT(run_test(spec, "ended by itself", {"--expect-exit", "order:4"}), ExitedWith(1));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(VerdictTest, LetsATestMeanHowItsInstanceEnds) {
  const auto spec = spec_of(
      R"(["test_service", "exits_on", "SIGTERM", "3", "then", "writes", "up\n", "then", "waits"])");
  const auto run_with = [&](const Words& words) {
    Words all = {"run", "-f", spec, "--artefacts", artefact_dir()};
    all.insert(all.end(), words.begin(), words.end());
    all.push_back("true");
    return isoenv(all);
  };
  EXPECT_THAT(run_with({}), ExitedWith(1));
  EXPECT_THAT(run_with({"--expect-exit", "order:3"}), ExitedWith(0));
  EXPECT_THAT(run_with({"--allow-failure", "order"}), ExitedWith(0));
  EXPECT_THAT(run_with({"--allow-failure", "other"}), ExitedWith(1));
}

TEST_F(VerdictTest, RefusesToMeanServicesThatTheTestDoesNotUse) {
  const auto spec = spec_of(R"(["test_service", "writes", "up\n", "then", "waits"])");
  ASSERT_THAT(up(spec), ExitedWith(0));
  for (const char* command : {"exec", "run"}) {
    const Outcome outcome = isoenv({command, "-f", spec, "--service", "other", "--allow-failure",
                                    "order", "--expect-exit", "ohter:3", "--", "true"});
    EXPECT_THAT(outcome, ExitedWith(2));
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("the test does not use the service 'order'"),
                                   HasSubstr("did you mean 'other'?")));
  }
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(VerdictTest, KeepsTheExitCodeOfATestThatFailsItself) {
  const auto spec = spec_of(
      R"(["test_service", "exits_on", "SIGTERM", "3", "then", "writes", "up\n", "then", "waits"])");
  const Outcome outcome = isoenv(
      {"run", "-f", spec, "--artefacts", artefact_dir(), "--", "test_service", "exits", "42"});
  EXPECT_THAT(outcome, ExitedWith(42));
  EXPECT_THAT(outcome.err, HasSubstr("what is more, its services failed"));
}

TEST_F(VerdictTest, DoesNotCountWhatTheTestDoesOnPurpose) {
  const auto spec =
      spec_of(R"(["test_service", "exits_on", "SIGTERM", "3", "then", "writes", "up\n",
                               "then", "waits"])");
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_THAT(isoenv({"exec", "-f", spec, "--", "sh", "-c",
                      ISOENV_EXECUTABLE " kill order && " ISOENV_EXECUTABLE
                                        " start order && " ISOENV_EXECUTABLE " stop order"}),
              ExitedWith(0));
  const Outcome outcome = down(spec);
  EXPECT_THAT(outcome, ExitedWith(1)) << "but not when nobody meant it";
  EXPECT_THAT(outcome.err, HasSubstr("ended badly when it was stopped: exit code 3"));
}

TEST_F(VerdictTest, CountsAServiceThatHadToBeKilledAtTheEnd) {
  const auto spec = spec_of(
      R"(["test_service", "ignores", "SIGTERM", "then", "writes", "up\n", "then", "waits"])",
      R"(, "stop_timeout": "20ms")");
  ASSERT_THAT(up(spec), ExitedWith(0));
  const Outcome outcome = down(spec);
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("did not stop within 20 ms of SIGTERM, and was killed"));
  const Outcome run = isoenv({"run", "-f", spec, "--artefacts", artefact_dir(), "--", "true"});
  EXPECT_THAT(run, ExitedWith(1));
  EXPECT_THAT(run.err, AllOf(HasSubstr(kFails), HasSubstr("was killed")));
}

TEST_F(VerdictTest, TellsTheReportOfASanitizerInAServiceThatGoesOn) {
  const auto spec = spec_at_gate(
      R"("writes", "err:a.cc:3:5: runtime error: signed integer overflow\n    #0 main a.cc\n",
         "then", "waits")");
  ASSERT_THAT(up(spec), ExitedWith(0));
  const Outcome outcome = run_test(spec, "reported UndefinedBehaviorSanitizer");
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr(kFails),
                    HasSubstr("reported UndefinedBehaviorSanitizer: signed integer overflow"),
                    HasSubstr("| a.cc:3:5: runtime error"), HasSubstr("|     #0 main a.cc")));
  EXPECT_THAT(isoenv({"exec", "-f", spec, "--", "true"}), ExitedWith(0)) << "only once";
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(VerdictTest, StartsAgainAServiceWhosePolicyAsksForIt) {
  const auto spec = spec_at_gate(R"("exits", "3")", R"(, "restart": "on_failure")");
  ASSERT_THAT(up(spec), ExitedWith(0));
  ASSERT_TRUE(gate_.open());
  EXPECT_TRUE(eventually([&] { return log_has("order: restarts in 100 ms"); }));
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_THAT(isoenv({"exec", "-f", spec, "--service", "order", "--", "true"}), ExitedWith(0));
  EXPECT_THAT(down(spec).err, HasSubstr("exit code 3")) << "it has failed all the same";
}

#ifdef ISOENV_LEAKY_SERVICE
TEST_F(VerdictTest, CountsARealLeakThatIsOnlyKnownAtTheEnd) {
  const auto spec = write_spec(R"("services": {
    "order": {"command": [")" ISOENV_LEAKY_SERVICE R"("], "ready": [{"log": "ready"}],
              "env": {"ASAN_OPTIONS": ""}}})");
  const Outcome run = isoenv({"run", "-f", spec, "--artefacts", artefact_dir(), "--", "true"});
  EXPECT_THAT(run, ExitedWith(1));
  EXPECT_THAT(run.err, AllOf(HasSubstr("reported LeakSanitizer: detected memory leaks"),
                             HasSubstr("leaky_service.cc"), HasSubstr("SUMMARY: ")));
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_THAT(isoenv({"exec", "-f", spec, "--", "true"}), ExitedWith(0));
  const Outcome stopped = isoenv({"exec", "-f", spec, "--", ISOENV_EXECUTABLE, "restart", "order"});
  EXPECT_THAT(stopped, ExitedWith(1)) << "a leak is no less one when the stop is meant";
  EXPECT_THAT(down(spec), ExitedWith(1));
}

TEST_F(VerdictTest, CountsARealOverflowOfAServiceThatGoesOn) {
  const auto spec = write_spec(R"("services": {
    "order": {"command": [")" ISOENV_LEAKY_SERVICE
                               R"(", "overflow"], "ready": [{"log": "ready"}],
              "env": {"ASAN_OPTIONS": ""}}})");
  const Outcome run = isoenv({"run", "-f", spec, "--artefacts", artefact_dir(), "--", "true"});
  EXPECT_THAT(run, ExitedWith(1));
  EXPECT_THAT(run.err, HasSubstr("reported UndefinedBehaviorSanitizer: signed integer overflow"));
}

TEST_F(VerdictTest, CountsAReportThatIsWrittenIntoAFile) {
  const auto spec = write_spec(R"("services": {
    "order": {"command": [")" ISOENV_LEAKY_SERVICE R"("], "ready": [{"log": "ready"}],
              "secret_env": ["LAB_PIN"],
              "env": {"ASAN_OPTIONS": "log_path={{self.dir}}/reports"}}})");
  options().env["LAB_PIN"] = "leaky_service";  // a word of the report
  const Outcome run = isoenv({"run", "-f", spec, "--artefacts", artefact_dir(), "--", "true"});
  EXPECT_THAT(run, ExitedWith(1));
  EXPECT_THAT(run.err, AllOf(HasSubstr("reported LeakSanitizer: detected memory leaks"),
                             HasSubstr("SUMMARY: "), HasSubstr("its whole log: /"),
                             HasSubstr("/reports."), Not(HasSubstr("leaky_service.cc"))));
}

TEST_F(VerdictTest, CountsAReportInAFileWhileTheServiceGoesOn) {
  const auto spec = write_spec(R"("services": {
    "order": {"command": [")" ISOENV_LEAKY_SERVICE
                               R"(", "overflow"], "ready": [{"log": "ready"}],
              "env": {"UBSAN_OPTIONS": "log_path={{self.dir}}/ub", "ASAN_OPTIONS": ""}}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  const Outcome restarted =
      isoenv({"exec", "-f", spec, "--", ISOENV_EXECUTABLE, "restart", "order"});
  EXPECT_THAT(restarted, ExitedWith(1));
  EXPECT_THAT(restarted.err,
              HasSubstr("reported UndefinedBehaviorSanitizer: signed integer overflow"));
  (void)down(spec);
}
#endif

}  // namespace
}  // namespace isoenv::test
