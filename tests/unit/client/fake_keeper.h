// A keeper that gives one client after the other the same answer to each question.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace isoenv::test {

class FakeKeeper {
 public:
  /// Listens on `control` in the folder. The answer is sent as it is.
  FakeKeeper(const std::filesystem::path& folder, std::string answer)
      : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), answer_(std::move(answer)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, (folder / "control").c_str(), sizeof address.sun_path - 1);
    ::unlink(address.sun_path);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, 8) != 0) {
      throw std::runtime_error("cannot listen");
    }
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeKeeper() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  FakeKeeper(const FakeKeeper&) = delete;
  FakeKeeper& operator=(const FakeKeeper&) = delete;

  /// The last whole request. To be called when it was answered.
  const std::string& request() const { return request_; }

 private:
  void serve() {
    for (int client = 0; (client = ::accept(listener_, nullptr, nullptr)) >= 0; ::close(client)) {
      do {
        const std::string line = receive_line(client);
        if (line.empty()) break;
        request_ = line;
        (void)!::send(client, answer_.data(), answer_.size(), MSG_NOSIGNAL);
      } while (!answer_.empty() && answer_.back() == '\n');  // else it hangs up
    }
  }
  static std::string receive_line(int client) {
    std::string line;
    for (char letter = 0; ::recv(client, &letter, 1, 0) == 1 && letter != '\n';) line += letter;
    return line;
  }

  int listener_;
  std::string answer_;
  std::string request_;
  std::thread thread_;
};

}  // namespace isoenv::test
