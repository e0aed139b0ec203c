// Directories that are missing, full, read-only, foreign, oddly named or gone: it works, or it is
// said what is wrong with what and what to do; nothing is left either way.
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kWebService =
    R"("services": {"web": {"command": ["test_service", "tcp_echo", "*", "80"],
                            "ports": {"http": 80}}})";
constexpr char kForeign[] = "61617";  // neither root nor the user of the tests

class OddPlacesTest : public SystemTest {
 protected:
  void SetUp() override { spec_ = write_spec(kWebService); }
  const fs::path& spec() const { return spec_; }

  Words run_words() const {
    return {"run", "-f", spec(), "--artefacts", artefact_dir(), "--", "true"};
  }
  /// Without --artefacts.
  Outcome run_with_default_artefacts() const { return isoenv({"run", "-f", spec(), "--", "true"}); }
  void expect_artefacts_in_the_run_root() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(runtime_dir())) found.push_back(entry.path());
    ASSERT_EQ(found.size(), 1U);
    EXPECT_THAT(found[0].filename().string(), StartsWith("artefacts-lab-"));
    fs::remove_all(found[0]);
  }

 private:
  fs::path spec_;
};

TEST_F(OddPlacesTest, MayForbidExecution) {
  EXPECT_THAT(isoenv_under({"--no-exec", dir()}, run_words()), ExitedWith(0));
}

// Where some build, since it is quick; names of shared memory are the instance's own all the same.
TEST_F(OddPlacesTest, MayBeFoldersInSharedMemory) {
  std::string folder = "/dev/shm/isoenv-test-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const fs::path build = folder;
  std::ofstream(build / "service.sh") << "#!/bin/sh\necho up\nexec sleep 1000\n";
  fs::permissions(build / "service.sh", fs::perms::owner_all);
  std::ofstream(build / "isoenv.json") << R"({"version": 1, "environment": "lab", "services":
             {"web": {"command": ["./service.sh"], "ready": [{"log": "up"}]}}})";
  std::ofstream(folder + ".name") << "shared memory of the host";
  options().env["ISOENV_RUNTIME_DIR"] = build / "r";
  const Outcome outcome = isoenv({"run", "-f", build / "isoenv.json", "--artefacts",
                                  build / "artefacts", "--", "ls", folder + ".name", build});
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("service.sh"), HasSubstr("artefacts")));
  EXPECT_THAT(outcome.err, HasSubstr(folder + ".name")) << "is not found";
  EXPECT_THAT(outcome, ExitedWith(2));
  EXPECT_TRUE(fs::is_empty(build / "r"));
  fs::remove_all(build);
  fs::remove(folder + ".name");
}

TEST_F(OddPlacesTest, RefuseAReadOnlyRunRootWithARemedy) {
  const Outcome outcome = isoenv_under({"--read-only", runtime_dir()}, run_words());
  EXPECT_THAT(outcome, ExitedWith(125));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("create the run directory '" + runtime_dir().string()),
                                 HasSubstr("EROFS"), HasSubstr("set ISOENV_RUNTIME_DIR")));
}

TEST_F(OddPlacesTest, RefuseARunRootThatCannotBeMadeWithARemedy) {
  options().env["ISOENV_RUNTIME_DIR"] = dir() / "tmp" / "r";
  const Outcome outcome = isoenv_under({"--read-only", dir() / "tmp"}, run_words());
  EXPECT_THAT(outcome, ExitedWith(125));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("create the run directory"), HasSubstr("EROFS"),
                                 HasSubstr("set ISOENV_RUNTIME_DIR")));
}

TEST_F(OddPlacesTest, SayThatTheRunRootIsFullAtEveryStepOfAStart) {
  bool came_up = false;
  for (int files = 1; files <= 16 && !came_up; ++files) {
    const Outcome outcome = isoenv_under(
        {"--memory", runtime_dir().string() + "=mode=700,nr_inodes=" + std::to_string(files)},
        run_words());
    came_up = outcome.exited_with(0);
    if (came_up) continue;
    EXPECT_THAT(outcome, ExitedWith(125)) << files;
    EXPECT_THAT(outcome.err, AnyOf(HasSubstr("ENOSPC"), HasSubstr("No space left"))) << files;
  }
  EXPECT_TRUE(came_up);
}

TEST_F(OddPlacesTest, SayThatTheArtefactsDoNotFit) {
  fs::create_directory(artefact_dir());
  for (const char* files : {"1", "2", "3"}) {
    const Outcome outcome =
        isoenv_under({"--memory", artefact_dir().string() + "=nr_inodes=" + files}, run_words());
    EXPECT_THAT(outcome, AnyOf(ExitedWith(125), ExitedWith(0))) << files;
    if (outcome.exited_with(125)) {
      EXPECT_THAT(outcome.err, HasSubstr("ENOSPC")) << files;
    }
  }
}

