// `--timing`: where the time of a bring-up went.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

class TimingTest : public SystemTest {
 protected:
  void SetUp() override {
    spec_ = write_spec(R"("services": {
      "db": {"command": ["test_service", "writes", "hello\n", "then", "tcp_echo", "*", "env:PORT"],
             "ports": {"sql": "auto"}, "ready": [{"log": "hello"}, {"tcp": "sql"}]},
      "web": {"command": ["test_service", "waits"], "depends": ["db"]}})");
  }
  /// The row of a service in `up --timing --json`.
  static Json row(const Json& up, const std::string& service) {
    for (const Json& candidate : up.at("timing").at("services")) {
      if (candidate.at("service") == service) return candidate;
    }
    ADD_FAILURE() << "no '" << service << "' in " << up;
    return Json::object();
  }

  std::filesystem::path spec_;
};

TEST_F(TimingTest, UpTellsPeopleEveryStepOfEveryServiceAfterTheUsualOutput) {
  const Outcome outcome = up(spec_, {"--timing"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(outcome.out,
              ContainsRegex("^environment 'lab' is up: 2 services.*\n"
                            "where the time went, in ms:\n"
                            "  service   waits    plan   clone    link  mounts    exec  output   "
                            "ready   total\n"
                            "  db( +[0-9]+\\.[0-9]){9}\n"
                            "  web( +[0-9]+\\.[0-9]){6} +-( +[0-9]+\\.[0-9]){2}\n"
                            "longest chain: db [0-9.]+ → web [0-9.]+, in all [0-9.]+ ms\n"
                            "this command: spec [0-9.]+, keeper [0-9.]+, services [0-9.]+, in all "
                            "[0-9.]+ ms\n$"));
  EXPECT_THAT(down(spec_), ExitedWith(0));
}

TEST_F(TimingTest, UpTellsProgramsStepsThatAddUpToTheTotal) {
  const Outcome outcome = up(spec_, {"--timing", "--json"});
  ASSERT_THAT(outcome, ExitedWith(0));
  const Json json = Json::parse(outcome.out);
  for (const char* service : {"db", "web"}) {
    const Json steps = row(json, service);
    double sum = 0;
    for (const auto& [key, value] : steps.items()) {
      if (value.is_number() && key != "total_ms") sum += value.get<double>();
    }
    EXPECT_NEAR(sum, steps.at("total_ms").get<double>(), 0.02) << steps;
    for (const char* step :
         {"waits_ms", "plan_ms", "clone_ms", "link_ms", "mounts_ms", "exec_ms", "ready_ms"}) {
      EXPECT_TRUE(steps.contains(step)) << step << " of " << steps;
    }
    EXPECT_FALSE(steps.at("earlier").get<bool>());
  }
  EXPECT_TRUE(row(json, "db").contains("output_ms"));
  EXPECT_FALSE(row(json, "web").contains("output_ms")) << "it has written nothing";
  EXPECT_GE(row(json, "web").at("waits_ms").get<double>() + 0.01,
            row(json, "db").at("total_ms").get<double>())
      << "it waits until what it depends on is ready";
  EXPECT_EQ(json["timing"]["longest_chain"].size(), 2U);
  EXPECT_GE(json["timing"]["command"]["total_ms"], json["timing"]["command"]["services_ms"]);
  EXPECT_THAT(down(spec_), ExitedWith(0));
}

TEST_F(TimingTest, UpTellsNothingUnasked) {
  const Outcome text = up(spec_);
  EXPECT_THAT(text.out, Not(HasSubstr("where the time went")));
  const Outcome json = up(spec_, {"--json"});
  EXPECT_FALSE(Json::parse(json.out).contains("timing"));
  EXPECT_THAT(down(spec_), ExitedWith(0));
}

TEST_F(TimingTest, UpMarksWhatWasUpBefore) {
  ASSERT_THAT(up(spec_, {"db"}), ExitedWith(0));
  const Outcome outcome = up(spec_, {"--timing", "--json"});
  ASSERT_THAT(outcome, ExitedWith(0));
  const Json json = Json::parse(outcome.out);
  EXPECT_TRUE(row(json, "db").at("earlier").get<bool>());
  EXPECT_FALSE(row(json, "web").at("earlier").get<bool>());
  EXPECT_THAT(up(spec_, {"--timing"}).out, HasSubstr("\n  db *  "));
  EXPECT_THAT(down(spec_), ExitedWith(0));
}

TEST_F(TimingTest, UpThatFailsTellsHowFarEachServiceCame) {
  const auto spec = write_spec(R"("services": {
      "bad": {"command": ["test_service", "exits", "3"], "ports": {"main": "auto"}},
      "next": {"command": ["test_service", "waits"], "depends": ["bad"]}})");
  const Outcome outcome = up(spec, {"--timing"});
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.out, ContainsRegex("\n  bad ( +[0-9]+\\.[0-9]){6} .* +-\n"));
  EXPECT_THAT(outcome.err, HasSubstr("environment 'lab' is not up"));
}

TEST_F(TimingTest, TheEventThatAServiceIsReadyHasTheSameFigures) {
  const Outcome outcome = up(spec_, {"--timing"});
  ASSERT_THAT(outcome, ExitedWith(0));
  const std::string log = read_file(artefact_dir() / "latest" / "isoenv.log");
  // The row of `web`, with the names of its columns.
  const std::size_t begin = outcome.out.find("\n  web ");
  std::istringstream row(outcome.out.substr(begin + 6));
  std::string figures;
  for (const char* step : {"waits", "plan", "clone", "link", "mounts", "exec", "output", "ready"}) {
    std::string figure;
    row >> figure;
    if (figure == "-") continue;
    figures += (figures.empty() ? "" : ", ") + std::string(step) + " " + figure;
  }
  EXPECT_THAT(log, HasSubstr(" (" + figures + ")\n"));
  EXPECT_THAT(down(spec_), ExitedWith(0));
}

TEST_F(TimingTest, RunTellsItOnTheStandardErrorOutput) {
  const Outcome outcome =
      isoenv({"run", "-f", spec_, "--timing", "--", "test_service", "writes", "mine\n"});
  ASSERT_THAT(outcome, ExitedWith(0));
  EXPECT_EQ(outcome.out, "mine\n");
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("isoenv run: where the time went"), HasSubstr("longest chain: db ")));
}

TEST_F(TimingTest, RunWithoutASpecHasNoServicesToTellOf) {
  EXPECT_THAT(isoenv({"run", "--timing", "--", "true"}), ExitedWith(2));
}

}  // namespace
}  // namespace isoenv::test
