#include "ready/sanitizer_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "support/temp_dir.h"

namespace isoenv {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kReport[] = "==2==ERROR: AddressSanitizer: odd\nSUMMARY: AddressSanitizer: odd\n";

TEST(SanitizerLogPathTest, IsReadAsTheSanitizersDo) {
  EXPECT_EQ(sanitizer_log_path(""), "");
  EXPECT_EQ(sanitizer_log_path("halt_on_error=1:log_path=/tmp/asan"), "/tmp/asan");
  EXPECT_EQ(sanitizer_log_path("log_path=a,log_path=b exitcode=7"), "b");
  EXPECT_EQ(sanitizer_log_path("log_path='/a b:c':x=1"), "/a b:c");
  EXPECT_EQ(sanitizer_log_path("log_path=\"unclosed"), "unclosed");
  EXPECT_EQ(sanitizer_log_path("log_path=stderr"), "");
  EXPECT_EQ(sanitizer_log_path("verbosity"), "");
}

class SanitizerFilesTest : public ::testing::Test {
 protected:
  void write(const std::string& file, const std::string& text,
             std::ios::openmode mode = std::ios::trunc) const {
    std::ofstream(dir_.path() / file, std::ios::binary | mode) << text;
  }
  SanitizerFiles files(const StringBlock& environment, uid_t owner = ::geteuid()) {
    return {environment, dir_.path(), owner,
            [this](const std::filesystem::path& file) {
              return SanitizerWatch::Listener{
                  [this, file](const std::string& title, const std::string&) {
                    told_.push_back(file.filename().string() + ": " + title);
                  },
                  [this](const std::string& line) { lines_.push_back(line); }};
            },
            std::make_shared<Secrets>(std::vector<std::string>{"swordfish"})};
  }

  test::TempDir dir_;
  std::vector<std::string> told_;
  std::vector<std::string> lines_;
};

TEST_F(SanitizerFilesTest, FindReportsOfEveryProcess) {
  SanitizerFiles watched = files({"A=b", "ASAN_OPTIONS=log_path=asan:exitcode=3"});
  write("asan.2", kReport);
  write("asan.order.17", kReport);
  write("asan.txt", kReport);
  write("asan", kReport);
  watched.read();
  std::sort(told_.begin(), told_.end());
  EXPECT_THAT(told_,
              ElementsAre("asan.2: AddressSanitizer: odd", "asan.order.17: AddressSanitizer: odd"));
  watched.finish();
  EXPECT_EQ(told_.size(), 2U) << "each once";
}

TEST_F(SanitizerFilesTest, TakeNoFileThatWasThereBefore) {
  write("asan.2", kReport);
  write("asan.3", kReport);
  SanitizerFiles watched = files({"ASAN_OPTIONS=log_path=asan"});
  watched.read();
  EXPECT_THAT(told_, IsEmpty());
  write("asan.2", std::string(kReport) + "\n");
  watched.finish();
  EXPECT_THAT(told_, ElementsAre("asan.2: AddressSanitizer: odd"));
}

TEST_F(SanitizerFilesTest, FollowAFileThatGrows) {
  SanitizerFiles watched = files({"UBSAN_OPTIONS=log_path=" + (dir_.path() / "ub").string()});
  write("ub.2", "a.cc:1:2: runtime error: over");
  watched.read();
  EXPECT_THAT(told_, IsEmpty());
  write("ub.2", "flow swordfish\n    #0 swordfish", std::ios::app);
  watched.finish();
  EXPECT_THAT(told_, ElementsAre("ub.2: UndefinedBehaviorSanitizer: overflow ***"));
  EXPECT_THAT(lines_, ElementsAre("    #0 ***"));
}

TEST_F(SanitizerFilesTest, ReadNeitherLinksNorOthersFiles) {
  SanitizerFiles watched = files({"ASAN_OPTIONS=log_path=asan"});
  write("target", kReport);
  std::filesystem::create_symlink(dir_.path() / "target", dir_.path() / "asan.2");
  std::filesystem::create_directory(dir_.path() / "asan.3");
  watched.finish();
  EXPECT_THAT(told_, IsEmpty());
  SanitizerFiles of_another = files({"ASAN_OPTIONS=log_path=asan"}, ::geteuid() + 1);
  write("asan.4", kReport);
  of_another.finish();
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(SanitizerFilesTest, AreNoneWhereThereIsNoFolder) {
  SanitizerFiles watched = files({"TSAN_OPTIONS=log_path=/no/such/place/x", "LSAN_OPTIONS="});
  watched.finish();
  EXPECT_THAT(told_, IsEmpty());
}

}  // namespace
}  // namespace isoenv
