#include "base/absolute_path.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "support/temp_dir.h"

namespace isoenv {
namespace {

namespace fs = std::filesystem;

/// The current directory, deleted, until the end of the test.
class DeletedDirectoryTest : public ::testing::Test {
 protected:
  DeletedDirectoryTest() : before_(fs::current_path()) {
    fs::create_directory(temp_.path() / "gone");
    fs::current_path(temp_.path() / "gone");
    fs::remove(temp_.path() / "gone");
  }
  ~DeletedDirectoryTest() override { fs::current_path(before_); }

 private:
  test::TempDir temp_;
  fs::path before_;
};

TEST(AbsolutePathTest, StartsAtTheCurrentDirectory) {
  EXPECT_EQ(current_directory(), fs::current_path());
  EXPECT_EQ(absolute_path("a/./b/../c"), fs::current_path() / "a/c");
  EXPECT_EQ(absolute_path("/x/../y"), "/y");
}

TEST_F(DeletedDirectoryTest, IsSaidInPlainWords) {
  try {
    absolute_path("a");
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "the current directory was deleted");
    EXPECT_EQ(error.hint(), "change to a directory that exists");
  }
}

TEST_F(DeletedDirectoryTest, DoesNotMatterToAnAbsolutePath) {
  EXPECT_EQ(absolute_path("/a"), "/a");
}

}  // namespace
}  // namespace isoenv
