// A file descriptor that is closed once.
#pragma once

#include <unistd.h>

#include <utility>

namespace isoenv::inline client {

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }

  int operator*() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  void reset() noexcept { Descriptor(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

}  // namespace isoenv::inline client
