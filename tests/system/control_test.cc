// Hostile clients of a living keeper's control socket.
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "support/system_test.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77  // asm-generic/socket.h
#endif

namespace isoenv::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class ControlTest : public SystemTest {
 protected:
  /// An instance with one service is up, with its run root in `root`.
  fs::path up_one(const std::string& file = "lab.json") {
    const fs::path spec =
        write_spec(R"("services": {"one": {"command": ["test_service", "waits"]}})", file);
    EXPECT_THAT(up(spec), ExitedWith(0));
    return spec;
  }
  static fs::path control_in(const fs::path& root) {
    for (const auto& entry : fs::directory_iterator(root)) return entry.path() / "control";
    ADD_FAILURE() << "no run directory in " << root;
    return {};
  }
  UniqueFd connect() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, control_in(runtime_dir()).c_str());
    UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(*client, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return client;
  }
  static void say(const UniqueFd& client, const std::string& text) {
    (void)!::send(*client, text.data(), text.size(), MSG_NOSIGNAL);
  }
};

TEST_F(ControlTest, AnswersWhileThousandsOfClientsSayNothingOrHalf) {
  const fs::path spec = up_one();
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  const std::size_t count = std::min<std::size_t>(3000, files.rlim_max - 100);
  std::vector<UniqueFd> flood;
  for (std::size_t i = 0; i < count; ++i) {
    flood.push_back(connect());
    if (i % 2 == 0) say(flood.back(), R"({"request": "ps", "serv)");
  }
  EXPECT_THAT(isoenv({"ps", "-f", spec}), ExitedWith(0));
  EXPECT_THAT(exec_in(spec, {"exits", "3"}), ExitedWith(3));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(ControlTest, SurvivesWhatIsNoRequest) {
  const fs::path spec = up_one();
  const pid_t before = keeper();
  const std::string brackets(4 << 20, '[');
  for (const std::string& text : {std::string("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                                  brackets, brackets + "\n", std::string(1 << 20, '\0') + "\n",
                                  std::string("{\"request\":\"up\",\"services\":[\"") +
                                      std::string(100'000, 'x') + "\"]}\n"}) {
    const UniqueFd client = connect();
    say(client, text);
  }
  EXPECT_THAT(isoenv({"ps", "-f", spec}), ExitedWith(0));
  EXPECT_EQ(keeper(), before);
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(ControlTest, CarriesAnUpOutWhoseClientWasKilled) {
  Gate gate = make_gate();
  const fs::path spec = write_spec(R"("services": {
    "slow": {"command": ["test_service", "waits_for", ")" +
                                   gate.text() +
                                   R"(", "then", "writes", "through\n", "then", "waits"],
             "ready": [{"log": "through"}]},
    "quick": {"command": ["test_service", "waits"]}})");
  ASSERT_THAT(up(spec, {"quick"}), ExitedWith(0));
  Process client = start_up(spec, {"slow"});
  ASSERT_TRUE(gate.wait_until_reached());
  client.send_signal(SIGKILL);
  (void)client.wait();
  ASSERT_TRUE(gate.open());
  EXPECT_TRUE(eventually([&] {
    return isoenv({"exec", "-f", spec, "--service", "slow", "--", "true"}).exited_with(0);
  }));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(ControlTest, AnswersNobodyFromAnInstanceOfAnotherRunRoot) {
  // Before Linux 6.5 the kernel does not name the process of a peer (SO_PEERPIDFD), and nothing is
  // promised (docs/security.md).
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  int none = -1;
  socklen_t size = sizeof none;
  const bool unnamed =
      ::getsockopt(*probe, SOL_SOCKET, SO_PEERPIDFD, &none, &size) != 0 && errno == ENOPROTOOPT;
  const fs::path second_root = dir() / "r2";
  fs::create_directory(second_root);
  fs::permissions(second_root, fs::perms::owner_all);
  const fs::path spec = up_one();
  const std::string control = control_in(runtime_dir());

  options().env["ISOENV_RUNTIME_DIR"] = second_root;
  const fs::path attacker = up_one("attacker.json");
  const Outcome inside = exec_in(attacker, {"attempts", "unix", control});
  EXPECT_THAT(inside.out, HasSubstr(unnamed ? "not a request" : "nobody in another instance"))
      << inside;
  const Outcome host = outside({"attempts", "unix", control});
  EXPECT_THAT(host.out, HasSubstr("not a request")) << host;
  EXPECT_THAT(down(attacker), ExitedWith(0));
  options().env["ISOENV_RUNTIME_DIR"] = runtime_dir();
  EXPECT_THAT(down(spec), ExitedWith(0));
}

}  // namespace
}  // namespace isoenv::test
