// `isoenv gc` and the sweep that comes before other commands: what is removed, told, and left
// alone.
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

class GcTest : public SystemTest {
 protected:
  void SetUp() override {
    spec_ = write_spec(R"("services": {
      "echo": {"command": ["test_service", "tcp_echo", "*", "3000"], "ports": {"main": 3000}}})");
  }
  const fs::path& spec() const { return spec_; }

  fs::path only_run_directory() const {
    const std::vector<fs::path> found = run_directories();
    if (found.size() == 1) return found[0];
    ADD_FAILURE() << "expected one run directory, found " << found.size();
    return {};
  }
  std::vector<fs::path> run_directories() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(runtime_dir())) found.push_back(entry.path());
    return found;
  }

  /// Kills an instance and with it all that would clean up after it. Returns the keeper's pid.
  pid_t kill_with_its_cleaner() const {
    const pid_t killed = keeper();
    for (const LivingProcess& process : processes()) {
      if (process.name == "isoenv-tidy") ::kill(process.pid, SIGKILL);
    }
    ::kill(killed, SIGKILL);
    EXPECT_TRUE(eventually([&] { return processes().empty(); }));
    return killed;
  }

  /// A run directory of a dead instance, as another life of this machine left it.
  fs::path leave_lease(const std::string& id, const json& keeper) const {
    const json lease = {
        {"isoenv", "0.1.0"},
        {"environment", "shop"},
        {"spec_file", "/src/shop.json"},
        {"name", "second"},
        {"ctest", nullptr},
        {"run", nullptr},
        {"artefact_directory", "/nonexistent/20200101-000000-01234567"},
        {"keeper", keeper},
        {"owner", {{"pid", 1}, {"start_time", 1}, {"kind", "ctest"}, {"name", ""}}}};
    fs::create_directory(runtime_dir() / id);
    write_file("r/" + id + "/lease", lease.dump());
    write_file("r/" + id + "/lock", "");
    return runtime_dir() / id;
  }

  json gc_json(const Words& words = {}) const {
    Words all{"gc", "--json"};
    all.insert(all.end(), words.begin(), words.end());
    const Outcome outcome = isoenv(all);
    EXPECT_THAT(outcome, ExitedWith(0));
    return json::parse(outcome.out);
  }

  /// The last word of the marker of the only artefact directory that `up` has made.
  json record() const {
    json all = json::object();
    for (const auto& entry : fs::directory_iterator(artefact_dir())) {
      if (entry.is_symlink()) continue;
      std::ifstream marker(entry.path() / ".isoenv");
      for (std::string line; std::getline(marker, line);) all.update(json::parse(line));
    }
    return all;
  }

 private:
  fs::path spec_;
};

TEST_F(GcTest, SaysThatThereIsNothing) {
  const Outcome outcome = isoenv({"gc"});
  EXPECT_THAT(outcome, ExitedWith(0));
  EXPECT_EQ(outcome.out, "nothing to remove\n");
}

TEST_F(GcTest, CreatesNothingWhereNothingIs) {
  fs::remove(runtime_dir());
  EXPECT_THAT(isoenv({"gc"}), ExitedWith(0));
  EXPECT_FALSE(fs::exists(runtime_dir()));
  fs::create_directory(runtime_dir());
  EXPECT_THAT(fs::directory_iterator(dir() / "state"), fs::directory_iterator());
}

TEST_F(GcTest, RemovesWhatAKilledInstanceLeftAndSaysWhatItWas) {
  ASSERT_THAT(up(spec(), {"--name", "second"}), ExitedWith(0));
  const pid_t keeper = kill_with_its_cleaner();
  const fs::path directory = only_run_directory();

  const Outcome dry = isoenv({"gc", "--dry-run"});
  EXPECT_THAT(dry, ExitedWith(0));
  EXPECT_THAT(dry.out, StartsWith("would remove run directory '" + directory.string() + "'"));
  EXPECT_TRUE(fs::exists(directory / "lease"));

  const Outcome wet = isoenv({"gc"});
  EXPECT_THAT(wet, ExitedWith(0));
  EXPECT_THAT(wet.out, AllOf(StartsWith("removed run directory '" + directory.string() + "'"),
                             HasSubstr("environment 'lab' of '" + spec().string() + "'"),
                             HasSubstr("named 'second', since 2"),
                             HasSubstr("keeper pid " + std::to_string(keeper))));
  EXPECT_THAT(run_directories(), IsEmpty());
}

