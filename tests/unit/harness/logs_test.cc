#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>

#include "base/error.h"
#include "child.h"
#include "harness/artefacts.h"
#include "harness/command.h"
#include "harness/instances.h"
#include "scoped_variable.h"
#include "support/temp_dir.h"

namespace isoenv {
namespace {

namespace fs = std::filesystem;
using test::Child;
using test::Event;
using test::ScopedVariable;
using ::testing::HasSubstr;

constexpr char kUserLine[] = "10:00:00.000001 user  | hello | world\n";
constexpr char kOrderLine[] = "10:00:00.000002 order | ready\n";
constexpr char kOwnLine[] = "10:00:00.000003 isoenv | all ready\n";

/// The environment `shop` of the services user and order, an artefact root, and what a keeper does.
class LogsTest : public ::testing::Test {
 protected:
  LogsTest()
      : runtime_("ISOENV_RUNTIME_DIR", temp_.path() / "r"),
        state_("XDG_STATE_HOME", temp_.path() / "s"),
        spec_file_(temp_.path() / "shop.json") {
    std::ofstream(spec_file_) << R"({"version": 1, "environment": "shop", "services": {
        "user": {"command": ["user"]}, "order": {"command": ["order"]}}})";
  }

  ArtefactDirectory make_artefacts() const {
    return create_artefact_directory(artefact_root({}, "shop", spec_file_), "01234567");
  }

  /// Returns the lease, locked.
  UniqueFd make_instance(const fs::path& artefacts) const {
    const InstanceKey key = shared_key(spec_file_, "", current_caller());
    const RunDirectory directory(open_run_root(), instance_id(key));
    const StartLock lock = StartLock::take(directory);
    Lease lease;
    lease.key = key;
    lease.environment = "shop";
    lease.artefact_directory = artefacts;
    lease.keeper = *read_process(::getpid());
    return write_lease(directory, lease);
  }

  static void write(const ArtefactDirectory& artefacts, const std::string& text) {
    std::ofstream(artefacts.path / "isoenv.log", std::ios::app) << text;
  }

  std::string logs(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"--file", spec_file_.string()});
    ::testing::internal::CaptureStdout();
    std::string refused;
    try {
      EXPECT_EQ(logs_command(arguments), 0);
    } catch (const Error& error) {
      refused = "exit " + std::to_string(static_cast<int>(error.code())) + ": " + error.what() +
                "; " + error.hint();
    }
    return ::testing::internal::GetCapturedStdout() + refused;
  }

 private:
  test::TempDir temp_;
  ScopedVariable runtime_;
  ScopedVariable state_;
  fs::path spec_file_;
};

TEST_F(LogsTest, ArePrintedOfTheInstanceThatIsUp) {
  const ArtefactDirectory artefacts = make_artefacts();
  const UniqueFd lease = make_instance(artefacts.path);
  (void)make_artefacts();  // `latest` is another one's
  write(artefacts, std::string(kUserLine) + kOrderLine + "last, without an end");
  EXPECT_EQ(logs({}), std::string(kUserLine) + kOrderLine + "last, without an end");
}

TEST_F(LogsTest, ArePrintedOfTheLastInstanceWhenNoneIsUp) {
  write(make_artefacts(), "older\n");
  write(make_artefacts(), kUserLine);
  EXPECT_EQ(logs({}), kUserLine);
  EXPECT_EQ(logs({"--follow"}), kUserLine);
}

TEST_F(LogsTest, ArePrintedOfTheServicesNamed) {
  write(make_artefacts(), std::string(kUserLine) + "  (its second line)\n" + kOrderLine + kOwnLine);
  EXPECT_EQ(logs({"order"}), kOrderLine);
  EXPECT_EQ(logs({"user"}), std::string(kUserLine) + "  (its second line)\n");
  EXPECT_EQ(logs({"order", "isoenv"}), std::string(kOrderLine) + kOwnLine);
}

TEST_F(LogsTest, RefuseAServiceThatTheEnvironmentDoesNotHave) {
  write(make_artefacts(), kUserLine);
  EXPECT_THAT(logs({"ordr"}), HasSubstr("exit 2: the environment has no service 'ordr'; did you "
                                        "mean 'order'?"));
}

TEST_F(LogsTest, KnowTheServicesThatWereStartedWithoutTheirSpec) {
  const ArtefactDirectory artefacts = make_artefacts();
  write(artefacts, std::string(kUserLine) + kOrderLine);
  fs::create_directory(artefacts.path / "user");
  const std::string root = artefacts.path.parent_path();
  EXPECT_EQ(logs({"--artefacts", root, "user"}), kUserLine);
  EXPECT_THAT(logs({"--artefacts", root, "order"}), HasSubstr("exit 2"));
}

TEST_F(LogsTest, AreMissedWithARemedy) {
  EXPECT_THAT(logs({}), HasSubstr("exit 1: no instance is up, and none has left a log"));
}

TEST_F(LogsTest, AreFollowedUntilTheInstanceEnds) {
  Event up;
  Event go;
  Child keeper([&] {
    const ArtefactDirectory artefacts = make_artefacts();
    write(artefacts, kUserLine);
    const UniqueFd lease = make_instance(artefacts.path);
    up.raise();
    go.await();
    for (int line = 0; line < 1000; ++line) write(artefacts, kOrderLine);
    write(artefacts, kOwnLine);
    return 0;
  });
  up.await();
  go.raise();
  const std::string text = logs({"-f"});
  EXPECT_EQ(text.substr(0, text.find('\n') + 1), kUserLine);
  EXPECT_THAT(text, ::testing::EndsWith(kOwnLine));
}

TEST_F(LogsTest, AreFollowedToTheEndOfAKilledKeeper) {
  Event up;
  Child keeper([&] {
    const ArtefactDirectory artefacts = make_artefacts();
    write(artefacts, kUserLine);
    const UniqueFd lease = make_instance(artefacts.path);
    up.raise();
    for (;;) ::pause();
    return 0;
  });
  up.await();
  Child killer([&] {
    keeper.send_signal(SIGKILL);
    return 0;
  });
  EXPECT_EQ(logs({"-f"}), kUserLine);
}

}  // namespace
}  // namespace isoenv
