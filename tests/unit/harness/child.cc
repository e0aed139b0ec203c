#include "child.h"

#include <fcntl.h>
#include <sys/wait.h>

#include <csignal>

#include "base/error.h"

namespace isoenv::test {

Event::Event() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw_errno("create a pipe");
  read_end_.reset(ends[0]);
  write_end_.reset(ends[1]);
}

void Event::raise() {
  if (::write(*write_end_, "x", 1) != 1) throw_errno("write to a pipe");
}

void Event::await() {
  write_end_.reset();  // when the other process dies, this end must not keep the pipe open
  char byte = 0;
  if (::read(*read_end_, &byte, 1) != 1) throw Error("the other process ended too early");
}

Child::Child(const std::function<int()>& body) : pid_(::fork()) {
  if (pid_ < 0) throw_errno("fork");
  if (pid_ != 0) return;
  try {
    ::_exit(body());
  } catch (...) {
    ::_exit(99);
  }
}

Child::~Child() {
  if (pid_ < 0) return;
  send_signal(SIGKILL);
  wait();
}

void Child::send_signal(int signal) const { ::kill(pid_, signal); }

int Child::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace isoenv::test
