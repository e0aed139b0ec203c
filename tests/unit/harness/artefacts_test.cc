#include "harness/artefacts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <vector>

#include "base/error.h"
#include "scoped_variable.h"
#include "support/temp_dir.h"

namespace isoenv {
namespace {

namespace fs = std::filesystem;
using test::ScopedVariable;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

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

TEST(ArtefactRootTest, StandsElsewhereWhenItsOwnFolderCannotBeWritten) {
  const test::TempDir temp;
  const ScopedVariable state("XDG_STATE_HOME", temp.path() / "state");
  const ScopedVariable home("HOME", temp.path());
  fs::create_directories(temp.path() / "state");
  std::ofstream(temp.path() / "state/isoenv") << "a file where the folder should be";
  EXPECT_EQ(artefact_root({}, "shop", "/src/shop.json").parent_path(),
            temp.path() / ".local/state/isoenv");
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

TEST_F(ArtefactsTest, AreClosedToOthersInTheStateFolderAlone) {
  const test::TempDir temp;
  const ScopedVariable state("XDG_STATE_HOME", temp.path());
  const mode_t before = ::umask(022);
  const auto in_state = create_artefact_directory(artefact_root({}, "shop", "/s.json"), "01234567");
  const auto elsewhere = create_artefact_directory(root(), "01234567");
  ::umask(before);
  EXPECT_EQ(fs::status(temp.path() / "isoenv").permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(root()).permissions(), fs::perms(0755));
  EXPECT_EQ(fs::status(elsewhere.path).permissions(), fs::perms(0755));
}

TEST_F(ArtefactsTest, AreInUseUntilTheMarkerIsLetGo) {
  ArtefactDirectory directory = create_artefact_directory(root(), "01234567");
  EXPECT_TRUE(artefacts_in_use(directory.path));
  directory.marker.reset();
  EXPECT_FALSE(artefacts_in_use(directory.path));
}

TEST_F(ArtefactsTest, TellWhatTheInstanceWasAndHowItEnded) {
  const ArtefactRecord begun{"shop", "/src/\"shop\".json", "second", 0, false};
  const ArtefactDirectory directory = create_artefact_directory(root(), "01234567", begun);
  EXPECT_EQ(read_record(*directory.marker), begun);
  record_keeper(*directory.marker, 42);
  EXPECT_EQ(read_record(*directory.marker).keeper, 42);
  EXPECT_FALSE(read_record(*directory.marker).passed);
  record_end(*directory.marker, true);
  EXPECT_EQ(read_record(*directory.marker),
            (ArtefactRecord{"shop", "/src/\"shop\".json", "second", 42, true}));
}

TEST_F(ArtefactsTest, TellNothingThatCannotBeRead) {
  const ArtefactDirectory directory = create_artefact_directory(root(), "01234567");
  for (const char* text : {"", "passed", "{}", "[1]\n{\"passed\": 1}", "{\"passed\": tru"}) {
    std::ofstream(artefact_marker(directory.path), std::ios::trunc) << text;
    EXPECT_EQ(read_record(*directory.marker), ArtefactRecord()) << text;
  }
}

TEST_F(ArtefactsTest, AreKnownByTheirName) {
  for (const char* name : {"20240131-235959-0123abcd", "20240131-235959-0123abcd-12"}) {
    EXPECT_TRUE(is_artefact_name(name)) << name;
  }
  for (const char* name :
       {"", "latest", "20240131-235959", "20240131-235959-0123abcg", "20240131-235959-0123abcd-",
        "20240131-235959-0123abcd-x", "20240131-235959-0123abcd.old"}) {
    EXPECT_FALSE(is_artefact_name(name)) << name;
  }
}

TEST_F(ArtefactsTest, AreRefusedWithARemedyWhereTheyCannotBeCreated) {
  try {
    create_artefact_directory("/dev/null/x", "01234567");
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("create the artefact directory '/dev/null/x'"));
    EXPECT_THAT(error.hint(), HasSubstr("--artefacts DIR"));
  }
}

}  // namespace
}  // namespace isoenv
