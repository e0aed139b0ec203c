#include "process/zygote.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/syscall.h"
#include "process/privileges.h"
#include "process/zygote_process.h"

namespace isoenv {
namespace {

/// A zygote that takes no request for so long stands still, stopped by a signal.
constexpr timeval kPatience{.tv_sec = 1, .tv_usec = 0};

/// Replaces the process by a fresh one of the same program, of the same version whatever has become
/// of its file; returns where that cannot be executed.
void execute_anew(const UniqueFd& requests) {
  const UniqueFd opened(::open("/proc/self/exe", O_PATH | O_CLOEXEC));
  const UniqueFd program(::fcntl(*opened, F_DUPFD_CLOEXEC, kZygoteSocket + 1));
  // dup2(2) onto itself would leave it to be closed.
  if (*requests == kZygoteSocket ? ::fcntl(*requests, F_SETFD, 0) != 0
                                 : ::dup2(*requests, kZygoteSocket) < 0) {
    return;
  }
  if (!keep_all_capabilities()) return;
  std::string name = kZygoteName;
  char* const arguments[] = {name.data(), nullptr};
  ::syscall(SYS_execveat, *program, "", arguments, environ, AT_EMPTY_PATH);
}

}  // namespace

Zygote::Zygote() {
  SocketPair pair = make_seqpacket_pair();
  // Requests wait in the socket, some hundred of them; beyond that the keeper waits.
  if (::setsockopt(*pair.first, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience) != 0) {
    throw_errno("limit the time to send to the zygote");
  }
  pid_ = ::fork();
  if (pid_ < 0) throw_errno("fork the zygote");
  if (pid_ == 0) {
    pair.first.reset();
    execute_anew(pair.second);
    serve_as_zygote(std::move(pair.second));
  }
  requests_ = std::move(pair.first);
}

Zygote::~Zygote() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool Zygote::clone_init(std::uint64_t flags, const InitPlan& plan, int control) noexcept try {
  if (!requests_) return false;
  const UniqueFd file(::memfd_create("init-plan", MFD_CLOEXEC));
  const std::string bytes = encode(plan);
  if (!file || ::write(*file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    return false;
  }
  std::vector<int> passed{control, *file};
  for (const int fd : descriptors(plan)) passed.push_back(fd);
  const ZygoteRequest request{flags, plan.passes_sockets};
  if (passed.size() <= kMostDescriptors &&
      send_message(*requests_, &request, sizeof request, passed.data(), passed.size())) {
    return true;
  }
  requests_.reset();
  return false;
} catch (const std::exception&) {
  return false;
}

}  // namespace isoenv
