// What a round starts: ctest runs, instances with and without namespaces, terminals, poor machines.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "base/fault_injection.h"
#include "chaos_test.h"
#include "zoo.h"

namespace isoenv::test {

namespace fs = std::filesystem;

Words ChaosTest::some_services() {
  Words names;
  for (const std::string& name : zoo_services()) {
    if (one_in(3)) names.push_back(name);
  }
  return names.empty() ? Words{"deaf"} : names;
}

Words ChaosTest::hardship() {
  switch (below(8)) {
    case 0:
      return {"prlimit", "--nofile=" + std::to_string(4 + below(60))};
    case 1:
      return {"prlimit", "--nproc=" + std::to_string(1 + below(40))};
    default:
      return {};
  }
}

Words ChaosTest::isoenv_words(const Words& words) {
  Words all = hardship();
  all.insert(all.end(), {ISOENV_EXECUTABLE});
  all.insert(all.end(), words.begin(), words.end());
  std::string text;
  for (const std::string& word : all) text += " " + word;
  say("start" + text);
  return all;
}

Words ChaosTest::up_of_some(const std::string& owner) {
  Words words{"up", "-f", spec_, "--artefacts", artefact_dir(), "--owner", owner};
  for (const std::string& name : some_services()) words.push_back(name);
  return words;
}

Words ChaosTest::run_of_some() {
  Words words{"run", "-f", spec_, "--artefacts", artefact_dir()};
  for (const std::string& name : some_services()) words.insert(words.end(), {"--service", name});
  words.insert(words.end(), {"--", "test_service"});
  if (one_in(2)) words.insert(words.end(), {"leaves_daemon", dir() / "d", "then"});
  words.insert(words.end(), {one_in(3) ? "forks" : "waits", "3"});
  return words;
}

void ChaosTest::expect_end(Process& process) {
  const Outcome outcome = process.wait();
  EXPECT_FALSE(outcome.timed_out || outcome.output_left_open) << outcome;
  EXPECT_NE(outcome.signal, SIGSEGV) << outcome;
  EXPECT_NE(outcome.signal, SIGABRT) << outcome;
  EXPECT_EQ(outcome.err.find("terminate called"), std::string::npos) << outcome;
}

void ChaosTest::up_exec_down() {
  Process owner({"test_service", "waits"}, options());
  Process start(isoenv_words(up_of_some(std::to_string(owner.pid()))), options());
  if (one_in(2)) do_something_bad();
  expect_end(start);
  Words inside_words{"exec", "-f", spec_};
  if (one_in(3)) inside_words.insert(inside_words.end(), {"--in", some_services().front()});
  inside_words.insert(inside_words.end(),
                      {"--", "test_service", "leaves_daemon", dir() / "e", "then", "waits"});
  Process inside(isoenv_words(inside_words), options());
  if (!on_host_ && one_in(2)) do_something_bad();
  // What a test does to services, and nobody undoes.
  static const std::array<const char*, 5> kVerbs{"pause", "kill", "stop", "restart", "start"};
  Process fault(isoenv_words({one_of(kVerbs), "-f", spec_, some_services().front()}), options());
  if (one_in(2)) let_some_time_pass();
  Process stop(isoenv_words({"down", "-f", spec_}), options());
  if (!on_host_) do_something_bad();
  if (one_in(2)) owner.send_signal(SIGKILL);
  expect_end(stop);
  expect_end(fault);
  owner.send_signal(SIGKILL);
  expect_end(owner);
  expect_end(inside);
}

void ChaosTest::ups_at_once() {
  Process owner({"test_service", "waits"}, options());
  std::vector<Process> starts;
  for (unsigned count = 1 + below(3); count > 0; --count) {
    starts.emplace_back(isoenv_words(up_of_some(std::to_string(owner.pid()))), options());
  }
  do_something_bad();
  if (!on_host_) do_something_bad();
  owner.send_signal(SIGKILL);
  expect_end(owner);
  for (Process& start : starts) expect_end(start);
}

void ChaosTest::run_for_a_while() {
  Process running(isoenv_words(run_of_some()), options());
  do_something_bad();
  running.send_signal(on_host_ ? SIGTERM : one_of(std::array{SIGKILL, SIGTERM, SIGINT}));
  expect_end(running);
}

void ChaosTest::ctest() {
  if (!fs::exists(dir() / "build")) configure_ctest();
  for (const char* held : {"hold", "hold.own", "hold.alone"}) fs::remove(dir() / held);
  const std::string jobs = std::to_string(1 + below(8));
  say("start ctest -j " + jobs);
  ProcessOptions in_build = options();
  in_build.directory = dir() / "build";
  Process tests({ISOENV_CTEST, "-j", jobs, "--timeout", "60"}, in_build);
  do_something_bad();
  if (one_in(2)) do_something_bad();
  const int signal = one_of(std::array{SIGKILL, SIGTERM, SIGINT, SIGHUP});
  say("signal " + std::to_string(signal) + " to ctest");
  tests.send_signal(signal);
  expect_end(tests);
  let_go_of_what_another_ctest_got("ctest");
}

/// Where ctest runs this very test, what had not yet looked for its own ctest, or for the leader of
/// its terminal's session, finds that one, and would live as long. It may be a fork of the
/// `starter` still: of 600 that were killed, every seventh left such a one.
void ChaosTest::let_go_of_what_another_ctest_got(const std::string& starter) {
  if (std::getenv("CTEST_INTERACTIVE_DEBUG_MODE") == nullptr) return;
  EXPECT_TRUE(eventually([&] {
    const std::vector<LivingProcess> all = victims();
    return std::none_of(all.begin(), all.end(), [&](const LivingProcess& process) {
      return process.name == starter && process.parent == ::getpid();
    });
  })) << "a fork of "
      << starter << " stands still";
  for (const LivingProcess& process : victims()) {
    if (process.name.starts_with("isoenv")) ::kill(process.pid, SIGTERM);
  }
}

void ChaosTest::configure_ctest() {
  const std::string hold = dir() / "hold";
  ASSERT_THAT(
      run({ISOENV_CMAKE, "-S", ISOENV_SOURCE_DIR "/tests/cmake/stack", "-B", dir() / "build", "-G",
           ISOENV_GENERATOR, "-DCMAKE_MAKE_PROGRAM=" ISOENV_MAKE_PROGRAM,
           "-DMODULE=" ISOENV_SOURCE_DIR "/cmake/IsoEnv.cmake",
           "-DISOENV_EXECUTABLE=" ISOENV_EXECUTABLE,
           "-DTEST_SERVICE=" ISOENV_TEST_SERVICE_DIR "/test_service", "-DOWN=2", "-DDOWN=1",
           "-DHOLD=" + hold},
          options()),
      ExitedWith(0));
}

/// An instance of a terminal's session, whose window is closed.
void ChaosTest::terminal() {
  UniqueFd window(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_EQ(::grantpt(*window), 0);
  ASSERT_EQ(::unlockpt(*window), 0);
  const std::string name = ::ptsname(*window);
  std::string up_words;
  for (const std::string& word : isoenv_words(up_of_some("auto"))) up_words += " '" + word + "'";
  const std::string last = one_in(2) ? "exec -f '" + spec_.string() + "' --" : "run --";
  ProcessOptions leader = options();
  leader.new_session = true;
  Process shell({"sh", "-c",
                 "exec <" + name + " >" + name + " 2>&1;" + up_words +
                     "; '" ISOENV_EXECUTABLE "' " + last + " test_service waits; wait"},
                leader);
  do_something_bad();
  say("close the terminal");
  window.reset();
  let_some_time_pass();
  shell.send_signal(SIGKILL);
  expect_end(shell);
  let_go_of_what_another_ctest_got("sh");
}

/// All that IsoEnv writes goes to a file system that is too small, or that is filled at some
/// moment.
void ChaosTest::full_disk() {
  const fs::path small = dir() / "small";
  fs::create_directories(small);
  const std::string size = std::to_string(4 * (1 + below(100))) + "k";
  ProcessOptions elsewhere = options();
  elsewhere.env["ISOENV_RUNTIME_DIR"] = small / "r";
  elsewhere.env["TMPDIR"] = small;
  Words words{"unshare", "--mount"};
  if (::geteuid() != 0) words = {"unshare", "--user", "--map-root-user", "--mount"};
  std::string run_words;
  for (std::string& word : run_of_some()) {
    run_words += " '" + (word == artefact_dir() ? (small / "a").string() : word) + "'";
  }
  words.insert(words.end(), {"sh", "-c",
                             "mount -t tmpfs -o mode=700,size=" + size + " small '" +
                                 small.string() + "' && exec '" ISOENV_EXECUTABLE "'" + run_words});
  say("on a file system of " + size + ":" + run_words);
  Process running(words, elsewhere);
  if (one_in(2)) {
    let_some_time_pass();
    // Through the mount namespace of the one that has it, proc(5).
    const fs::path filler =
        "/proc/" + std::to_string(running.pid()) + "/root" + small.string() + "/filler";
    say("fill " + filler.string());
    std::ofstream(filler) << std::string(512 * 1024, 'f');
  }
  do_something_bad();
  running.send_signal(SIGTERM);
  let_some_time_pass();
  running.send_signal(SIGKILL);
  expect_end(running);
}

/// A cgroup of the older kind, which is where the machine has mounted it.
void ChaosTest::few_processes() {
  const fs::path group = "/sys/fs/cgroup/pids/chaos-" + std::to_string(::getpid());
  std::error_code error;
  if (::geteuid() != 0 || !fs::create_directory(group, error) || error) return ups_at_once();
  const std::string most = std::to_string(2 + below(60));
  std::ofstream(group / "pids.max") << most << std::flush;
  Process owner({"test_service", "waits"}, options());
  Words words{"sh", "-c", "echo $$ > '" + (group / "cgroup.procs").string() + "' && exec \"$@\"",
              "sh"};
  for (const std::string& word : isoenv_words(up_of_some(std::to_string(owner.pid())))) {
    words.push_back(word);
  }
  say("with " + most + " processes");
  Process start(words, options());
  do_something_bad();
  if (one_in(2)) do_something_bad();
  owner.send_signal(SIGKILL);
  expect_end(owner);
  expect_end(start);
  // What the keeper leaves it to the kernel to end may take a moment.
  EXPECT_TRUE(eventually([&] { return fs::remove(group, error); })) << group << " is in use";
}

std::string ChaosTest::some_faults() {
  static const std::array<const char*, 10> kErrors{"EPERM",   "EAGAIN", "EMFILE", "ENOMEM",
                                                   "EIO",     "ENOSPC", "EBUSY",  "EACCES",
                                                   "ENOBUFS", "EINTR"};
  std::string faults;
  for (unsigned count = below(3) + 1; count > 0; --count) {
    faults += (faults.empty() ? "" : ",") + std::string(one_of(kRoleNames)) + "." +
              one_of(kCallNames) + ":" + std::to_string(1 + below(20)) + ":" + one_of(kErrors);
  }
  return faults;
}

void ChaosTest::live_in_namespaces() {
  switch (below(9)) {
    case 0:
    case 1:
      return ctest();
    case 2:
      return run_for_a_while();
    case 3:
      return ups_at_once();
    case 4:
      return terminal();
    case 5:
      return full_disk();
    case 6:
      return few_processes();
    default:
      return up_exec_down();
  }
}

/// One bad thing a round: see docs/design.md for what is not promised there.
void ChaosTest::live_on_the_host() {
  switch (below(3)) {
    case 0:
      return run_for_a_while();
    case 1:
      return ups_at_once();
    default:
      return up_exec_down();
  }
}

}  // namespace isoenv::test
