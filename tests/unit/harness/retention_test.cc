#include "harness/retention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <vector>

#include "scoped_variable.h"
#include "support/temp_dir.h"

namespace isoenv {
namespace {

namespace fs = std::filesystem;
using test::ScopedVariable;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using Reason = OldArtefacts::Reason;

std::set<std::string> entries(const fs::path& directory) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) names.insert(entry.path().filename());
  return names;
}

class RetentionTest : public ::testing::Test {
 protected:
  RetentionTest()
      : state_("XDG_STATE_HOME", temp_.path() / "state"),
        home_("HOME", std::nullopt),
        runtime_("ISOENV_RUNTIME_DIR", temp_.path() / "run") {}

  fs::path root() const { return temp_.path() / "a/root"; }
  fs::path place() const { return temp_.path() / "state/isoenv"; }
  const fs::path& temporary() const { return temp_.path(); }

  /// An ended instance of the `day`th of a month long ago.
  fs::path add(const fs::path& root, int day, bool passed, const fs::path& spec_file = {}) const {
    const ArtefactDirectory made =
        create_artefact_directory(root, "01234567", {"shop", spec_file, "", 0, false});
    record_end(*made.marker, passed);
    const fs::path path = root / ("202001" + std::to_string(day) + "-000000-01234567");
    fs::rename(made.path, path);
    return path;
  }

 private:
  test::TempDir temp_;
  ScopedVariable state_;
  ScopedVariable home_;
  ScopedVariable runtime_;
};

TEST_F(RetentionTest, KeepsTheNewestEndedOnesAndAllLivingOnes) {
  const ArtefactDirectory living = create_artefact_directory(root(), "00000000");
  std::ofstream(living.path / "isoenv.log") << "x";
  std::vector<fs::path> paths;
  for (int day = 10; day < 25; ++day) paths.push_back(add(root(), day, true));
  fs::create_directory(paths[0] / "user");
  const ArtefactDirectory newest = create_artefact_directory(root(), "76543210");

  const std::vector<OldArtefacts> dropped = drop_old_artefacts(root());
  EXPECT_THAT(dropped, SizeIs(5));
  EXPECT_TRUE(fs::exists(living.path / "isoenv.log"));
  for (std::size_t i = 0; i < paths.size(); ++i) EXPECT_EQ(fs::exists(paths[i]), i >= 5) << i;
  EXPECT_EQ(entries(root()).size(), kKeptArtefacts + 3);  // with latest and the two living ones
  EXPECT_EQ(latest_artefacts(root()), newest.path);
}

TEST_F(RetentionTest, KeepsFailedOnesLonger) {
  const fs::path failed = add(root(), 10, false);
  const fs::path passed = add(root(), 11, true);
  for (int day = 12; day < 25; ++day) add(root(), day, true);
  drop_old_artefacts(root());
  EXPECT_TRUE(fs::exists(failed));
  EXPECT_FALSE(fs::exists(passed));
}

TEST_F(RetentionTest, KeepsNoMoreThanSoManyFailedOnes) {
  for (int day = 10; day < 50; ++day) add(root(), day, false);
  drop_old_artefacts(root());
  EXPECT_EQ(entries(root()).size(), kKeptFailedArtefacts + 1);  // with latest
  EXPECT_THAT(entries(root()), Contains("20200149-000000-01234567"));
  EXPECT_THAT(entries(root()), Not(Contains("20200129-000000-01234567")));
}

TEST_F(RetentionTest, TakesOneWithoutAGoodEndForFailed) {
  for (int day = 10; day < 22; ++day) {
    const fs::path directory = add(root(), day, true);
    std::ofstream(artefact_marker(directory), std::ios::trunc) << "{\"environment\": \"shop\"}\n";
  }
  EXPECT_THAT(drop_old_artefacts(root()), IsEmpty());
}

