// Forked copies of the test, and how they and the test wait for one another.
#pragma once

#include <sys/types.h>

#include <functional>

#include "base/unique_fd.h"

namespace isoenv::test {

/// Raised once by one process, awaited by another. Create it before the fork.
class Event {
 public:
  Event();
  void raise();
  void await();

 private:
  UniqueFd read_end_;
  UniqueFd write_end_;
};

/// A fork that runs `body` and exits with what it returns. Killed and reaped when dropped.
class Child {
 public:
  explicit Child(const std::function<int()>& body);
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Child& operator=(Child&&) = delete;
  ~Child();

  pid_t pid() const { return pid_; }
  void send_signal(int signal) const;
  /// Its exit code; -1 when a signal ended it.
  int wait();

 private:
  pid_t pid_ = -1;
};

}  // namespace isoenv::test