TEST_F(GcTest, TellsProgramsTheSame) {
  ASSERT_THAT(up(spec()), ExitedWith(0));
  const pid_t keeper = kill_with_its_cleaner();
  const fs::path directory = only_run_directory();
  const json dry = gc_json({"--dry-run"});
  EXPECT_EQ(dry.at("dry_run"), true);
  ASSERT_THAT(dry.at("stale"), SizeIs(1));
  EXPECT_EQ(dry.at("stale")[0].at("removed"), false);

  const json wet = gc_json();
  ASSERT_THAT(wet.at("stale"), SizeIs(1));
  const json& stale = wet.at("stale")[0];
  EXPECT_EQ(stale.at("kind"), "run_directory");
  EXPECT_EQ(stale.at("path"), directory.string());
  EXPECT_EQ(stale.at("environment"), "lab");
  EXPECT_EQ(stale.at("spec_file"), spec().string());
  EXPECT_EQ(stale.at("keeper"), keeper);
  EXPECT_EQ(stale.at("removed"), true);
  EXPECT_EQ(stale.at("error"), nullptr);
}

TEST_F(GcTest, ListsLiveInstancesAndNeverTouchesThem) {
  ASSERT_THAT(up(spec()), ExitedWith(0));
  const pid_t live = keeper();
  const Outcome outcome = isoenv({"gc"});
  EXPECT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(outcome.out, HasSubstr("live: environment 'lab' of '" + spec().string() + "'"));
  EXPECT_THAT(outcome.out, HasSubstr("nothing to remove"));
  const json found = gc_json();
  ASSERT_THAT(found.at("live"), SizeIs(1));
  EXPECT_EQ(found.at("live")[0].at("keeper"), live);
  EXPECT_EQ(found.at("live")[0].at("run_directory"), only_run_directory().string());
  EXPECT_THAT(exec_in(spec(), {"tcp_get", "echo", "3000"}), Not(ExitedWith(125)));
  EXPECT_THAT(down(spec()), ExitedWith(0));
}

