#include "process/launcher.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <sstream>

#include "base/exit_status.h"
#include "base/syscall.h"
#include "support/temp_dir.h"

namespace isoenv {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class ProgramTest : public ::testing::Test {
 protected:
  /// A file of that mode, in the test's own directory.
  std::string file(const std::string& name, const std::string& text, mode_t mode) const {
    const fs::path path = temp_.path() / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path.string();
  }
  const fs::path& directory() const { return temp_.path(); }

  static Program program(std::vector<std::string> argv) {
    Program program;
    program.executable = argv.front();
    program.argv = std::move(argv);
    return program;
  }

  static ExitStatus wait_for(pid_t pid) {
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    return ExitStatus::from_wait(status);
  }

 private:
  test::TempDir temp_;
};

using HeldProgramTest = ProgramTest;

/// Whatever starts a program does the same: launch(), and with the parameter launch_bare().
class LauncherTest : public ProgramTest, public ::testing::WithParamInterface<bool> {
 protected:
  static std::variant<pid_t, LaunchFailure> start(const Program& program) {
    return GetParam() ? launch_bare(program) : launch(program);
  }

  /// What the program writes to its standard output; it must end well.
  static std::string output_of(Program program) {
    Pipe output = make_pipe();
    program.stdio[1] = *output.write;
    const auto launched = start(program);
    output.write.reset();
    EXPECT_TRUE(std::holds_alternative<pid_t>(launched)) << describe(step_of(launched));
    if (!std::holds_alternative<pid_t>(launched)) return "";
    std::string text;
    char chunk[4096];
    ssize_t length = 0;
    while ((length = ::read(*output.read, chunk, sizeof chunk)) > 0) {
      text.append(chunk, static_cast<std::size_t>(length));
    }
    EXPECT_EQ(wait_for(std::get<pid_t>(launched)), ExitStatus{});
    return text;
  }

  static Step step_of(const std::variant<pid_t, LaunchFailure>& launched) {
    const auto* failure = std::get_if<LaunchFailure>(&launched);
    return failure == nullptr ? Step::kNone : failure->step;
  }

  /// The launch fails at that step, and leaves neither child nor descriptor.
  static void expect_failure(const Program& program, Step step, int error_number) {
    const std::size_t descriptors = count_descriptors();
    const auto launched = start(program);
    const auto* failure = std::get_if<LaunchFailure>(&launched);
    ASSERT_NE(failure, nullptr);
    EXPECT_STREQ(describe(failure->step), describe(step));
    EXPECT_EQ(failure->error_number, error_number);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child was left";
    EXPECT_EQ(errno, ECHILD);
    EXPECT_EQ(count_descriptors(), descriptors);
  }

