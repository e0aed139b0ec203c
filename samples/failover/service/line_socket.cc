#include "line_socket.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

namespace failover {
namespace {

/// Closes itself.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  int operator*() const { return fd_; }

 private:
  int fd_;
};

addrinfo* resolve(const char* host, const std::string& port, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  return ::getaddrinfo(host, port.c_str(), &hints, &found) == 0 ? found : nullptr;
}

/// False when nothing came until then.
bool wait_for(int fd, short events, std::chrono::steady_clock::time_point deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  pollfd wait{fd, events, 0};
  return left.count() > 0 && ::poll(&wait, 1, static_cast<int>(left.count())) > 0;
}

bool send_line(int fd, const std::string& line) {
  const std::string text = line + "\n";
  return ::send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

void answer_connection(int fd, const std::function<std::string(const std::string&)>& answer) {
  const Socket socket(fd);
  std::string line;
  for (char letter = 0; ::recv(*socket, &letter, 1, 0) == 1;) {
    if (letter != '\n') {
      line += letter;
    } else if (!send_line(*socket, answer(line))) {
      return;
    } else {
      line.clear();
    }
  }
}

}  // namespace

std::string ask(const Address& address, const std::string& line,
                std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  addrinfo* found = resolve(address.host.c_str(), address.port, 0);
  if (found == nullptr) return "";
  const Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  (void)::connect(*socket, found->ai_addr, found->ai_addrlen);  // goes on while we wait
  ::freeaddrinfo(found);
  if (!wait_for(*socket, POLLOUT, deadline) || !send_line(*socket, line)) return "";
  std::string reply;
  while (wait_for(*socket, POLLIN, deadline)) {
    char chunk[4096];
    const ssize_t length = ::recv(*socket, chunk, sizeof chunk, 0);
    if (length <= 0) return "";
    reply.append(chunk, static_cast<std::size_t>(length));
    if (reply.back() == '\n') return reply.substr(0, reply.size() - 1);
  }
  return "";
}

void serve(const std::string& port, const std::function<std::string(const std::string&)>& answer) {
  addrinfo* found = resolve(nullptr, port, AI_PASSIVE);
  const Socket listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(*listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool listens = found != nullptr &&
                       ::bind(*listener, found->ai_addr, found->ai_addrlen) == 0 &&
                       ::listen(*listener, 64) == 0;
  if (found != nullptr) ::freeaddrinfo(found);
  if (!listens) throw std::runtime_error("cannot listen on port " + port);
  for (;;) {
    const int client = ::accept4(*listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) std::thread([client, &answer] { answer_connection(client, answer); }).detach();
  }
}

}  // namespace failover
