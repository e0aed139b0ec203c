// `--trace`: what happened when, in the form that Perfetto reads.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;
using Json = nlohmann::json;

class TraceTest : public SystemTest {
 protected:
  void SetUp() override {
    spec_ = write_spec(R"("services": {
      "db": {"command": ["test_service", "tcp_echo", "*", "env:PORT"], "ports": {"sql": "auto"}},
      "web": {"command": ["test_service", "waits"], "depends": ["db"]}})");
  }
  std::filesystem::path file() const { return dir() / "trace.json"; }

  /// The names of a track's events, in their order; checks the whole form on the way: known phases,
  /// times in order, spans on one track nested or apart, every track named.
  std::vector<std::string> names(const std::filesystem::path& path, const std::string& track) {
    std::vector<std::string> found;
    std::map<std::pair<int, int>, std::string> tracks;
    std::map<std::pair<int, int>, std::vector<std::int64_t>> open;
    std::set<int> named_processes;
    std::int64_t last = 0;
    const Json trace = Json::parse(read_file(path));
    for (const Json& event : trace.at("traceEvents")) {
      const std::pair<int, int> place(event.at("pid"), event.at("tid"));
      const std::string phase = event.at("ph");
      const std::string name = event.at("name");
      if (phase == "M") {
        if (name == "process_name") named_processes.insert(place.first);
        if (name == "thread_name") tracks[place] = event.at("args").at("name");
        continue;
      }
      EXPECT_TRUE(named_processes.contains(place.first)) << event;
      EXPECT_TRUE(tracks.contains(place)) << event;
      const std::int64_t begin = event.at("ts");
      EXPECT_GE(begin, last) << event;
      last = begin;
      if (tracks[place].starts_with(track)) found.push_back(name);
      if (phase == "i") continue;
      EXPECT_EQ(phase, "X");
      const std::int64_t end = begin + event.at("dur").get<std::int64_t>();
      std::vector<std::int64_t>& around = open[place];
      while (!around.empty() && around.back() <= begin) around.pop_back();
      if (!around.empty()) {
        EXPECT_LE(end, around.back()) << "half over another: " << event;
      }
      around.push_back(end);
    }
    return found;
  }

  std::filesystem::path spec_;
};

TEST_F(TraceTest, UpWritesATrackForEveryServiceTheKeeperAndItself) {
  ASSERT_THAT(up(spec_, {"--trace", file()}), ExitedWith(0));
  EXPECT_EQ(names(file(), "db").front(), "start");
  EXPECT_THAT(names(file(), "db"),
              IsSupersetOf({"waits", "plan", "clone", "link", "mounts", "exec", "ready"}));
  EXPECT_THAT(names(file(), "web"), IsSupersetOf({"start", "waits", "exec", "ready"}));
  EXPECT_THAT(names(file(), "keeper"),
              IsSupersetOf({"start", "plan", "namespaces", "mounts", "network"}));
  EXPECT_THAT(names(file(), "isoenv up, pid "), IsSupersetOf({"up", "spec", "keeper", "services"}));
  EXPECT_THAT(down(spec_), ExitedWith(0));
}

TEST_F(TraceTest, UpThatFailsWritesHowFarItCame) {
  const auto spec = write_spec(R"("services": {
      "bad": {"command": ["test_service", "exits", "3"], "ports": {"main": "auto"}}})");
  EXPECT_THAT(up(spec, {"--trace", file()}), ExitedWith(1));
  EXPECT_THAT(names(file(), "bad"), IsSupersetOf({"start", "exec"}));
}

TEST_F(TraceTest, AFileThatCannotBeWrittenIsRefusedBeforeAnythingStarts) {
  const auto no_folder = dir() / "none" / "trace.json";
  const Outcome outcome = up(spec_, {"--trace", no_folder});
  EXPECT_THAT(outcome, ExitedWith(2));
  EXPECT_THAT(outcome.err, HasSubstr("the trace '" + no_folder.string() + "' cannot be written"));
  EXPECT_FALSE(std::filesystem::exists(artefact_dir()));
  EXPECT_THAT(isoenv({"run", "-f", spec_, "--trace", dir(), "--", "true"}), ExitedWith(2));
}

TEST_F(TraceTest, RunWritesTheWholeLifeOfItsInstance) {
  ASSERT_THAT(isoenv({"run", "-f", spec_, "--trace", file(), "--test", "tries it", "--",
                      ISOENV_EXECUTABLE, "restart", "db"}),
              ExitedWith(0));
  const std::vector<std::string> db = names(file(), "db");
  EXPECT_EQ(std::count(db.begin(), db.end(), "start"), 2);
  EXPECT_EQ(std::count(db.begin(), db.end(), "stopping"), 2);
  EXPECT_THAT(db, Contains(HasSubstr("restart by test 'tries it'")));
  EXPECT_THAT(names(file(), "tests 1"), Contains("tries it"));
  EXPECT_THAT(names(file(), "isoenv run, pid "),
              IsSupersetOf({"run", "services", "command", "down"}));
}

TEST_F(TraceTest, AnInstanceLeavesItsOwnWhenAVariableAsksForIt) {
  options().env["ISOENV_TRACE"] = "1";
  ASSERT_THAT(up(spec_), ExitedWith(0));
  EXPECT_THAT(isoenv({"exec", "-f", spec_, "--test", "t1", "--", "true"}), ExitedWith(0));
  EXPECT_THAT(down(spec_), ExitedWith(0));
  const auto left = artefact_dir() / "latest" / "trace.json";
  EXPECT_THAT(names(left, "db"), IsSupersetOf({"start", "ready", "stopping"}));
  EXPECT_THAT(names(left, "tests 1"), Contains("t1"));
}

TEST_F(TraceTest, AnInstanceLeavesNoneUnasked) {
  ASSERT_THAT(up(spec_), ExitedWith(0));
  EXPECT_THAT(down(spec_), ExitedWith(0));
  EXPECT_FALSE(std::filesystem::exists(artefact_dir() / "latest" / "trace.json"));
}

TEST_F(TraceTest, HoldsNoSecret) {
  options().env["TOKEN"] = "hunter2hunter2";
  const auto spec = write_spec(R"("services": {
      "db": {"command": ["test_service", "waits"], "secret_env": ["TOKEN"]}})");
  ASSERT_THAT(isoenv({"run", "-f", spec, "--trace", file(), "--", ISOENV_EXECUTABLE, "env"}),
              ExitedWith(0));
  EXPECT_THAT(read_file(file()), Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace isoenv::test
