#include "harness/remove_tree.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/unique_fd.h"
#include "support/temp_dir.h"

namespace isoenv {
namespace {

namespace fs = std::filesystem;

class RemoveTreeTest : public ::testing::Test {
 protected:
  RemoveTreeTest() : directory_(::open(path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}

  const fs::path& path() const { return temp_.path(); }
  int directory() const { return *directory_; }
  void write(const fs::path& file) const {
    fs::create_directories((path() / file).parent_path());
    std::ofstream(path() / file) << "x";
  }

 private:
  test::TempDir temp_;
  UniqueFd directory_;
};

TEST_F(RemoveTreeTest, RemovesADirectoryWithAllInIt) {
  write("tree/a/b/c");
  write("tree/d");
  write("beside");
  EXPECT_EQ(remove_tree(directory(), "tree"), 0);
  EXPECT_FALSE(fs::exists(path() / "tree"));
  EXPECT_TRUE(fs::exists(path() / "beside"));
}

TEST_F(RemoveTreeTest, RemovesAFile) {
  write("file");
  EXPECT_EQ(remove_tree(directory(), "file"), 0);
  EXPECT_FALSE(fs::exists(path() / "file"));
}

TEST_F(RemoveTreeTest, IsContentWhenThereIsNothing) { EXPECT_EQ(remove_tree(directory(), "x"), 0); }

TEST_F(RemoveTreeTest, DoesNotFollowLinks) {
  write("kept/file");
  fs::create_directory(path() / "tree");
  fs::create_directory_symlink(path() / "kept", path() / "tree/link");
  EXPECT_EQ(remove_tree(directory(), "tree"), 0);
  EXPECT_TRUE(fs::exists(path() / "kept/file"));

  fs::create_directory_symlink(path() / "kept", path() / "tree");
  EXPECT_EQ(remove_tree(directory(), "tree"), 0);
  EXPECT_TRUE(fs::exists(path() / "kept/file"));
}

TEST_F(RemoveTreeTest, RemovesWhatAServiceMadeReadOnly) {
  write("tree/cache/file");
  fs::permissions(path() / "tree/cache", fs::perms::none);
  fs::permissions(path() / "tree", fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_EQ(remove_tree(directory(), "tree"), 0);
  EXPECT_FALSE(fs::exists(path() / "tree"));
}

TEST_F(RemoveTreeTest, EmptiesADirectoryButForOneEntry) {
  write("lock");
  write("tmp/file");
  write("lease");
  EXPECT_EQ(empty_directory(directory(), "lock"), 0);
  EXPECT_TRUE(fs::exists(path() / "lock"));
  EXPECT_FALSE(fs::exists(path() / "tmp"));
  EXPECT_FALSE(fs::exists(path() / "lease"));
}

}  // namespace
}  // namespace isoenv
