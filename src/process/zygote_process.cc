#include "process/zygote_process.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/fault_injection.h"
#include "base/syscall.h"
#include "process/init.h"
#include "process/privileges.h"

namespace isoenv {
namespace {

constexpr std::size_t kOwnDescriptors = ZygoteRequest::kOwnDescriptors;

std::string read_plan(int file) {
  struct stat status {};
  if (::fstat(file, &status) != 0) throw_errno("read an init's plan");
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  if (::pread(file, bytes.data(), bytes.size(), 0) != status.st_size) {
    throw_errno("read an init's plan");
  }
  return bytes;
}

/// The child of the zygote's clone, a child of the keeper.
[[noreturn]] void be_init(bool passes_sockets, UniqueFd* received, std::size_t count) {
  UniqueFd control = std::move(received[0]);
  try {
    report_born(passes_sockets, *control);
    std::vector<int> descriptors;
    for (std::size_t i = kOwnDescriptors; i < count; ++i) descriptors.push_back(*received[i]);
    InitPlan plan = decode_init_plan(read_plan(*received[1]), descriptors);
    // In a statement of its own, which never ends: the bytes of the plan are gone.
    run_init(std::move(plan), std::move(control));
  } catch (...) {
    ::_exit(1);  // the keeper sees the socket close
  }
}

}  // namespace

void serve_as_zygote(UniqueFd requests) {
  enter_role(Role::kZygote);
  ::prctl(PR_SET_NAME, "isoenv-zygote", 0, 0, 0);
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) ::_exit(1);
  (void)bound_capabilities();  // once for all; what fails here is tried again for each program
  const int kept = *requests;
  close_all_from(3, &kept, 1);
  for (;;) {
    ZygoteRequest request;
    UniqueFd received[kMostDescriptors];
    std::size_t count = 0;
    // 0 also when the keeper had ended before PDEATHSIG took effect.
    if (receive_message(*requests, &request, sizeof request, received, count) <= 0) ::_exit(0);
    if (count < kOwnDescriptors) continue;  // out of descriptors: the closed socket tells
    UniqueFd pidfd;
    const pid_t pid = try_clone(request.flags | CLONE_PARENT, pidfd);
    if (pid == 0) be_init(request.passes_sockets, received, count);
    if (pid > 0) continue;
    const InitReport unborn{InitReport::Kind::kUnborn, Step::kNone, errno};
    (void)!::send(*received[0], &unborn, sizeof unborn, MSG_NOSIGNAL);
  }
}

}  // namespace isoenv