  static std::size_t count_descriptors() {
    const fs::directory_iterator descriptors("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(descriptors), end(descriptors)));
  }

  /// The value of a line of proc_pid_status(5), as the program has it.
  static std::string status_field(const Program& cat, const std::string& name) {
    std::istringstream lines(output_of(cat));
    for (std::string line; std::getline(lines, line);) {
      if (line.rfind(name + ":\t", 0) == 0) return line.substr(name.size() + 2);
    }
    return "no " + name;
  }

  static inline const std::vector<std::string> kCatStatus{"/bin/cat", "/proc/self/status"};
};

INSTANTIATE_TEST_SUITE_P(Every, LauncherTest, ::testing::Bool(),
                         [](const auto& bare) { return bare.param ? "Bare" : "Boost"; });

TEST_P(LauncherTest, PassesArgumentsAsTheyAre) {
  Program cat = program({"/bin/cat"});
  cat.argv = {"any name", "/proc/self/cmdline", "--", "/dev/null"};
  EXPECT_EQ(output_of(cat), "any name\0/proc/self/cmdline\0--\0/dev/null\0"s);
}

TEST_P(LauncherTest, PassesTheGivenEnvironmentAndNoOther) {
  Program cat = program({"/bin/cat", "/proc/self/environ"});
  EXPECT_EQ(output_of(cat), "");
  cat.env = {"B=1", "A=x=y z", "E="};
  EXPECT_EQ(output_of(cat), "B=1\0A=x=y z\0E=\0"s);
}

TEST_P(LauncherTest, LeavesOpenTheStandardStreamsAlone) {
  const UniqueFd low(::fcntl(1, F_DUPFD, 3));
  const UniqueFd high(::fcntl(1, F_DUPFD, 700));
  ASSERT_TRUE(low && high);
  // ls(1) has one more open itself, to read the directory.
  EXPECT_EQ(output_of(program({"/bin/ls", "/proc/self/fd"})), "0\n1\n2\n3\n");
}

TEST_P(LauncherTest, ConnectsTheStandardStreams) {
  const std::string in = file("in", "what was said\n", 0600);
  const UniqueFd input = open_or_throw(in, O_RDONLY);
  const UniqueFd errors = open_or_throw((directory() / "err").string(), O_WRONLY | O_CREAT);
  Program cat = program({"/bin/cat", "-", "/no/such/file"});
  Pipe output = make_pipe();
  cat.stdio = {*input, *output.write, *errors};
  const auto launched = start(cat);
  ASSERT_TRUE(std::holds_alternative<pid_t>(launched));
  EXPECT_EQ(wait_for(std::get<pid_t>(launched)).code, 1);
  char text[64] = "";
  ASSERT_EQ(::read(*output.read, text, sizeof text), 14);
  EXPECT_STREQ(text, "what was said\n");
  std::ifstream error_file(directory() / "err");
  std::string line;
  std::getline(error_file, line);
  EXPECT_THAT(line, HasSubstr("/no/such/file"));
}

TEST_P(LauncherTest, StartsInTheWorkingDirectory) {
  Program readlink = program({"/bin/readlink", "/proc/self/cwd"});
  EXPECT_EQ(output_of(readlink), fs::current_path().string() + "\n");
  readlink.working_directory = fs::canonical(directory()).string();
  EXPECT_EQ(output_of(readlink), readlink.working_directory + "\n");
}

TEST_P(LauncherTest, StartsWithNoSignalBlockedAndADeadPipeThatKills) {
  sigset_t blocked;
  sigset_t before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  ::sigaddset(&blocked, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &blocked, &before);
  const auto pipe_before = ::signal(SIGPIPE, SIG_IGN);
  const std::string mask = status_field(program(kCatStatus), "SigBlk");
  const std::string ignored = status_field(program(kCatStatus), "SigIgn");
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  ::signal(SIGPIPE, pipe_before);
  EXPECT_EQ(mask, "0000000000000000");
  EXPECT_EQ(std::stoull(ignored, nullptr, 16) & (1ULL << (SIGPIPE - 1)), 0U);
}

TEST_P(LauncherTest, TakesAwayThePowerToGainPrivileges) {
  EXPECT_EQ(status_field(program(kCatStatus), "NoNewPrivs"), "1");
}

TEST_P(LauncherTest, GivesUpTheCapabilitiesThatReachBeyondASandbox) {
  const auto number = [](const std::string& text) { return std::stoull(text, nullptr, 16); };
  const auto bit = [](unsigned capability) { return 1ULL << capability; };
  Program cat = program(kCatStatus);
  const unsigned long long before = number(status_field(cat, "CapBnd"));
  const unsigned long long own = number(status_field(cat, "CapEff"));
  cat.bound_capabilities = true;
  if ((own & bit(CAP_SETPCAP)) == 0 && ::geteuid() == 0) {
    expect_failure(cat, Step::kPrivileges, EPERM);
    return;
  }
  if (own == 0) {  // an ordinary user has none to lose
    EXPECT_EQ(number(status_field(cat, "CapPrm")), 0U);
    return;
  }
  const unsigned long long after = number(status_field(cat, "CapBnd"));
  for (const unsigned lost : {CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_SYS_MODULE, CAP_NET_ADMIN,
                              CAP_SETPCAP, CAP_CHECKPOINT_RESTORE}) {
    EXPECT_EQ(after & bit(lost), 0U) << lost;
  }
  for (const unsigned kept : {CAP_CHOWN, CAP_SETUID, CAP_NET_BIND_SERVICE, CAP_KILL}) {
    EXPECT_EQ(after & bit(kept), before & bit(kept)) << kept;
  }
}

TEST_P(LauncherTest, StartsASessionWhenAsked) {
  Program cat = program({"/bin/cat", "/proc/self/stat"});
  const auto session = [&] {  // pid (comm) state ppid pgrp session
    std::istringstream fields(output_of(cat));
    std::vector<std::string> words(6);
    for (std::string& word : words) fields >> word;
    return std::pair(words[0], words[5]);
  };
  EXPECT_EQ(session().second, std::to_string(::getsid(0)));
  cat.new_session = true;
  const auto [pid, leader] = session();
  EXPECT_EQ(leader, pid);
}

TEST_P(LauncherTest, SetsTheSoftLimitOfOpenFiles) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  Program cat = program({"/bin/cat", "/proc/self/limits"});
  cat.open_files = 123;
  std::istringstream lines(output_of(cat));
  std::string line;
  while (std::getline(lines, line) && line.rfind("Max open files", 0) != 0) continue;
  std::istringstream words(line.substr(14));
  std::string soft;
  std::string hard;
  words >> soft >> hard;
  EXPECT_EQ(soft, "123");
  EXPECT_EQ(hard, std::to_string(limit.rlim_max));
}

TEST_P(LauncherTest, TellsTheStepThatFailed) {
  const fs::path trace = directory() / "trace";
  const Program good = program({"/usr/bin/touch", trace.string()});
  Program bad = good;
  bad.working_directory = (directory() / "missing").string();
  expect_failure(bad, Step::kWorkingDirectory, ENOENT);
  bad = good;
  bad.stdio[0] = 900;
  expect_failure(bad, Step::kStandardStreams, EBADF);
  bad = good;
  bad.open_files = ~0UL;
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_max != RLIM_INFINITY) expect_failure(bad, Step::kOpenFiles, EINVAL);
  EXPECT_FALSE(fs::exists(trace)) << "it was started all the same";
}

