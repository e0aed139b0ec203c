// What no service should do, and some do. All of it is bounded: the machine must bear it.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>
#include <vector>

#include "behaviours.h"

namespace isoenv::test {
namespace {

void pause_for(std::chrono::milliseconds duration) { std::this_thread::sleep_for(duration); }

/// The file that `fills_disk` fills starts over at this size.
constexpr off_t kLargestFile = 1 << 20;

}  // namespace

void forks_without_end(const Arguments& arguments) {
  const int most = std::stoi(argument(arguments, 0));
  int living = 0;
  while (true) {
    while (living > 0 && ::waitpid(-1, nullptr, living < most ? WNOHANG : 0) > 0) --living;
    const pid_t child = ::fork();
    if (child == 0) {
      ::setsid();
      ::signal(SIGTERM, SIG_IGN);
      pause_for(std::chrono::milliseconds(30));
      ::_exit(0);
    }
    if (child > 0) ++living;
    pause_for(std::chrono::milliseconds(child > 0 ? 1 : 10));
  }
}

void fills_disk(const Arguments&) {
  const char* const folder = std::getenv("TMPDIR");
  const std::string path = std::string(folder == nullptr ? "/tmp" : folder) + "/endless";
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const std::string line = std::string(4095, 'w') + "\n";
  for (off_t size = 0;; size += static_cast<off_t>(line.size())) {
    if (size >= kLargestFile) size = ::ftruncate(file, 0) == 0 ? ::lseek(file, 0, SEEK_SET) : 0;
    // A full disk is no reason to stop.
    (void)!::write(file, line.data(), line.size());
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0 && errno == EPIPE) return;
    pause_for(std::chrono::milliseconds(1));
  }
}

void threads(const Arguments& arguments) {
  for (int count = std::stoi(argument(arguments, 0)); count > 0; --count) {
    std::thread([] {
      while (true) ::pause();
    }).detach();
  }
}

void executes(const Arguments& arguments) {
  std::vector<char*> words;
  for (const std::string& word : arguments) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execv(argument(arguments, 0).c_str(), words.data());
  fail("execute " + argument(arguments, 0));
}

void tcp_never_reads(const Arguments& arguments) {
  const int listener = bound_socket(argument(arguments, 0), argument(arguments, 1), SOCK_STREAM);
  while (::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC) >= 0) continue;
  fail("accept");
}

void tcp_stuffs(const Arguments& arguments) {
  const int fd = connected_socket(arguments, SOCK_STREAM);
  const std::string piece(65536, 's');
  while (::send(fd, piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) continue;
  while (true) ::pause();
}

}  // namespace isoenv::test
