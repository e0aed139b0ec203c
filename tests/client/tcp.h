// One line sent to a service, and the line that comes back.
#pragma once

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

#include "isoenv/service.h"

/// Throws when nobody listens; "" when nobody answers in that time.
inline std::string ask(const isoenv::Service& service, const std::string& line,
                       long milliseconds = 30'000) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(service.port());
  if (::getaddrinfo(service.host().c_str(), port.c_str(), &hints, &found) != 0) {
    throw std::runtime_error("no such host: " + service.host());
  }
  const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{milliseconds / 1000, milliseconds % 1000 * 1000};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const int refused = ::connect(fd, found->ai_addr, found->ai_addrlen);
  ::freeaddrinfo(found);
  std::string answer;
  if (refused == 0 && ::send(fd, (line + "\n").data(), line.size() + 1, MSG_NOSIGNAL) > 0) {
    for (char letter = 0; ::recv(fd, &letter, 1, 0) == 1 && letter != '\n';) answer += letter;
  }
  ::close(fd);
  if (refused != 0) throw std::runtime_error("nobody listens at " + service.host());
  return answer;
}