TEST_F(OddPlacesTest, RefuseReadOnlyArtefactsWithARemedy) {
  fs::create_directory(artefact_dir());
  const Outcome outcome = isoenv_under({"--read-only", artefact_dir()}, run_words());
  EXPECT_THAT(outcome, ExitedWith(125));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("create the artefact directory '"), HasSubstr("EROFS"),
                                 HasSubstr("--artefacts DIR")));
}

TEST_F(OddPlacesTest, NeedNoHome) {
  options().env.erase("HOME");
  options().env.erase("XDG_STATE_HOME");
  options().unset.insert(options().unset.end(), {"HOME", "XDG_STATE_HOME"});
  EXPECT_THAT(run_with_default_artefacts(), ExitedWith(0));
  expect_artefacts_in_the_run_root();
}

TEST_F(OddPlacesTest, NeedNoHomeThatCanBeWritten) {
  options().env.erase("XDG_STATE_HOME");
  options().unset.push_back("XDG_STATE_HOME");
  EXPECT_THAT(isoenv_under({"--read-only", dir() / "home"}, {"run", "-f", spec(), "--", "true"}),
              ExitedWith(0));
  expect_artefacts_in_the_run_root();
  for (const char* home : {"/dev/null", "relative", ""}) {
    options().env["HOME"] = home;
    EXPECT_THAT(run_with_default_artefacts(), ExitedWith(0)) << home;
    expect_artefacts_in_the_run_root();
  }
}

TEST_F(OddPlacesTest, MayHaveAnyTmpdir) {
  for (const std::string& tmpdir : {std::string("relative"), std::string("/dev/null"),
                                    (dir() / "missing").string(), std::string()}) {
    options().env["TMPDIR"] = tmpdir;
    const Outcome outcome = run_in(spec(), {"shows_environment"});
    EXPECT_THAT(outcome, ExitedWith(0)) << tmpdir;
    EXPECT_THAT(variable(outcome.out, "TMPDIR"), StartsWith(runtime_dir().string()));
  }
}

TEST_F(OddPlacesTest, MayHaveARelativeRunRoot) {
  options().env["ISOENV_RUNTIME_DIR"] = "r/./";
  options().directory = dir();
  ASSERT_THAT(up(spec()), ExitedWith(0));
  options().env["ISOENV_RUNTIME_DIR"] = runtime_dir();
  EXPECT_THAT(isoenv({"ps", "-f", spec()}), ExitedWith(0));
  EXPECT_THAT(down(spec()), ExitedWith(0));
}

TEST_F(OddPlacesTest, RefuseARunRootThatIsALink) {
  fs::create_directory_symlink(runtime_dir(), dir() / "link");
  options().env["ISOENV_RUNTIME_DIR"] = dir() / "link";
  const Outcome outcome = isoenv(run_words());
  EXPECT_THAT(outcome, ExitedWith(125));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("is a symbolic link"), HasSubstr("ISOENV_RUNTIME_DIR")));
}

TEST_F(OddPlacesTest, RefuseARunRootThatSomebodyElseHasMade) {
  if (::geteuid() == 0) {
    fs::create_directory(dir() / "foreign");
    ASSERT_EQ(::chown((dir() / "foreign").c_str(), 61617, 61617), 0);
    options().env["ISOENV_RUNTIME_DIR"] = dir() / "foreign";
  } else {
    options().env["ISOENV_RUNTIME_DIR"] = "/usr";
  }
  const std::string owner = ::geteuid() == 0 ? kForeign : "0";
  for (const Words& words : {run_words(), Words{"ps"}, Words{"gc"}}) {
    const Outcome outcome = isoenv(words);
    EXPECT_THAT(outcome, ExitedWith(words[0] == "run" ? 125 : 1)) << words[0];
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("belongs to another user (uid " + owner + ")"),
                                   HasSubstr("or set ISOENV_RUNTIME_DIR to a folder of your own")));
  }
}

TEST_F(OddPlacesTest, RefuseARunRootTooLongForASocket) {
  const fs::path root = dir() / std::string(100, 'x');
  fs::create_directory(root);
  options().env["ISOENV_RUNTIME_DIR"] = root;
  const Outcome outcome = isoenv(run_words());
  EXPECT_THAT(outcome, ExitedWith(2));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("too long for a unix socket"), HasSubstr("shorter")));
}

