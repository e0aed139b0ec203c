#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "spec/parse.h"

namespace isoenv {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A folder with a spec and its lines, removed afterwards.
class LinesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "isoenv-lines-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  std::filesystem::path file(const std::string& name) const { return folder_ / name; }

  ParseResult parse_with_lines(const std::string& lines) const {
    write("shop.lines", lines);
    write("shop.json", R"({"version": 1, "environment": "shop", "lines": "shop.lines"})");
    return parse_spec_file(file("shop.json"));
  }
  std::vector<std::string> lines_of(const std::string& lines) const {
    return std::get<EnvironmentSpec>(parse_with_lines(lines)).lines;
  }

  std::filesystem::path folder_;
};

TEST_F(LinesTest, ReadsTheFileBesideTheSpec) {
  EXPECT_THAT(lines_of("/bin/serve\na \"b\" \\ {{x}}\n"),
              ElementsAre("/bin/serve", "a \"b\" \\ {{x}}"));
}

TEST_F(LinesTest, KeepsEmptyLinesAndNeedsNoFinalNewline) {
  EXPECT_THAT(lines_of("a\n\n  b"), ElementsAre("a", "", "  b"));
  EXPECT_THAT(lines_of(""), IsEmpty());
}

TEST_F(LinesTest, ReportsALinesFileThatIsNotThere) {
  write("shop.json", R"({"version": 1, "environment": "shop", "lines": "nope"})");
  const ParseResult result = parse_spec_file(file("shop.json"));
  EXPECT_EQ(
      render("", std::get<std::vector<Diagnostic>>(result)),
      "lines: cannot open '" + file("nope").string() + "': ENOENT (No such file or directory)");
}

TEST_F(LinesTest, RefusesANulCharacterInALine) {
  const ParseResult result = parse_with_lines(std::string("a\nb\0c\n", 6));
  EXPECT_EQ(render("", std::get<std::vector<Diagnostic>>(result)),
            "lines: line 2 of the file holds a NUL character");
}

TEST_F(LinesTest, RecordsTheSpecsFileAsAnAbsolutePath) {
  write("shop.json", R"({"version": 1, "environment": "shop"})");
  const ParseResult result = parse_spec_file(folder_ / "." / "shop.json");
  EXPECT_EQ(std::get<EnvironmentSpec>(result).file, file("shop.json"));
}

TEST_F(LinesTest, ThrowsAUsageErrorWhenTheSpecCannotBeRead) {
  try {
    (void)parse_spec_file(file("nope.json"));
    FAIL() << "the file was read";
  } catch (const SystemError& error) {
    EXPECT_EQ(error.what(), "cannot open '" + file("nope.json").string() +
                                "': ENOENT (No such file or directory)");
    EXPECT_EQ(error.code(), ExitCode::kUsage);
  }
  EXPECT_THROW((void)parse_spec_file(folder_), SystemError);
}

}  // namespace
}  // namespace isoenv
