#include "source/enter.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "isoenv/error.h"
#include "source/descriptor.h"

namespace isoenv::inline client {
namespace {

constexpr int kNamespaces = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;

[[noreturn]] void fail(const std::string& step) {
  throw EnvironmentError("cannot " + step + ": " + std::strerror(errno),
                         "start the program with 'isoenv exec'");
}

std::size_t count_threads() {
  std::size_t threads = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc/self/task", error), end;
       !error && entry != end; entry.increment(error)) {
    ++threads;
  }
  return threads;
}

/// As root the instance has the caller's own user namespace, which cannot be joined once more
/// (EINVAL, user_namespaces(7)).
void join_namespaces(int keeper) {
  if (::setns(keeper, CLONE_NEWUSER | kNamespaces) == 0) return;
  const int refusal = errno;
  if (refusal == EINVAL && ::setns(keeper, kNamespaces) == 0) return;
  errno = refusal;
  fail("enter the instance's namespaces");
}

void set_variables(const Instance& instance) {
  for (const auto& [name, value] : instance.variables) ::setenv(name.c_str(), value.c_str(), 1);
  if (!instance.has_namespaces()) return;
  const std::filesystem::path temporary =
      instance.temporary_directory / ("command-" + std::to_string(::getpid()));
  std::error_code error;
  std::filesystem::create_directories(temporary, error);
  if (!error) ::setenv("TMPDIR", temporary.c_str(), 1);
}

}  // namespace

void enter(const Instance& instance) {
  if (is_inside(instance)) return set_variables(instance);
  const std::size_t threads = count_threads();
  if (threads > 1) {
    throw EnvironmentError(
        "cannot enter the instance: this process has " + std::to_string(threads) + " threads",
        "enter it before anything starts one, as the first thing in main(), or start the program "
        "with 'isoenv exec'");
  }
  std::error_code error;
  const std::filesystem::path directory = std::filesystem::current_path(error);
  const Descriptor keeper(
      static_cast<int>(::syscall(SYS_pidfd_open, instance.connection.keeper_pid(), 0)));
  if (!keeper) fail("find the keeper of the instance");
  join_namespaces(*keeper);
  // setns(2) has moved the process to the root of the instance's mounts.
  if (!error && ::chdir(directory.c_str()) != 0) fail("go back to '" + directory.string() + "'");
  set_variables(instance);
}

}  // namespace isoenv::inline client
