// main() of the system tests: as whom they run, whether they can, and who reaps what they lose.
//
//   system_test [GoogleTest's options] [--isolation=netns|ports] [--as-user=UID]
//
// Every isoenv of the tests gets that isolation, netns by default, and never falls to a lesser one.
//
// The tests run in a child of a child subreaper (prctl(2)): every process they start, however it
// daemonises, stays a descendant of this program, where expect_nothing_left() looks for it. What is
// still alive after the tests is killed here.
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <string>

#include "base/syscall.h"
#include "netns/network.h"
#include "support/leftovers.h"
#include "support/process.h"

namespace isoenv::test {
namespace {

constexpr int kSkipped = 77;

/// What keeps others from `file`: the first folder above it that they may not search.
std::string obstacle_on(const std::filesystem::path& file) {
  std::filesystem::path path;
  for (const auto& part : file) {
    path /= part;
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || ::access(path.c_str(), X_OK) != 0) return path;
  }
  return file;
}

/// Becomes the ordinary user `uid` for good and starts over, so that nothing of root remains.
[[noreturn]] void start_over_as(unsigned uid, char** argv) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  if (::setgroups(0, nullptr) != 0 || ::setresgid(uid, uid, uid) != 0 ||
      ::setresuid(uid, uid, uid) != 0) {
    std::cerr << "cannot become user " << uid << ": " << std::strerror(errno) << "\n";
    std::exit(EXIT_FAILURE);
  }
  ::umask(022);
  if (::access(ISOENV_EXECUTABLE, X_OK) == 0) ::execv(self.c_str(), argv);
  std::cerr << "user " << uid << " cannot run '" << ISOENV_EXECUTABLE << "': '"
            << obstacle_on(ISOENV_EXECUTABLE)
            << "' is closed to others; build in a folder that ordinary users can read\n";
  std::exit(EXIT_FAILURE);
}

bool must_not_skip() {
  const char* ci = std::getenv("CI");
  const char* require_all = std::getenv("ISOENV_TEST_REQUIRE_ALL");
  return (ci != nullptr && std::string(ci) == "true") ||
         (require_all != nullptr && std::string(require_all) == "1");
}

constexpr char kIsolation[] = "--isolation=";
constexpr char kPrivateNetwork[] = "ISOENV_TEST_PRIVATE_NETWORK";

bool wants_ports(int argc, char** argv) {
  return std::find(argv, argv + argc, std::string(kIsolation) + "ports") != argv + argc;
}

/// Takes the word off the command line's end.
void choose_isolation(int& argc, char** argv) {
  ::setenv("ISOENV_ISOLATION", "netns", 1);
  if (argc < 2 || !std::string(argv[argc - 1]).starts_with(kIsolation)) return;
  ::setenv("ISOENV_ISOLATION", argv[argc - 1] + sizeof kIsolation - 1, 1);
  argv[--argc] = nullptr;
}

/// Without namespaces instances share the loopback and its ports; here they share one that belongs
/// to this program, so that tests with fixed and low ports run side by side.
void enter_private_network() {
  if (std::getenv(kPrivateNetwork) != nullptr) return;
  ::setenv(kPrivateNetwork, "1", 1);
  const std::string uid = std::to_string(::geteuid());
  const std::string gid = std::to_string(::getegid());
  const bool entered =
      ::unshare(CLONE_NEWNET) == 0 ||
      (::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && write_file("/proc/self/setgroups", "deny") &&
       write_file("/proc/self/uid_map", (uid + " " + uid + " 1").c_str()) &&
       write_file("/proc/self/gid_map", (gid + " " + gid + " 1").c_str()));
  if (!entered || !write_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0")) {
    std::cerr << "cannot enter a network of the tests' own: " << std::strerror(errno) << "\n";
    std::exit(must_not_skip() ? EXIT_FAILURE : kSkipped);
  }
  raise_loopback();
}

/// Says what is missing.
bool machine_grants_isolation() {
  const Outcome trial = run({ISOENV_EXECUTABLE, "run", "--", "true"});
  if (!trial.exited_with(kSkipped)) return true;
  std::cerr << "this machine does not grant the isolation that the tests need:\n" << trial.err;
  return false;
}

/// Where no test may be skipped, one that passes needs no trial before it: under ctest that is a
/// trial for every single test.
int run_tests() {
  ::signal(SIGPIPE, SIG_IGN);
  if (!must_not_skip()) return machine_grants_isolation() ? RUN_ALL_TESTS() : kSkipped;
  const int result = RUN_ALL_TESTS();
  if (result != EXIT_SUCCESS && !machine_grants_isolation()) {
    std::cerr << "CI or ISOENV_TEST_REQUIRE_ALL is set: that is a failure\n";
  }
  return result;
}

/// Reaps whatever comes until `child` has ended, then ends what it left.
int supervise(pid_t child) {
  int result = EXIT_FAILURE;
  int status = 0;
  for (pid_t ended = 0; ended != child;) {
    ended = ::wait(&status);
    if (ended < 0 && errno != EINTR) return EXIT_FAILURE;
    if (ended == child && WIFEXITED(status)) result = WEXITSTATUS(status);
    if (ended == child && WIFSIGNALED(status)) {
      std::cerr << "the tests were killed by signal " << WTERMSIG(status) << "\n";
    }
  }
  do {
    for (const LivingProcess& process : descendants_of(::getpid())) ::kill(process.pid, SIGKILL);
  } while (::wait(nullptr) > 0);
  return result;
}

}  // namespace
}  // namespace isoenv::test

int main(int argc, char** argv) {
  using namespace isoenv::test;
  if (wants_ports(argc, argv)) enter_private_network();
  const std::string as_user = "--as-user=";
  if (argc > 1 && std::string(argv[argc - 1]).starts_with(as_user)) {
    const std::string uid = argv[argc - 1] + as_user.size();
    argv[--argc] = nullptr;
    if (::geteuid() == 0) start_over_as(static_cast<unsigned>(std::stoul(uid)), argv);
  }
  choose_isolation(argc, argv);
  ::testing::InitGoogleMock(&argc, argv);
  if (::testing::GTEST_FLAG(list_tests)) return RUN_ALL_TESTS();

  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    return run_tests();
  }
  return supervise(child);
}
