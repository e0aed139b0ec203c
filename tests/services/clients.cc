// Clients: each asks once and prints the answer.
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <iostream>
#include <memory>
#include <set>

#include "behaviours.h"

namespace isoenv::test {
namespace {

constexpr timeval kPatience{10, 0};

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

AddressList look_up(const std::string& family, const std::string& host, const std::string& port,
                    int type) {
  addrinfo hints{};
  hints.ai_socktype = type;
  hints.ai_family = family == "4" ? AF_INET : family == "6" ? AF_INET6 : AF_UNSPEC;
  addrinfo* found = nullptr;
  const int error =
      ::getaddrinfo(host.c_str(), port.empty() ? nullptr : port.c_str(), &hints, &found);
  if (error != 0) throw Failure("cannot resolve '" + host + "': " + ::gai_strerror(error));
  return {found, &::freeaddrinfo};
}

}  // namespace

/// The last refusal is the Failure.
int connected_socket(const Arguments& arguments, int type) {
  const std::string host = argument(arguments, 1);
  const std::string port = std::to_string(port_number(argument(arguments, 2)));
  const AddressList addresses = look_up(argument(arguments, 0), host, port, type);
  for (const addrinfo* entry = addresses.get(); entry != nullptr; entry = entry->ai_next) {
    const int fd = ::socket(entry->ai_family, type | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("socket");
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
    if (::connect(fd, entry->ai_addr, entry->ai_addrlen) == 0) return fd;
    if (entry->ai_next == nullptr) fail("connect to " + host + " port " + port);
    ::close(fd);
  }
  throw Failure("no address for '" + host + "'");
}

namespace {

void ask(const Arguments& arguments, int type) {
  const int fd = connected_socket(arguments, type);
  const std::string question = argument(arguments, 3) + "\n";
  if (::send(fd, question.data(), question.size(), MSG_NOSIGNAL) < 0) fail("send");
  std::array<char, 65536> buffer;
  std::string answer;
  while (!answer.ends_with('\n')) {
    const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (size < 0) fail("recv");
    if (size == 0) throw Failure("the connection ended before the answer");
    answer.append(buffer.data(), static_cast<std::size_t>(size));
  }
  std::cout << answer << std::flush;
}

}  // namespace

void tcp_ask(const Arguments& arguments) { ask(arguments, SOCK_STREAM); }

void udp_ask(const Arguments& arguments) { ask(arguments, SOCK_DGRAM); }

void http_get(const Arguments& arguments) {
  const int fd = connected_socket(arguments, SOCK_STREAM);
  const std::string request = "GET " + argument(arguments, 3) +
                              " HTTP/1.1\r\nHost: " + argument(arguments, 1) +
                              "\r\nConnection: close\r\n\r\n";
  if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) fail("send");
  std::array<char, 65536> buffer;
  ssize_t size;
  while ((size = ::recv(fd, buffer.data(), buffer.size(), 0)) > 0) {
    std::cout << std::string(buffer.data(), static_cast<std::size_t>(size));
  }
  if (size < 0) fail("recv");
  std::cout << std::flush;
}

void resolves(const Arguments& names) {
  for (const std::string& name : names) {
    const AddressList addresses = look_up("any", name, "", SOCK_STREAM);
    std::set<std::string> texts;
    for (const addrinfo* entry = addresses.get(); entry != nullptr; entry = entry->ai_next) {
      std::array<char, NI_MAXHOST> text{};
      ::getnameinfo(entry->ai_addr, entry->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST);
      texts.insert(text.data());
    }
    for (const std::string& text : texts) std::cout << name << " " << text << "\n";
  }
  std::cout << std::flush;
}

}  // namespace isoenv::test
