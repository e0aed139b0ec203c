#include "harness/instances.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <list>

#include "base/error.h"
#include "support/temp_dir.h"

namespace isoenv {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr ProcessId kCtest{100, 1};
constexpr ProcessId kOtherCtest{101, 1};
constexpr ProcessId kShell{200, 1};
constexpr ProcessId kOtherShell{201, 1};

class InstancesTest : public ::testing::Test {
 protected:
  const fs::path& root() const { return temp_.path(); }

  /// An instance with a living keeper, the test itself, until die() is called.
  RunDirectory add(const InstanceKey& key, const ProcessId& owner = {}) {
    const RunDirectory directory(root(), instance_id(key));
    const StartLock lock = StartLock::take(directory);
    Lease lease;
    lease.key = key;
    lease.environment = key.spec_file.stem();
    lease.owner.process = owner;
    leases_.push_back(write_lease(directory, lease));
    return directory;
  }
  void die() { leases_.clear(); }

  /// Names of the instances meant; `error` when it is refused.
  std::vector<std::string> select(const Selection& selection, const Caller& caller) const {
    std::vector<std::string> names;
    for (const RunningInstance& instance : select_instances(root(), selection, caller)) {
      const InstanceKey& key = instance.lease.key;
      names.push_back(key.spec_file.string() + (key.name.empty() ? "" : "#" + key.name));
    }
    return names;
  }

  /// The ids of what was found; a failure to remove it fails the test.
  std::vector<std::string> sweep(Sweep sweep = Sweep::kRemove) const {
    std::vector<std::string> ids;
    for (const StaleDirectory& stale : sweep_stale(root(), sweep)) {
      EXPECT_EQ(stale.error, 0) << stale.directory.path();
      ids.push_back(stale.directory.id());
    }
    return ids;
  }

  Error refusal(const Selection& selection, const Caller& caller) const {
    try {
      find_instance(root(), selection, caller);
    } catch (const Error& error) {
      return error;
    }
    return Error("not refused");
  }

