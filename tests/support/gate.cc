#include "support/gate.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "support/process.h"

namespace isoenv::test {

Gate::Gate(std::filesystem::path path) : path_(std::move(path)) {
  if (::mkfifo(path_.c_str(), 0600) != 0) throw std::runtime_error("cannot make " + path_.string());
}

bool Gate::wait_until_reached() {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!writer_ && std::chrono::steady_clock::now() < deadline) {
    // Without a reader this fails with ENXIO (fifo(7)); blocking instead could last for ever.
    writer_.reset(::open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    if (!writer_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return static_cast<bool>(writer_);
}

bool Gate::open() { return wait_until_reached() && ::write(*writer_, "", 1) == 1; }

}  // namespace isoenv::test