TEST_P(LauncherTest, TellsWhyAProgramCannotBeExecuted) {
  expect_failure(program({file("orphan", "#!/no/such/interpreter\n", 0755)}), Step::kExec, ENOENT);
  expect_failure(program({file("text", "not a program", 0644)}), Step::kExec, EACCES);
  expect_failure(program({file("garbage", "\x7f\x01\x02garbage", 0755)}), Step::kExec, ENOEXEC);
  expect_failure(program({directory().string()}), Step::kExec, EACCES);
  expect_failure(program({(directory() / "missing").string()}), Step::kExec, ENOENT);
}

TEST_P(LauncherTest, LeavesTheProgramToItsCaller) {
  const std::size_t descriptors = count_descriptors();
  const auto launched = start(program({"/bin/sleep", "1000"}));
  ASSERT_TRUE(std::holds_alternative<pid_t>(launched));
  const pid_t pid = std::get<pid_t>(launched);
  EXPECT_EQ(count_descriptors(), descriptors);
  EXPECT_EQ(::waitpid(pid, nullptr, WNOHANG), 0) << "it has ended";
  ASSERT_EQ(::kill(pid, SIGTERM), 0);
  EXPECT_EQ(wait_for(pid).signal, SIGTERM);
}

class FindProgramTest : public LauncherTest {
 protected:
  /// The path found, or why there is none.
  std::string find(const std::string& name, const std::string& path = "") const {
    const auto found = find_program(name, path, directory());
    if (const auto* missing = std::get_if<ProgramNotFound>(&found)) return missing->reason;
    return std::get<std::string>(found);
  }
};

TEST_F(FindProgramTest, TakesTheFirstInThePath) {
  const std::string first = file("a/tool", "", 0755);
  const std::string second = file("b/tool", "", 0755);
  const std::string a = (directory() / "a").string();
  const std::string b = (directory() / "b").string();
  EXPECT_EQ(find("tool", a + ":" + b), first);
  EXPECT_EQ(find("tool", b + ":" + a), second);
  EXPECT_EQ(find("tool", "/no/such:" + b), second);
}

TEST_F(FindProgramTest, PassesByWhatCannotBeExecuted) {
  file("a/tool", "", 0644);
  fs::create_directories(directory() / "b/tool");
  const std::string third = file("c/tool", "", 0755);
  EXPECT_EQ(find("tool", "a:b:c"), third);
}

TEST_F(FindProgramTest, TakesRelativeAndEmptyEntriesFromTheWorkingDirectory) {
  const std::string here = file("tool", "", 0755);
  const std::string below = file("bin/other", "", 0755);
  EXPECT_EQ(find("other", "bin"), below);
  for (const char* path : {"", ":", "/no/such:", ":/no/such", "/no/such::/nor/this"}) {
    EXPECT_EQ(find("tool", path), here) << "PATH=" << path;
  }
}

TEST_F(FindProgramTest, TakesANameWithASlashFromTheWorkingDirectory) {
  const std::string tool = file("bin/tool", "", 0755);
  EXPECT_EQ(find("bin/tool", "/bin"), tool);
  EXPECT_EQ(find("./bin/tool"), tool);
  EXPECT_EQ(find("bin/../bin/tool"), tool);
  EXPECT_EQ(find(tool), tool);
  EXPECT_EQ(find("/bin/true"), "/bin/true");
}

TEST_F(FindProgramTest, SaysWhyANamedFileIsNoProgram) {
  file("text", "", 0644);
  const std::string here = directory().string() + "/";
  EXPECT_EQ(find("./text"), "'" + here + "text' is not executable");
  fs::create_directories(directory() / "folder");
  EXPECT_EQ(find("./folder"), "'" + here + "folder' is a directory");
  EXPECT_EQ(find("./missing"), "'" + here + "missing': ENOENT (No such file or directory)");
  EXPECT_EQ(find("text/tool"), "'" + here + "text/tool': ENOTDIR (Not a directory)");
}

