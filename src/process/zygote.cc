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

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U  // Linux 6.3
#endif

namespace isoenv {
namespace {

/// A zygote that takes no request for so long stands still, stopped by a signal.
constexpr timeval kPatience{.tv_sec = 1, .tv_usec = 0};

UniqueFd executable_memory(const char* name) {
  UniqueFd file(::memfd_create(name, MFD_CLOEXEC | MFD_EXEC));
  if (!file && errno == EINVAL) file.reset(::memfd_create(name, MFD_CLOEXEC));  // before Linux 6.3
  return file;
}

/// Replaces the process by the program in `image`; returns where the machine refuses that
/// (vm.memfd_noexec, a security module), and when there is none.
void execute(std::string_view image, const UniqueFd& requests) {
  if (image.empty()) return;
  UniqueFd file = executable_memory("isoenv-zygote");
  for (std::string_view rest = image; !rest.empty();) {
    const ssize_t written = ::write(*file, rest.data(), rest.size());
    if (written <= 0) return;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  // A file that somebody has open to write is not executed (ETXTBSY, execve(2)).
  const std::string path = "/proc/self/fd/" + std::to_string(*file);
  file = UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  file = UniqueFd(::fcntl(*file, F_DUPFD_CLOEXEC, kZygoteSocket + 1));
  // dup2(2) onto itself would leave it to be closed.
  if (*requests == kZygoteSocket ? ::fcntl(*requests, F_SETFD, 0) != 0
                                 : ::dup2(*requests, kZygoteSocket) < 0) {
    return;
  }
  if (!keep_all_capabilities()) return;
  char name[] = "isoenv-zygote";
  char* const arguments[] = {name, nullptr};
  ::syscall(SYS_execveat, *file, "", arguments, environ, AT_EMPTY_PATH);
}

}  // namespace

Zygote::Zygote(std::string_view image) {
  SocketPair pair = make_seqpacket_pair();
  // Requests wait in the socket, some hundred of them; beyond that the keeper waits.
  if (::setsockopt(*pair.first, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience) != 0) {
    throw_errno("limit the time to send to the zygote");
  }
  pid_ = ::fork();
  if (pid_ < 0) throw_errno("fork the zygote");
  if (pid_ == 0) {
    pair.first.reset();
    execute(image, pair.second);
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
  const ZygoteRequest request{flags};
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