TEST_F(RetentionTest, ChangesNothingWhenItOnlyLooks) {
  for (int day = 10; day < 25; ++day) add(root(), day, true, "/gone/shop.json");
  fs::create_directory(root() / "20200101-000000-01234567");
  const std::set<std::string> before = entries(root());
  const std::vector<OldArtefacts> dropped = drop_old_artefacts(root(), Sweep::kLook);
  ASSERT_THAT(dropped, SizeIs(6));
  EXPECT_EQ(dropped[0].record.environment, "shop");
  EXPECT_EQ(dropped[0].record.spec_file, "/gone/shop.json");
  EXPECT_EQ(entries(root()), before);
}

TEST_F(RetentionTest, DropsAStartThatWasCutShort) {
  const fs::path empty = root() / "20200101-000000-01234567";
  const fs::path unmarked = root() / "20200101-000000-01234567-2";
  fs::create_directories(empty);
  fs::create_directories(unmarked);
  std::ofstream(artefact_marker_draft(unmarked)) << "x";
  EXPECT_THAT(drop_old_artefacts(root()), SizeIs(2));
  EXPECT_THAT(entries(root()), IsEmpty());
}

TEST_F(RetentionTest, LeavesAStartThatIsUnderWayAlone) {
  const fs::path directory = root() / "20200101-000000-01234567";
  fs::create_directories(directory);
  std::ofstream(artefact_marker_draft(directory)) << "x";
  const UniqueFd held = lock_own_file(artefact_marker_draft(directory));
  ASSERT_TRUE(held);
  EXPECT_THAT(drop_old_artefacts(root()), IsEmpty());
  EXPECT_TRUE(fs::exists(artefact_marker_draft(directory)));
}

TEST_F(RetentionTest, LeavesEverythingElseInTheRootAlone) {
  fs::create_directories(root() / "20000101-000000-01234567");
  std::ofstream(root() / "20000101-000000-01234567/letter") << "x";
  fs::create_directories(root() / "latest/mine");
  fs::create_directories(root() / "build");
  std::ofstream(root() / "notes.txt") << "x";
  const std::set<std::string> before = entries(root());
  for (int day = 10; day < 50; ++day) add(root(), day, false);
  drop_old_artefacts(root());

  const std::set<std::string> after = entries(root());
  EXPECT_TRUE(std::includes(after.begin(), after.end(), before.begin(), before.end()));
  EXPECT_TRUE(fs::exists(root() / "latest/mine"));
  EXPECT_FALSE(latest_artefacts(root()));
}

TEST_F(RetentionTest, CountsAllSpecsThatAreGoneTogether) {
  const fs::path spec_file = temporary() / "shop.json";
  std::ofstream(spec_file) << "{}";
  const fs::path kept = add(place() / "shop-00000000", 10, true, spec_file);
  std::vector<fs::path> gone;
  for (int day = 11; day < 25; ++day) {
    const fs::path root = place() / ("shop-" + std::to_string(10000000 + day));
    gone.push_back(add(root, day, true, temporary() / ("gone" + std::to_string(day))));
  }
  const std::vector<OldArtefacts> seen = drop_abandoned_artefacts(Sweep::kLook);
  ASSERT_THAT(seen, SizeIs(4));
  EXPECT_EQ(seen[0].reason, Reason::kSpecGone);
  EXPECT_TRUE(fs::exists(gone[0]));

  EXPECT_THAT(drop_abandoned_artefacts(), SizeIs(4));
  EXPECT_TRUE(fs::exists(kept));
  for (std::size_t i = 0; i < gone.size(); ++i) {
    EXPECT_EQ(fs::exists(gone[i].parent_path()), i >= 4) << i;
  }
}

TEST_F(RetentionTest, FindsRootsInTheRunRootByTheirName) {
  const fs::path run_root = temporary() / "run";
  add(run_root / "artefacts-shop-00000000", 10, true);
  add(run_root / "01234567", 10, true);
  EXPECT_THAT(artefact_roots_in(run_root),
              ::testing::ElementsAre(run_root / "artefacts-shop-00000000"));
  EXPECT_THAT(artefact_roots_in(place()), IsEmpty());
}

}  // namespace
}  // namespace isoenv