TEST_F(GcTest, RemovesWhatAStartLeftThatWasKilledBeforeItHadAKeeper) {
  fs::create_directory(runtime_dir() / "01234567");
  write_file("r/01234567/lock", "");
  {
    const UniqueFd held(::open((runtime_dir() / "01234567/lock").c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_EQ(::flock(*held, LOCK_EX), 0);
    EXPECT_EQ(isoenv({"gc", "--dry-run"}).out, "nothing to remove\n");
    EXPECT_EQ(isoenv({"gc"}).out, "nothing to remove\n");
    EXPECT_THAT(run_directories(), SizeIs(1));
  }
  EXPECT_THAT(isoenv({"gc"}).out, HasSubstr("its start was cut short"));
}

TEST_F(GcTest, KnowsALeaseOfBeforeAReboot) {
  // The lock went with the kernel that held it; pid 1 lives, but is another process.
  leave_lease("01234567", {{"pid", 1}, {"start_time", 0}});
  const Outcome outcome = isoenv({"gc"});
  EXPECT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(outcome.out, HasSubstr("environment 'shop' of '/src/shop.json' named 'second'"));
}

TEST_F(GcTest, SignalsNobodyWhoHasThePidOfADeadKeeper) {
  Process innocent({"test_service", "waits"}, options());
  std::ifstream stat("/proc/" + std::to_string(innocent.pid()) + "/stat");
  std::string field;
  for (int number = 1; number <= 22; ++number) stat >> field;
  leave_lease("01234567", {{"pid", innocent.pid()}, {"start_time", std::stoull(field)}});
  EXPECT_THAT(isoenv({"gc"}), ExitedWith(0));
  EXPECT_THAT(run_directories(), IsEmpty());
  EXPECT_FALSE(innocent.ended());
}

TEST_F(GcTest, LeavesAloneWhatNoLeaseProvesOurs) {
  fs::create_directory(runtime_dir() / "01234567");
  write_file("r/01234567/letter", "x");
  write_file("r/01234567/lock", "");
  EXPECT_EQ(isoenv({"gc"}).out, "nothing to remove\n");
  EXPECT_TRUE(fs::exists(runtime_dir() / "01234567/letter"));
  fs::remove_all(runtime_dir() / "01234567");
}

TEST_F(GcTest, SaysWhatItCannotRemoveAndWhy) {
  const fs::path directory = leave_lease("01234567", {{"pid", 1}, {"start_time", 0}});
  const Words read_only{"--read-only", runtime_dir()};
  const Outcome text = isoenv_under(read_only, {"gc"});
  EXPECT_THAT(text, ExitedWith(1));
  EXPECT_THAT(text.err,
              AllOf(HasSubstr("cannot remove everything"), HasSubstr(directory.string()),
                    HasSubstr("environment 'shop'"), HasSubstr("EROFS"), HasSubstr("by hand")));
  const Outcome programs = isoenv_under(read_only, {"gc", "--json"});
  EXPECT_THAT(programs, ExitedWith(1));
  const json found = json::parse(programs.out);
  EXPECT_EQ(found.at("stale").at(0).at("removed"), false);
  EXPECT_THAT(found.at("stale").at(0).at("error"), StartsWith("EROFS"));
  EXPECT_THAT(isoenv({"gc"}), ExitedWith(0));
}

TEST_F(GcTest, RefusesARunRootOfSomebodyElse) {
  options().env["ISOENV_RUNTIME_DIR"] = ::geteuid() == 0 ? "/dev/null" : "/usr";
  const Outcome outcome = isoenv({"gc"});
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("ISOENV_RUNTIME_DIR"));
}

TEST_F(GcTest, IsDoneFirstByTheOtherCommands) {
  for (const Words& words : std::vector<Words>{{"ps"},
                                               {"down"},
                                               {"logs"},
                                               {"exec", "true"},
                                               {"up", "-f", spec(), "missing"},
                                               {"run", "-f", spec(), "--", "true"}}) {
    leave_lease("01234567", {{"pid", 1}, {"start_time", 0}});
    const Outcome outcome = isoenv(words);
    const bool refused_before_anything = words[0] == "up";
    EXPECT_EQ(run_directories().size(), refused_before_anything ? 1U : 0U)
        << words[0] << ": " << outcome;
    fs::remove_all(runtime_dir() / "01234567");
  }
}

TEST_F(GcTest, DropsArtefactsThatTheRuleDoesNotKeep) {
  for (int day = 10; day < 25; ++day) {
    const fs::path directory =
        artefact_dir() / ("202001" + std::to_string(day) + "-000000-01234567");
    fs::create_directories(directory);
    std::ofstream(directory / ".isoenv") << R"({"environment": "shop", "spec_file": "/gone.json"})"
                                         << "\n"
                                         << R"({"keeper": 42})"
                                         << "\n"
                                         << R"({"passed": true})"
                                         << "\n";
  }
  EXPECT_EQ(isoenv({"gc"}).out, "nothing to remove\n") << "nobody said that they are there";
  const json found = gc_json({"--artefacts", artefact_dir()});
  ASSERT_THAT(found.at("stale"), SizeIs(5));
  EXPECT_EQ(found.at("stale")[0].at("kind"), "artefacts");
  EXPECT_EQ(found.at("stale")[0].at("keeper"), 42);
  EXPECT_THAT(found.at("stale")[0].at("since"), StartsWith("2020-01-14T00:00:00"));
  EXPECT_FALSE(fs::exists(artefact_dir() / "20200114-000000-01234567"));
  EXPECT_TRUE(fs::exists(artefact_dir() / "20200115-000000-01234567"));
}

TEST_F(GcTest, FindsArtefactsInTheDefaultPlaces) {
  const fs::path root = dir() / "state/isoenv/shop-01234567";
  const fs::path unfinished = root / "20200101-000000-01234567";
  fs::create_directories(unfinished);
  EXPECT_THAT(isoenv({"gc"}).out, StartsWith("removed artefacts '" + unfinished.string() + "'"));
}

// The process that tidies up after a killed one stands still, and has no part in it.
TEST_F(GcTest, IsNotNeededForTheRunDirectoryOfAnInstanceThatEnds) {
  ASSERT_THAT(up(spec()), ExitedWith(0));
  ASSERT_THAT(run_directories(), SizeIs(1));
  pid_t tidier = 0;
  for (const LivingProcess& process : processes()) {
    if (process.name == "isoenv-tidy") tidier = process.pid;
  }
  ASSERT_GT(tidier, 0);
  ASSERT_EQ(::kill(tidier, SIGSTOP), 0);
  EXPECT_THAT(down(spec()), ExitedWith(0));
  EXPECT_THAT(run_directories(), IsEmpty());
  ::kill(tidier, SIGCONT);
}

TEST_F(GcTest, IsNotNeededForOldArtefacts) {
  const auto kept = [this] {
    return std::count_if(fs::directory_iterator(artefact_dir()), fs::directory_iterator(),
                         [](const auto& entry) { return !entry.is_symlink(); });
  };
  for (int i = 0; i < 12; ++i) {
    ASSERT_THAT(up(spec()), ExitedWith(0));
    ASSERT_THAT(down(spec()), ExitedWith(0));
  }
  EXPECT_TRUE(eventually([&] { return kept() == 10; })) << kept();
}

using ArtefactRecordTest = GcTest;

TEST_F(ArtefactRecordTest, SaysThatAnInstanceEndedWell) {
  ASSERT_THAT(up(spec()), ExitedWith(0));
  const pid_t pid = keeper();
  ASSERT_THAT(down(spec()), ExitedWith(0));
  EXPECT_EQ(record().at("environment"), "lab");
  EXPECT_EQ(record().at("spec_file"), spec().string());
  EXPECT_EQ(record().at("keeper"), pid);
  EXPECT_EQ(record().at("passed"), true);
}

TEST_F(ArtefactRecordTest, SaysThatAServiceDidNotComeUp) {
  const fs::path failing =
      write_spec(R"("services": {"echo": {"command": ["test_service", "exits", "3"]}},
                    "tasks": {"seed": {"command": ["test_service", "exits", "3"]}})",
                 "failing.json");
  ASSERT_THAT(up(failing), ExitedWith(1));
  EXPECT_EQ(record().at("passed"), false);
}

TEST_F(ArtefactRecordTest, SaysThatAServiceDied) {
  ASSERT_THAT(up(spec()), ExitedWith(0));
  const json status = json::parse(isoenv({"ps", "-f", spec(), "--json"}).out);
  ::kill(status.at(0).at("pid"), SIGKILL);
  EXPECT_TRUE(eventually([&] {
    return isoenv({"ps", "-f", spec()}).out.find("exited") != std::string::npos;
  }));
  EXPECT_THAT(down(spec()), ExitedWith(1));
  EXPECT_EQ(record().at("passed"), false);
}

TEST_F(ArtefactRecordTest, SaysNothingGoodOfAnInstanceThatWasKilled) {
  ASSERT_THAT(up(spec()), ExitedWith(0));
  ::kill(keeper(), SIGKILL);
  EXPECT_TRUE(eventually([&] { return processes().empty(); }));
  EXPECT_FALSE(record().contains("passed"));
}

}  // namespace
}  // namespace isoenv::test
