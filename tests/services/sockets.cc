#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "behaviours.h"

namespace isoenv::test {

int port_number(const std::string& text) {
  const std::string prefix = "env:";
  if (!text.starts_with(prefix)) return std::stoi(text);
  const std::string name = text.substr(prefix.size());
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) throw Failure("the variable '" + name + "' is not set");
  return std::stoi(value);
}

int bound_socket(const std::string& address, const std::string& port, int type) {
  sockaddr_in ipv4{};
  sockaddr_in6 ipv6{};
  const auto number = htons(static_cast<std::uint16_t>(port_number(port)));
  const sockaddr* name = nullptr;
  socklen_t size = 0;
  if (::inet_pton(AF_INET, address.c_str(), &ipv4.sin_addr) == 1) {
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = number;
    name = reinterpret_cast<const sockaddr*>(&ipv4);
    size = sizeof ipv4;
  } else if (address == "*" || ::inet_pton(AF_INET6, address.c_str(), &ipv6.sin6_addr) == 1) {
    ipv6.sin6_family = AF_INET6;  // in6addr_any, and with it both families, when the address is `*`
    ipv6.sin6_port = number;
    name = reinterpret_cast<const sockaddr*>(&ipv6);
    size = sizeof ipv6;
  } else {
    throw Failure("'" + address + "' is not a numeric address");
  }
  const int fd = ::socket(name->sa_family, type | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  const int yes = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(fd, name, size) != 0) fail("bind to " + address + " port " + port);
  if (type == SOCK_STREAM && ::listen(fd, 64) != 0) fail("listen");
  return fd;
}

}  // namespace isoenv::test
