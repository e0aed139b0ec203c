// `user`: services that run as another account when IsoEnv runs as root.
#include <gmock/gmock.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Every test holds for root and for an ordinary user, for whom `user` changes nothing.
class UserTest : public SystemTest {
 protected:
  UserTest() : is_root_(::getuid() == 0), nobody_(*::getpwnam("nobody")) {
    // As a project is: readable by others. What is closed around it is root's run directory.
    fs::permissions(dir(), fs::perms(0755));
  }

  /// What a service with `user` told; `members` are added to its declaration.
  std::string shown(const std::string& user, const std::string& members = {}) {
    const fs::path spec = write_spec(R"("services": {"shows": {"user": ")" + user + R"(",
      "command": ["test_service", "shows_environment", "then", "creates_file", "{{self.dir}}/kept",
                  "then", "creates_file", "{{self.tmp}}/scratch", "then", "writes", "all told\n",
                  "then", "waits"],
      "ready": [{"log": "^all told$"}])" +
                                     (members.empty() ? "" : ", " + members) + "}}");
    EXPECT_THAT(up(spec), ExitedWith(0));
    const std::string log = read_file(artefact_dir() / "latest" / "shows.log");
    EXPECT_THAT(down(spec), ExitedWith(0));
    return log;
  }
  std::string id(uid_t expected_of_root, uid_t own) const {
    return std::to_string(is_root_ ? expected_of_root : own);
  }

  const bool is_root_;
  const passwd nobody_;
};

TEST_F(UserTest, IsWhomTheServiceRunsAs) {
  for (const std::string& name : {std::string("nobody"), std::to_string(nobody_.pw_uid)}) {
    const std::string text = shown(name);
    EXPECT_EQ(value(text, "uid"), id(nobody_.pw_uid, ::getuid()));
    EXPECT_EQ(value(text, "gid"), id(nobody_.pw_gid, ::getgid()));
  }
}

TEST_F(UserTest, HasNoCapabilityLeft) {
  const std::string text = shown("nobody");
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    EXPECT_THAT(values(text, "status"), Contains(set + std::string(" 0000000000000000")));
  }
}

TEST_F(UserTest, OwnsWhatTheServiceWrites) {
  (void)shown("nobody");
  const fs::path kept = artefact_dir() / "latest" / "shows";
  for (const fs::path& path : {kept, kept / "kept"}) {
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0) << path;
    EXPECT_EQ(std::to_string(status.st_uid), id(nobody_.pw_uid, ::getuid())) << path;
  }
}

TEST_F(UserTest, GivesItsOwnVariablesUnlessTheSpecDoes) {
  const std::string text = shown("nobody", R"("env": {"SHELL": "/own/shell"})");
  EXPECT_EQ(variable(text, "HOME"), is_root_ ? nobody_.pw_dir : (dir() / "home").string());
  EXPECT_EQ(variable(text, "SHELL"), "/own/shell");
  if (is_root_) {
    EXPECT_EQ(variable(text, "USER"), "nobody");
    EXPECT_EQ(variable(text, "LOGNAME"), "nobody");
  }
}

TEST_F(UserTest, IsWhomExecProbesRunAs) {
  const std::string expected = id(nobody_.pw_uid, ::getuid());
  const fs::path spec = write_spec(R"("services": {"one": {"user": "nobody",
    "command": ["test_service", "waits"],
    "ready": [{"exec": ["sh", "-c", "test $(id -u) = )" +
                                   expected + R"( && touch $TMPDIR/probed"]}]}})");
  EXPECT_THAT(up(spec), ExitedWith(0));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(UserTest, MayNotifyAndReopenItsOutput) {
  const fs::path spec = write_spec(R"("services": {"one": {"user": "nobody",
    "command": ["sh", "-c", "echo opened > /dev/stdout && exec test_service notifies READY=1 then waits"],
    "ready": [{"notify": true}, {"log": "^opened$"}]}})");
  EXPECT_THAT(up(spec), ExitedWith(0));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(UserTest, ReachesNothingOfRootAndNothingOfTheKeeper) {
  if (!is_root_) return;  // there is one user only
  write_file("secret", "root's");
  fs::permissions(dir() / "secret", fs::perms(0600));
  const fs::path spec = write_spec(R"("services": {"one": {"user": "nobody",
    "command": ["test_service", "attempts", "read", ")" +
                                   (dir() / "secret").string() +
                                   R"(", "then", "attempts", "setuid", "0",
                "then", "attempts", "list", ")" +
                                   runtime_dir().string() +
                                   R"(", "then", "writes", "all tried\n", "then", "waits"],
    "ready": [{"log": "^all tried$"}]}})");
  EXPECT_THAT(up(spec), ExitedWith(0));
  const std::string log = read_file(artefact_dir() / "latest" / "one.log");
  EXPECT_THAT(log, HasSubstr("secret: EACCES"));
  EXPECT_THAT(log, HasSubstr("setuid 0: EPERM"));
  EXPECT_THAT(log, HasSubstr("/r: EACCES"));
  EXPECT_THAT(down(spec), ExitedWith(0));
  const Outcome control = outside({"attempts", "read", (dir() / "secret").string()});
  EXPECT_THAT(control.out, HasSubstr("secret: ok"));
}

TEST_F(UserTest, MustBeAnAccount) {
  const fs::path spec = write_spec(R"("services": {"one": {"user": "nobody-of-that-name",
    "command": ["test_service", "waits"]}})");
  const Outcome outcome = up(spec);
  if (is_root_) {
    EXPECT_THAT(outcome, ExitedWith(1));
    EXPECT_THAT(outcome.err, HasSubstr("there is no account 'nobody-of-that-name' to run it as"));
  } else {
    EXPECT_THAT(outcome, ExitedWith(0));
    EXPECT_THAT(down(spec), ExitedWith(0));
  }
}

TEST_F(UserTest, IsToldWhenItsFolderIsClosedToIt) {
  if (!is_root_) return;
  fs::create_directory(dir() / "closed");
  fs::permissions(dir() / "closed", fs::perms(0700));
  const fs::path spec = write_spec(R"("services": {"one": {"user": "nobody",
    "working_directory": "closed", "command": ["test_service", "waits"]}})");
  const Outcome outcome = up(spec);
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("cannot change to the working directory"));
  EXPECT_THAT(outcome.err, HasSubstr("EACCES"));
  EXPECT_THAT(outcome.err, HasSubstr("as the account 'nobody'"));
}

}  // namespace
}  // namespace isoenv::test
