#include "harness/artefacts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <vector>

#include "scoped_variable.h"
#include "support/temp_dir.h"

namespace isoenv {
namespace {

namespace fs = std::filesystem;
using test::ScopedVariable;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

std::set<std::string> entries(const fs::path& directory) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) names.insert(entry.path().filename());
  return names;
}

TEST(ArtefactRootTest, IsWhatTheUserSays) {
  EXPECT_EQ(artefact_root("build/../logs", "shop", "/src/shop.json"), fs::current_path() / "logs");
}

TEST(ArtefactRootTest, StandsInTheStateFolder) {
  const test::TempDir temp;
  const ScopedVariable home("HOME", temp.path());
  {
    const ScopedVariable state("XDG_STATE_HOME", temp.path() / "state");
    EXPECT_THAT(artefact_root({}, "shop", "/src/shop.json").string(),
                MatchesRegex((temp.path() / "state/isoenv/shop-[0-9a-f]{8}").string()));
  }
  const ScopedVariable state("XDG_STATE_HOME", std::nullopt);
  const fs::path root = artefact_root({}, "shop", "/src/shop.json");
  EXPECT_EQ(root.parent_path(), temp.path() / ".local/state/isoenv");
  EXPECT_EQ(artefact_root({}, "shop", "/src/./shop.json"), root);
  EXPECT_NE(artefact_root({}, "shop", "/other/shop.json"), root);
  EXPECT_TRUE(fs::is_empty(temp.path()));
}

TEST(ArtefactRootTest, StandsWithTheRunDirectoriesWithoutAWritableHome) {
  const ScopedVariable state("XDG_STATE_HOME", std::nullopt);
  const ScopedVariable runtime("ISOENV_RUNTIME_DIR", "/tmp/rt");
  for (const std::optional<std::string>& home :
       std::vector<std::optional<std::string>>{std::nullopt, "", "here", "/dev/null"}) {
    const ScopedVariable variable("HOME", home);
    EXPECT_THAT(artefact_root({}, "shop", "/src/shop.json").string(),
                StartsWith("/tmp/rt/artefacts-shop-"));
  }
}

class ArtefactsTest : public ::testing::Test {
 protected:
  fs::path root() const { return temp_.path() / "a/root"; }

 private:
  test::TempDir temp_;
};

TEST_F(ArtefactsTest, GetADirectoryOfTheirOwn) {
  const ArtefactDirectory first = create_artefact_directory(root(), "01234567");
  const ArtefactDirectory second = create_artefact_directory(root(), "01234567");
  EXPECT_NE(first.path, second.path);
  EXPECT_THAT(first.path.filename(), MatchesRegex("[0-9]{8}-[0-9]{6}-01234567"));
  EXPECT_EQ(latest_artefacts(root()), second.path);
  EXPECT_TRUE(artefacts_in_use(first.path));
}

TEST_F(ArtefactsTest, AreInUseUntilTheMarkerIsLetGo) {
  ArtefactDirectory directory = create_artefact_directory(root(), "01234567");
  EXPECT_TRUE(artefacts_in_use(directory.path));
  directory.marker.reset();
  EXPECT_FALSE(artefacts_in_use(directory.path));
}

TEST_F(ArtefactsTest, KeepTheNewestEndedOnesAndAllLivingOnes) {
  const ArtefactDirectory living = create_artefact_directory(root(), "00000000");
  std::ofstream(living.path / "isoenv.log") << "x";
  for (int number = 0; number < 25; ++number) {
    const ArtefactDirectory ended = create_artefact_directory(root(), "01234567");
    fs::create_directory(ended.path / "user");
  }
  const ArtefactDirectory newest = create_artefact_directory(root(), "76543210");
  drop_old_artefacts(root());

  EXPECT_TRUE(fs::exists(living.path / "isoenv.log"));
  EXPECT_EQ(entries(root()).size(), kKeptArtefacts + 3);  // with latest and the two living ones
  EXPECT_EQ(latest_artefacts(root()), newest.path);
}

TEST_F(ArtefactsTest, DropTheOldestFirst) {
  std::vector<fs::path> paths;
  for (int day = 10; day < 22; ++day) {
    const ArtefactDirectory made = create_artefact_directory(root(), "01234567");
    paths.push_back(root() / ("202001" + std::to_string(day) + "-000000-01234567"));
    fs::rename(made.path, paths.back());
  }
  drop_old_artefacts(root());
  EXPECT_FALSE(fs::exists(paths[0]));
  EXPECT_FALSE(fs::exists(paths[1]));
  EXPECT_TRUE(fs::exists(paths[2]));
}

TEST_F(ArtefactsTest, LeaveEverythingElseInTheRootAlone) {
  fs::create_directories(root() / "20000101-000000-01234567");
  fs::create_directories(root() / "latest/mine");
  fs::create_directories(root() / "build");
  std::ofstream(root() / "notes.txt") << "x";
  const std::set<std::string> before = entries(root());
  for (int number = 0; number < 15; ++number) (void)create_artefact_directory(root(), "01234567");
  drop_old_artefacts(root());

  const std::set<std::string> after = entries(root());
  EXPECT_TRUE(std::includes(after.begin(), after.end(), before.begin(), before.end()));
  EXPECT_TRUE(fs::exists(root() / "latest/mine"));
  EXPECT_FALSE(latest_artefacts(root()));
}

}  // namespace
}  // namespace isoenv