TEST_F(FindProgramTest, SaysWhyThePathHasNoSuchProgram) {
  EXPECT_EQ(find("ndoe", "/no/such:/nor/this"), "no program 'ndoe' in PATH=/no/such:/nor/this");
  const std::string text = file("bin/tool", "", 0644);
  file("bin2/tool", "", 0644);
  EXPECT_EQ(find("tool", "bin:bin2"), "'" + text + "' is not executable");
  fs::create_directories(directory() / "bin/folder");
  EXPECT_EQ(find("folder", "bin"), "no program 'folder' in PATH=bin");
  EXPECT_EQ(find("", "bin"), "no program '' in PATH=bin");
}

TEST_F(FindProgramTest, PassesByFoldersThatTheUserMayNotEnter) {
  file("closed/tool", "", 0755);
  const std::string closed = (directory() / "closed").string();
  fs::permissions(closed, fs::perms::none);
  const pid_t pid = ::fork();
  if (pid == 0) {
    constexpr uid_t kNobody = 65534;
    if (::geteuid() == 0 && ::setresuid(kNobody, kNobody, kNobody) != 0) ::_exit(2);
    ::_exit(find("tool", closed) == "no program 'tool' in PATH=" + closed ? 0 : 1);
  }
  EXPECT_EQ(wait_for(pid), ExitStatus{});
  fs::permissions(closed, fs::perms::owner_all);
}

TEST(StepTest, IsDescribedAsWhatWasBeingDone) {
  EXPECT_STREQ(describe(Step::kSettle), "settle in namespaces of its own");
  EXPECT_STREQ(describe(Step::kHostname), "set the host name");
  EXPECT_STREQ(describe(Step::kMountProc), "mount /proc");
  EXPECT_STREQ(describe(Step::kLowPorts), "allow ports below 1024");
  EXPECT_STREQ(describe(Step::kSession), "start a session");
  EXPECT_STREQ(describe(Step::kStandardStreams), "set up the standard streams");
  EXPECT_STREQ(describe(Step::kWorkingDirectory), "change to the working directory");
  EXPECT_STREQ(describe(Step::kPrivileges), "give up privileges");
  EXPECT_STREQ(describe(Step::kOpenFiles), "set the limit of open files");
  EXPECT_STREQ(describe(Step::kExec), "execute");
}

TEST_P(LauncherTest, EndsTheProgramWithItsParentWhenAsked) {
  Pipe held = make_pipe();
  const pid_t parent = ::fork();
  if (parent == 0) {
    Program waiting = program({"/bin/sleep", "1000"});
    waiting.stdio[1] = *held.write;
    waiting.dies_with_parent = true;
    (void)start(waiting);
    ::_exit(0);
  }
  held.write.reset();
  EXPECT_EQ(wait_for(parent), ExitStatus{});
  char byte;
  EXPECT_EQ(::read(*held.read, &byte, 1), 0);  // returns when nobody holds the other end
}

TEST_F(HeldProgramTest, HoldsAProgramUntilItIsToldToGoOn) {
  Pipe output = make_pipe();
  Program held = program({"/bin/echo", "ran"});
  held.stdio[1] = *output.write;
  UniqueFd outcome;
  const pid_t pid = std::get<pid_t>(launch_held(held, outcome));
  output.write.reset();
  // It has stopped: what lets it go on is never lost.
  ASSERT_EQ(::kill(pid, SIGCONT), 0);
  EXPECT_EQ(read_to_end(*outcome), "");
  EXPECT_EQ(read_to_end(*output.read), "ran\n");
  EXPECT_EQ(wait_for(pid), ExitStatus{});
}

TEST_F(HeldProgramTest, TellsAtOnceWhyAProgramThatIsToBeHeldCannotComeSoFar) {
  Program held = program({"/bin/echo"});
  held.working_directory = "/no/such/directory";
  UniqueFd outcome;
  const auto failure = std::get<LaunchFailure>(launch_held(held, outcome));
  EXPECT_EQ(failure.step, Step::kWorkingDirectory);
  EXPECT_EQ(failure.error_number, ENOENT);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
}

TEST_F(HeldProgramTest, TellsWhyAProgramThatWasHeldCannotBeExecuted) {
  Program held = program({"/bin/echo"});
  held.executable = "/no/such/program";
  UniqueFd outcome;
  const pid_t pid = std::get<pid_t>(launch_held(held, outcome));
  ASSERT_EQ(::kill(pid, SIGCONT), 0);
  LaunchFailure failure;
  ASSERT_EQ(::read(*outcome, &failure, sizeof failure), static_cast<ssize_t>(sizeof failure));
  EXPECT_EQ(failure.step, Step::kExec);
  EXPECT_EQ(failure.error_number, ENOENT);
  wait_for(pid);
}

}  // namespace
}  // namespace isoenv
