#include "process/probe_output.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

namespace isoenv {
namespace {

void write(const ProbeOutput& output, const std::string& text) {
  ASSERT_EQ(::write(output.fd(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

TEST(ProbeOutputTest, TellsWhatWasWrittenSinceItWasCleared) {
  ProbeOutput output;
  EXPECT_EQ(output.last(true), "");
  write(output, "one\n");
  write(output, "two\n\n");
  EXPECT_EQ(output.last(true), "one\ntwo");
  output.clear();
  EXPECT_EQ(output.last(false), "");
  write(output, "three");
  EXPECT_EQ(output.last(false), "three");
}

TEST(ProbeOutputTest, TellsTheEndOfWhatIsLong) {
  ProbeOutput output;
  write(output,
        std::string(100, 'a') + "\n" + std::string(1900, 'b') + "\n" + std::string(100, 'c'));
  EXPECT_EQ(output.last(false),
            std::string(46, 'a') + "\n" + std::string(1900, 'b') + "\n" + std::string(100, 'c'));
  EXPECT_EQ(output.last(true), std::string(1900, 'b') + "\n" + std::string(100, 'c'));
}

TEST(ProbeOutputTest, TellsNothingOfALongLineWhereLinesAreToBeWhole) {
  ProbeOutput output;
  write(output, std::string(3000, 'a'));
  EXPECT_EQ(output.last(true), "");
  EXPECT_EQ(output.last(false), std::string(2048, 'a'));
}

TEST(ProbeOutputTest, DoesNotGrow) {
  ProbeOutput output;
  const std::string block(1 << 20, 'x');
  for (long size = 0; size < ProbeOutput::kMost; size += 1 << 20) write(output, block);
  EXPECT_EQ(::write(output.fd(), "x", 1), -1);
  EXPECT_EQ(errno, EPERM);
  output.clear();
  write(output, "again");
  EXPECT_EQ(output.last(true), "again");
}

}  // namespace
}  // namespace isoenv
