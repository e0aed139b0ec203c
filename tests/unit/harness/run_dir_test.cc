#include "harness/run_dir.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <vector>

#include "base/error.h"
#include "child.h"
#include "scoped_variable.h"
#include "support/temp_dir.h"

namespace isoenv {
namespace {

namespace fs = std::filesystem;
using test::Child;
using test::Event;
using test::ScopedVariable;
using ::testing::HasSubstr;

std::string refusal(const fs::path& root) {
  const ScopedVariable variable("ISOENV_RUNTIME_DIR", root.string());
  try {
    open_run_root();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(RunRootTest, IsMadeForItsUserAlone) {
  const test::TempDir temp;
  const ScopedVariable variable("ISOENV_RUNTIME_DIR", temp.path() / "root");
  const fs::path root = open_run_root();
  EXPECT_EQ(root, temp.path() / "root");
  EXPECT_EQ(fs::status(root).permissions(), fs::perms::owner_all);
  EXPECT_EQ(open_run_root(), root);
}

TEST(RunRootTest, StandsInTmpUnlessTheUserSaysOtherwise) {
  const ScopedVariable variable("ISOENV_RUNTIME_DIR", std::nullopt);
  EXPECT_EQ(run_root_path(), "/tmp/isoenv-" + std::to_string(::geteuid()));
}

TEST(RunRootTest, IsAbsoluteWithoutAFinalSlash) {
  const ScopedVariable variable("ISOENV_RUNTIME_DIR", "some/./where/");
  EXPECT_EQ(run_root_path(), fs::current_path() / "some/where");
}

TEST(RunRootTest, RefusesALink) {
  const test::TempDir temp;
  fs::create_directory_symlink(temp.path(), temp.path() / "link");
  EXPECT_THAT(refusal(temp.path() / "link"), HasSubstr("is a symbolic link"));
}

TEST(RunRootTest, RefusesAFolderThatIsOpenToOthers) {
  const test::TempDir temp;
  fs::create_directory(temp.path() / "open");
  fs::permissions(temp.path() / "open", fs::perms::owner_all | fs::perms::group_read);
  EXPECT_THAT(refusal(temp.path() / "open"), HasSubstr("is open to other users"));
}

TEST(RunRootTest, RefusesAFolderOfAnotherUser) {
  const test::TempDir temp;
  fs::path foreign = "/usr";
  if (::geteuid() == 0) {
    foreign = temp.path() / "foreign";
    fs::create_directory(foreign);
    ASSERT_EQ(::chown(foreign.c_str(), 12345, 12345), 0);
  }
  EXPECT_THAT(refusal(foreign), HasSubstr("belongs to another user"));
}

TEST(RunRootTest, RefusesAPathTooLongForASocket) {
  EXPECT_THAT(refusal("/tmp/" + std::string(86, 'x')), HasSubstr("too long"));
  const std::string longest = "/dev/null/" + std::string(80, 'x');
  EXPECT_EQ(RunDirectory(longest, "01234567").control_socket().native().size(), 107U);
  EXPECT_THAT(refusal(longest), HasSubstr("cannot create"));
}

TEST(InstanceIdTest, IsTheSameForTheSameKeyOnly) {
  const InstanceKey key{"/src/shop.json", "a", std::nullopt, std::nullopt};
  std::vector<std::string> ids{instance_id(key)};
  for (const InstanceKey& other : std::vector<InstanceKey>{
           {"/src/shop.jsona", "", {}, {}},
           {"/src/shop.json", "b", {}, {}},
           {"/src/shop.json", "a", ProcessId{1, 2}, {}},
           {"/src/shop.json", "a", ProcessId{12, 0}, {}},
           {"/src/shop.json", "a", {}, ProcessId{1, 2}},
       }) {
    ids.push_back(instance_id(other));
  }
  EXPECT_EQ(instance_id(key), ids.front());
  EXPECT_THAT(ids, ::testing::Each(::testing::MatchesRegex("[0-9a-f]{8}")));
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end());
}

TEST(InstanceIdTest, DependsOnNoSpellingOfTheFile) {
  const test::TempDir temp;
  std::ofstream(temp.path() / "a.json") << "{}";
  fs::create_symlink("a.json", temp.path() / "link.json");
  EXPECT_EQ(canonical_spec_file(temp.path() / "./link.json"),
            canonical_spec_file(temp.path() / "a.json"));
}

TEST(StartLockTest, IsHeldByOneProcessAtATimeWhileDirectoriesComeAndGo) {
  const test::TempDir temp;
  const RunDirectory directory(temp.path(), "0123abcd");
  const fs::path busy = temp.path() / "busy";
  std::vector<Child> children;
  children.reserve(16);
  for (int number = 0; number < 16; ++number) {
    children.emplace_back([&, number] {
      for (int round = 0; round < 25; ++round) {
        StartLock lock = StartLock::take(directory);
        const UniqueFd alone(::open(busy.c_str(), O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (!alone) return 1;
        if (!fs::exists(directory.path())) return 2;
        std::ofstream(directory.lease_file()) << number;
        ::sched_yield();
        if (::unlink(busy.c_str()) != 0) return 3;
        if ((number + round) % 3 == 0 && remove_run_directory(std::move(lock)) != 0) return 4;
      }
      return 0;
    });
  }
  for (Child& child : children) EXPECT_EQ(child.wait(), 0);
}

TEST(StartLockTest, IsNotTakenWhenAnotherHasIt) {
  const test::TempDir temp;
  const RunDirectory directory(temp.path(), "0123abcd");
  EXPECT_FALSE(StartLock::try_take(directory));
  EXPECT_FALSE(fs::exists(directory.path()));
  {
    const StartLock lock = StartLock::take(directory);
    EXPECT_FALSE(StartLock::try_take(directory));
  }
  EXPECT_TRUE(StartLock::try_take(directory));
}

TEST(StartLockTest, PassesOnWhenItsHolderIsKilled) {
  const test::TempDir temp;
  const RunDirectory directory(temp.path(), "0123abcd");
  Event locked;
  Child child([&] {
    const StartLock lock = StartLock::take(directory);
    locked.raise();
    for (;;) ::pause();
    return 0;
  });
  locked.await();
  EXPECT_FALSE(StartLock::try_take(directory));
  child.send_signal(SIGKILL);
  EXPECT_EQ(StartLock::take(directory).directory().id(), "0123abcd");
}

TEST(RunDirectoryTest, IsClearedOfWhatADeadInstanceLeft) {
  const test::TempDir temp;
  const RunDirectory directory(temp.path(), "0123abcd");
  const StartLock lock = StartLock::take(directory);
  fs::create_directories(directory.temporary_directory(false) / "user/deep");
  std::ofstream(directory.lease_file()) << "x";
  clear_run_directory(lock);
  EXPECT_FALSE(fs::exists(directory.temporary_directory(false)));
  EXPECT_FALSE(fs::exists(directory.lease_file()));
  EXPECT_FALSE(StartLock::try_take(directory)) << "the lock is still held";
}

}  // namespace
}  // namespace isoenv