TEST_F(OddPlacesTest, SayThatTheCurrentDirectoryWasDeleted) {
  const fs::path gone = dir() / "gone";
  const auto from_deleted = [&](const Words& words) {
    fs::create_directory(gone);
    Words all{"test_service", "removes", gone, "then", "becomes", ISOENV_EXECUTABLE};
    all.insert(all.end(), words.begin(), words.end());
    options().directory = gone;
    const Outcome outcome = run(all, options());
    options().directory = dir();
    return outcome;
  };
  for (const Words& words : std::vector<Words>{run_words(),
                                               {"run", "true"},
                                               {"up"},
                                               {"up", "-f", "lab.json"},
                                               {"check"},
                                               {"logs", "--artefacts", "x"},
                                               {"gc", "--artefacts", "x"}}) {
    const Outcome outcome = from_deleted(words);
    EXPECT_THAT(outcome, ExitedWith(words[0] == "run" ? 125 : 1)) << words[0];
    EXPECT_THAT(outcome.err,
                AllOf(HasSubstr("the current directory was deleted"),
                      HasSubstr("change to a directory that exists"), Not(HasSubstr("filesystem"))))
        << words[0];
  }
  // Where no relative path is meant, it does not matter.
  EXPECT_THAT(from_deleted({"up", "-f", spec(), "--artefacts", artefact_dir(), "--owner",
                            std::to_string(::getpid())}),
              ExitedWith(0));
  EXPECT_THAT(from_deleted({"ps", "-f", spec()}), ExitedWith(0));
  EXPECT_THAT(from_deleted({"down", "-f", spec()}), ExitedWith(0));
}

TEST_F(OddPlacesTest, MayHaveNamesOfAnyLetters) {
  const fs::path odd =
      dir() / "sp ace \"quote\" 'tick' semi;colon $HOME `x` back\\slash n\nl \u00fc\u4e2d";
  fs::create_directory(odd);
  fs::rename(spec(), odd / "la b.json");
  options().directory = odd;
  const Outcome started = isoenv({"up", "-f", "la b.json", "--artefacts", "arte facts", "--owner",
                                  std::to_string(::getpid())});
  ASSERT_THAT(started, ExitedWith(0));
  EXPECT_THAT(isoenv({"ps"}), ExitedWith(0));
  EXPECT_THAT(isoenv({"logs", "--file", "la b.json"}), ExitedWith(0));
  EXPECT_THAT(isoenv({"exec", "-f", "./la b.json", "--", "true"}), ExitedWith(0));
  EXPECT_THAT(isoenv({"gc", "--json"}), ExitedWith(0));
  EXPECT_THAT(isoenv({"down", "-f", odd / "la b.json"}), ExitedWith(0));
}

TEST_F(OddPlacesTest, MayBeSharedByTwoUsers) {
  if (::geteuid() != 0) return;  // only root can be two users
  const Words as_other{"setpriv", "--reuid", kForeign, "--regid", kForeign, "--clear-groups"};
  options().env.erase("ISOENV_RUNTIME_DIR");
  options().env.erase("XDG_STATE_HOME");
  options().unset.insert(options().unset.end(), {"ISOENV_RUNTIME_DIR", "XDG_STATE_HOME"});
  fs::permissions(dir(), fs::perms::others_read | fs::perms::others_exec, fs::perm_options::add);
  // Whoever comes first would make folders there that are closed to the other.
  fs::create_directories(dir() / "home/.local/state/isoenv");
  fs::permissions(dir() / "home/.local/state/isoenv", fs::perms::all);
  // A name of this test's own: the default places are the machine's.
  const std::string name = "two-users-" + std::to_string(::getpid());
  write_file("two.json", R"({"version": 1, "environment": ")" + name + R"(", )" +
                             std::string(kWebService) + "}");
  const auto up = [&](Words words) {
    for (const std::string& word :
         {std::string(ISOENV_EXECUTABLE), std::string("up"), std::string("-f"),
          (dir() / "two.json").string(), std::string("--owner"), std::to_string(::getpid())}) {
      words.push_back(word);
    }
    return words;
  };
  const auto down = [&](Words words) {
    for (const std::string& word : {std::string(ISOENV_EXECUTABLE), std::string("down"),
                                    std::string("-f"), (dir() / "two.json").string()}) {
      words.push_back(word);
    }
    return words;
  };
  Process mine(up({}), options());
  Process others(up(as_other), options());
  EXPECT_THAT(mine.wait(), ExitedWith(0));
  EXPECT_THAT(others.wait(), ExitedWith(0));
  const Outcome others_down = run(down(as_other), options());
  EXPECT_THAT(others_down, ExitedWith(0));
  EXPECT_THAT(others_down.out, HasSubstr("web: stopped"));
  const Outcome mine_down = run(down({}), options());
  EXPECT_THAT(mine_down, ExitedWith(0));
  EXPECT_THAT(mine_down.out, HasSubstr("web: stopped"));
  for (const std::string& uid : {std::string("0"), std::string(kForeign)}) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator("/tmp/isoenv-" + uid, ignored)) {
      const std::string found = entry.path().filename();
      if (found.starts_with("artefacts-" + name)) fs::remove_all(entry.path());
    }
  }
  ::rmdir((std::string("/tmp/isoenv-") + kForeign).c_str());
}

}  // namespace
}  // namespace isoenv::test
