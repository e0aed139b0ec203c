#include "ready/listening.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.h"

namespace isoenv {
namespace {

constexpr std::size_t kMaxListed = 8;
constexpr std::string_view kMappedPrefix = "::ffff:";

// A service may write an address in any of its forms; the kernel's list has inet_ntop(3)'s.
std::string canonical(const std::string& address) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  for (const int family : {AF_INET, AF_INET6}) {
    if (inet_pton(family, address.c_str(), bytes.data()) == 1) {
      return inet_ntop(family, bytes.data(), text.data(), text.size());
    }
  }
  return address;
}

bool reachable(const BoundSocket& socket, const ServiceAddresses& service) {
  if (socket.address == "0.0.0.0") return !service.ipv4.empty();
  if (socket.address == "::") return !socket.ipv6_only || !service.ipv6.empty();
  const std::string_view address = socket.address;
  if (address.starts_with(kMappedPrefix)) {
    return address.substr(kMappedPrefix.size()) == canonical(service.ipv4);
  }
  return address == canonical(service.ipv4) ||
         (!service.ipv6.empty() && address == canonical(service.ipv6));
}

// As ss(8) writes it: `*` takes both families.
std::string endpoint_text(const BoundSocket& socket) {
  const std::string port = ":" + std::to_string(socket.port);
  if (socket.address == "::" && !socket.ipv6_only) return "*" + port;
  if (socket.address.find(':') != std::string::npos) return "[" + socket.address + "]" + port;
  return socket.address + port;
}

}  // namespace

bool accepts(const std::vector<BoundSocket>& sockets, const ServiceAddresses& service,
             std::uint16_t port) {
  return std::any_of(sockets.begin(), sockets.end(), [&](const BoundSocket& socket) {
    return socket.port == port && reachable(socket, service);
  });
}

std::string describe_sockets(const std::vector<BoundSocket>& sockets,
                             const ServiceAddresses& service, std::uint16_t port) {
  if (sockets.empty()) return "nothing listens yet";
  std::vector<std::string> endpoints;
  bool unreachable_address = false;
  for (const BoundSocket& socket : sockets) {
    std::string text = endpoint_text(socket);
    if (std::find(endpoints.begin(), endpoints.end(), text) != endpoints.end()) continue;
    endpoints.push_back(std::move(text));
    unreachable_address |= socket.port == port && !reachable(socket, service);
  }
  if (endpoints.size() > kMaxListed) {
    endpoints.resize(kMaxListed);
    endpoints.emplace_back("…");
  }
  std::string text = "listens on " + join(endpoints, ", ");
  if (accepts(sockets, service, port)) return text;
  text += ", expected *:" + std::to_string(port);
  if (unreachable_address) text += " (others cannot reach that address: bind to 0.0.0.0)";
  return text;
}

}  // namespace isoenv
