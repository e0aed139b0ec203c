// Servers: each keeps answering until it is killed.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <thread>

#include "behaviours.h"

extern char** environ;

namespace isoenv::test {
namespace {

void send_all(int fd, const std::string& text) {
  std::size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t size = ::send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (size <= 0) return;
    sent += static_cast<std::size_t>(size);
  }
}

/// Calls `answer` with each line (its newline included) of a connection until it ends.
template <typename Answer>
void for_each_line(int connection, Answer answer) {
  std::string pending;
  std::array<char, 4096> buffer;
  ssize_t size;
  while ((size = ::read(connection, buffer.data(), buffer.size())) > 0) {
    pending.append(buffer.data(), static_cast<std::size_t>(size));
    std::size_t end;
    while ((end = pending.find('\n')) != std::string::npos) {
      if (!answer(pending.substr(0, end + 1))) return;
      pending.erase(0, end + 1);
    }
  }
}

/// Accepts for ever; `serve` gets each connection on a thread of its own.
template <typename Serve>
[[noreturn]] void accept_all(int listener, Serve serve) {
  while (true) {
    const int connection = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) fail("accept");
    std::thread([connection, serve] {
      serve(connection);
      ::close(connection);
    }).detach();
  }
}

void echo_lines(int connection, const std::string& prefix) {
  for_each_line(connection, [&](const std::string& line) {
    send_all(connection, prefix + line);
    return true;
  });
}

std::string environment_text() {
  std::string text;
  for (char** entry = environ; *entry != nullptr; ++entry) text += std::string(*entry) + "\n";
  return text;
}

void answer_http(int connection, std::atomic<int>& requests) {
  for_each_line(connection, [&](const std::string& line) {
    // The request line is enough to answer; the rest of the request is not read.
    const std::size_t start = line.find(' ') + 1;
    const std::string path = line.substr(start, line.find(' ', start) - start);
    const int count = ++requests;
    std::string status = "200 OK";
    std::string body = "hello\n";
    if (path == "/health") {
      body = "{\"status\": \"up\"}\n";
    } else if (path == "/env") {
      body = environment_text();
    } else if (path == "/count") {
      body = std::to_string(count) + "\n";
    } else if (path == "/fail") {
      status = "503 Service Unavailable";
      body = "warming up\n";
    } else if (path != "/") {
      status = "404 Not Found";
      body = "no such page\n";
    }
    send_all(connection,
             "HTTP/1.1 " + status + "\r\nContent-Type: text/plain\r\nConnection: close" +
                 "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    ::shutdown(connection, SHUT_WR);
    return false;
  });
  // Reads what is left: closing a socket with unread bytes resets it, and the answer may be lost.
  std::array<char, 4096> rest;
  while (::read(connection, rest.data(), rest.size()) > 0) {
  }
}

}  // namespace

void tcp_echo(const Arguments& arguments) {
  const int listener = bound_socket(argument(arguments, 0), argument(arguments, 1), SOCK_STREAM);
  const std::string prefix = argument(arguments, 2, "");
  accept_all(listener, [prefix](int connection) { echo_lines(connection, prefix); });
}

void udp_echo(const Arguments& arguments) {
  const int fd = bound_socket(argument(arguments, 0), argument(arguments, 1), SOCK_DGRAM);
  const std::string prefix = argument(arguments, 2, "");
  std::array<char, 65536> buffer;
  while (true) {
    sockaddr_storage sender{};
    socklen_t sender_size = sizeof sender;
    auto* name = reinterpret_cast<sockaddr*>(&sender);
    const ssize_t size = ::recvfrom(fd, buffer.data(), buffer.size(), 0, name, &sender_size);
    if (size < 0) fail("recvfrom");
    const std::string answer = prefix + std::string(buffer.data(), static_cast<std::size_t>(size));
    ::sendto(fd, answer.data(), answer.size(), 0, name, sender_size);
  }
}

void http_hello(const Arguments& arguments) {
  const int listener = bound_socket(argument(arguments, 0), argument(arguments, 1), SOCK_STREAM);
  std::atomic<int> requests = 0;
  accept_all(listener, [&requests](int connection) { answer_http(connection, requests); });
}

void unix_echo(const Arguments& arguments) {
  const std::string path = argument(arguments, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw Failure("'" + path + "' is too long");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    fail("bind to " + path);
  }
  if (::listen(listener, 64) != 0) fail("listen");
  accept_all(listener, [](int connection) { echo_lines(connection, ""); });
}

}  // namespace isoenv::test
