#include "harness/lease.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "child.h"
#include "support/temp_dir.h"

namespace isoenv {
namespace {

namespace fs = std::filesystem;
using test::Child;
using test::Event;

Lease sample_lease() {
  return {.key = {"/src/\"shop\".json", "second", ProcessId{7, 8}, std::nullopt},
          .environment = "shop",
          .artefact_directory = "/var/log/shop",
          .keeper = {11, 12},
          .owner = {Owner::Kind::kTerminal, {13, 14}, "ba sh"},
          .version = "0.1.0",
          .spec_digest = "0123abcd"};
}

class LeaseTest : public ::testing::Test {
 protected:
  LeaseTest() : directory_(temp_.path(), "0123abcd") { fs::create_directory(directory_.path()); }

  const RunDirectory& directory() const { return directory_; }

 private:
  test::TempDir temp_;
  RunDirectory directory_;
};

TEST_F(LeaseTest, IsReadAsItWasWritten) {
  const UniqueFd held = write_lease(directory(), sample_lease());
  EXPECT_EQ(read_lease(directory()), sample_lease());
  EXPECT_EQ(fs::status(directory().lease_file()).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(LeaseTest, IsNoLeaseWhenANumberOrAWordIsNotOneOfOurs) {
  const std::string good = lease_text(sample_lease());
  EXPECT_EQ(parse_lease(good), sample_lease());
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t place = text.find(from);
    EXPECT_NE(place, std::string::npos) << from;
    return parse_lease(text.replace(place, from.size(), to));
  };
  for (const char* number : {"1.5", "4294967307", "1e300", "\"11\"", "null", "true"}) {
    EXPECT_FALSE(changed("\"pid\": 11", "\"pid\": " + std::string(number))) << number;
  }
  EXPECT_FALSE(changed("\"start_time\": 12", "\"start_time\": -12"));
  EXPECT_FALSE(changed("\"terminal\"", "\"termite\""));
  EXPECT_FALSE(parse_lease(std::string(1'000'000, '[')));
  EXPECT_FALSE(parse_lease(good + std::string(2'000'000, ' ')));
}

TEST_F(LeaseTest, ProvesItsKeeperAliveUntilItDies) {
  Event written;
  Child keeper([&] {
    const UniqueFd held = write_lease(directory(), sample_lease());
    written.raise();
    for (;;) ::pause();
    return 0;
  });
  written.await();
  EXPECT_TRUE(keeper_alive(directory()));

  keeper.send_signal(SIGKILL);
  wait_for_keeper_end(open_lease(directory()));
  EXPECT_FALSE(keeper_alive(directory()));
  EXPECT_EQ(read_lease(directory()), sample_lease());
}

TEST_F(LeaseTest, IsReplacedInOneStep) {
  (void)write_lease(directory(), sample_lease());
  EXPECT_FALSE(keeper_alive(directory()));
  Lease next = sample_lease();
  next.keeper = {21, 22};
  const UniqueFd held = write_lease(directory(), next);
  EXPECT_TRUE(keeper_alive(directory()));
  EXPECT_EQ(read_lease(directory()), next);
}

TEST_F(LeaseTest, IsNotThereUnlessIsoenvWroteIt) {
  EXPECT_FALSE(read_lease(directory()));
  EXPECT_FALSE(keeper_alive(directory()));
  wait_for_keeper_end(open_lease(directory()));

  for (const char* text : {"", "pid 12", "{}", R"({"isoenv": 1})", "[]"}) {
    std::ofstream(directory().lease_file(), std::ios::trunc) << text;
    EXPECT_FALSE(read_lease(directory())) << text;
  }
}

TEST_F(LeaseTest, IsWrittenForAPathOfAnyBytes) {
  Lease lease = sample_lease();
  lease.key.spec_file = "/src/caf\xe9.json";
  const UniqueFd held = write_lease(directory(), lease);
  EXPECT_EQ(read_lease(directory())->key.name, lease.key.name);
}

TEST_F(LeaseTest, IsNotReadThroughALink) {
  (void)write_lease(directory(), sample_lease());
  fs::rename(directory().lease_file(), directory().path() / "elsewhere");
  fs::create_symlink("elsewhere", directory().lease_file());
  EXPECT_FALSE(read_lease(directory()));
}

}  // namespace
}  // namespace isoenv