 private:
  test::TempDir temp_;
  std::list<UniqueFd> leases_;
};

TEST_F(InstancesTest, AreListedAsLongAsTheirKeeperLives) {
  add({"/b.json", "", {}, {}});
  add({"/a.json", "", kCtest, {}});
  fs::create_directory(root() / "01234567");
  const auto instances = list_instances(root());
  ASSERT_EQ(instances.size(), 2U);
  EXPECT_EQ(instances[0].lease.key.spec_file, "/a.json");
  EXPECT_EQ(instances[1].lease.key.spec_file, "/b.json");
  die();
  EXPECT_THAT(list_instances(root()), IsEmpty());
}

TEST_F(InstancesTest, AreThoseOfTheCtestRunUnderCtest) {
  add({"/a.json", "", kCtest, {}});
  add({"/b.json", "", kCtest, {}});
  add({"/a.json", "", kOtherCtest, {}});
  add({"/a.json", "", {}, {}});
  add({"", "", kCtest, ProcessId{300, 1}});
  EXPECT_THAT(select({}, {kCtest, kShell}), ElementsAre("/a.json", "/b.json"));
  EXPECT_THAT(select({"/a.json", ""}, {kCtest, kShell}), ElementsAre("/a.json"));
  EXPECT_THAT(select({"/c.json", ""}, {kCtest, kShell}), IsEmpty());
  EXPECT_EQ(find_instance(root(), {"/b.json", ""}, {kCtest, {}}).lease.key.ctest, kCtest);
}

TEST_F(InstancesTest, AreMeantByFileAndName) {
  add({"/a.json", "", {}, {}});
  add({"/a.json", "second", {}, {}});
  EXPECT_THAT(select({"/a.json", ""}, {}), ElementsAre("/a.json"));
  EXPECT_THAT(select({"/./a.json", "second"}, {}), ElementsAre("/a.json#second"));
  EXPECT_THAT(select({{}, "second"}, {}), ElementsAre("/a.json#second"));
  EXPECT_THAT(select({"/a.json", "third"}, {}), IsEmpty());
}

TEST_F(InstancesTest, AreMeantWithoutAWordWhenThereIsOnlyOne) {
  add({"/a.json", "", {}, {}});
  add({"/b.json", "", kCtest, {}});
  add({"/c.json", "", {}, ProcessId{300, 1}});
  EXPECT_THAT(select({}, {}), ElementsAre("/a.json"));
}

TEST_F(InstancesTest, OfTheOwnTerminalComeFirst) {
  add({"/a.json", "", {}, {}}, kShell);
  add({"/b.json", "", {}, {}}, kOtherShell);
  EXPECT_THAT(select({}, {{}, kShell}), ElementsAre("/a.json"));
  EXPECT_THAT(select({}, {{}, kOtherShell}), ElementsAre("/b.json"));
}

TEST_F(InstancesTest, AreNamedWhenSeveralCouldBeMeant) {
  add({"/a.json", "", {}, {}}, kShell);
  add({"/b.json", "second", {}, {}}, kShell);
  const Error error = refusal({}, {});
  EXPECT_THAT(error.what(), HasSubstr("2 instances are up"));
  EXPECT_THAT(error.what(), HasSubstr("-f /a.json"));
  EXPECT_THAT(error.what(), HasSubstr("-f /b.json --name second"));
  EXPECT_EQ(error.code(), ExitCode::kUsage);
  EXPECT_EQ(refusal({}, {{}, kShell}).code(), ExitCode::kUsage);
}

TEST_F(InstancesTest, AreMissedWithARemedy) {
  EXPECT_STREQ(refusal({}, {}).what(), "no instance is up");
  EXPECT_THAT(refusal({}, {}).hint(), HasSubstr("isoenv up -f FILE"));
  EXPECT_STREQ(refusal({"/a.json", ""}, {}).what(), "no instance of '/a.json' is up");
  EXPECT_THAT(refusal({}, {kCtest, {}}).what(), HasSubstr("in this ctest run"));

  add({"/a.json", "second", {}, {}});
  EXPECT_THAT(refusal({"/a.json", ""}, {}).hint(), HasSubstr("--name second"));
}

TEST_F(InstancesTest, AreSweptWhenTheirKeeperIsDead) {
  const RunDirectory dead = add({"/a.json", "", {}, {}});
  fs::create_directories(dead.temporary_directory(false) / "user");
  std::ofstream(dead.path() / "further") << "x";
  const RunDirectory half_made(root(), "01234567");
  fs::create_directory(half_made.path());
  (void)StartLock::try_take(half_made);
  const RunDirectory empty(root(), "11234567");
  fs::create_directory(empty.path());
  die();
  const RunDirectory alive = add({"/b.json", "", {}, {}});

  EXPECT_THAT(sweep(Sweep::kLook), UnorderedElementsAre(dead.id(), half_made.id(), empty.id()));
  EXPECT_TRUE(fs::exists(dead.path() / "further"));
  EXPECT_TRUE(fs::is_empty(empty.path()));
  EXPECT_THAT(sweep(), UnorderedElementsAre(dead.id(), half_made.id(), empty.id()));
  EXPECT_FALSE(fs::exists(dead.path()));
  EXPECT_TRUE(keeper_alive(alive));
}

TEST_F(InstancesTest, AreToldWithTheirLeaseWhenSwept) {
  add({"/a.json", "second", {}, {}});
  die();
  const std::vector<StaleDirectory> stale = sweep_stale(root());
  ASSERT_EQ(stale.size(), 1U);
  ASSERT_TRUE(stale[0].lease);
  EXPECT_EQ(stale[0].lease->key.name, "second");
  EXPECT_NE(stale[0].since, 0);
}

TEST_F(InstancesTest, AreNotSweptWhileBeingStarted) {
  const RunDirectory starting(root(), "01234567");
  const StartLock lock = StartLock::take(starting);
  EXPECT_THAT(sweep(), IsEmpty());
  EXPECT_THAT(sweep(Sweep::kLook), IsEmpty());
  EXPECT_TRUE(fs::exists(starting.path()));
}

TEST_F(InstancesTest, LeaveForeignDirectoriesAlone) {
  const test::TempDir elsewhere;
  std::ofstream(elsewhere.path() / "lock");
  fs::create_directory(root() / "artefacts-shop-01234567");
  fs::create_directory(root() / "ABCDEF01");
  fs::create_directory(root() / "21234567");
  std::ofstream(root() / "21234567/letter") << "x";
  fs::create_directory(root() / "31234567");
  std::ofstream(root() / "31234567/lease") << "{\"pid\": 1}";
  fs::create_directory_symlink(elsewhere.path(), root() / "41234567");
  std::ofstream(root() / "51234567") << "a file";

  EXPECT_THAT(sweep(Sweep::kLook), IsEmpty());
  EXPECT_THAT(sweep(), IsEmpty());
  EXPECT_FALSE(fs::exists(root() / "21234567/lock"));
  EXPECT_TRUE(fs::exists(root() / "21234567/letter"));
  EXPECT_TRUE(fs::exists(root() / "31234567/lease"));
  EXPECT_TRUE(fs::exists(root() / "ABCDEF01"));
  EXPECT_TRUE(fs::exists(elsewhere.path() / "lock"));
  EXPECT_TRUE(fs::exists(root() / "51234567"));
}

}  // namespace
}  // namespace isoenv
