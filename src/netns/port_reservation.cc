#include "netns/port_reservation.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <optional>
#include <utility>

#include "base/error.h"

namespace isoenv {
namespace {

/// A dead instance's processes are being killed by its tidier; their sockets go with them.
constexpr std::chrono::seconds kPredecessorLimit{5};
/// So are those of any process that is just ending, and then tells nothing of itself.
constexpr std::chrono::milliseconds kEndingLimit{50};
constexpr int kLookAgain = 10;  // ms
constexpr int kCallers = 64;    // who may ask for the holder of a name; nobody answers

constexpr std::uint32_t kFirstAssigned = 20000;
constexpr std::uint32_t kLastAssigned = 65535;
constexpr std::uint32_t kEnoughRoom = 4000;

/// Half-open.
struct Range {
  std::uint32_t first = kFirstAssigned;
  std::uint32_t end = kLastAssigned + 1;
};

/// Below or above the kernel's own (ip(7), ip_local_port_range) when there is room.
Range assigned_range() {
  std::ifstream file("/proc/sys/net/ipv4/ip_local_port_range");
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  if (!(file >> low >> high)) return {};
  if (low >= kFirstAssigned + kEnoughRoom) return {kFirstAssigned, low};
  if (high + kEnoughRoom <= kLastAssigned) return {high + 1, kLastAssigned + 1};
  return {};
}

struct NameAddress {
  sockaddr_un address{};
  socklen_t length = 0;
};

NameAddress name_of(Protocol protocol, std::uint16_t number) {
  const std::string name = std::string("isoenv/port/") +
                           (protocol == Protocol::kUdp ? "udp/" : "tcp/") + std::to_string(number);
  NameAddress result;
  result.address.sun_family = AF_UNIX;
  std::copy(name.begin(), name.end(), result.address.sun_path + 1);  // after a NUL: abstract
  result.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return result;
}

/// Empty, with errno EADDRINUSE, when another instance has the number.
UniqueFd bind_name(Protocol protocol, std::uint16_t number) {
  UniqueFd name(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const NameAddress at = name_of(protocol, number);
  if (!name || ::bind(*name, reinterpret_cast<const sockaddr*>(&at.address), at.length) != 0) {
    return {};
  }
  ::listen(*name, kCallers);
  return name;
}

/// The keeper that has the number, by the credentials of its listening name (SO_PEERCRED).
PortHolder holder_of_name(Protocol protocol, std::uint16_t number) {
  const UniqueFd asking(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const NameAddress at = name_of(protocol, number);
  ucred peer{};
  socklen_t length = sizeof peer;
  if (!asking ||
      ::connect(*asking, reinterpret_cast<const sockaddr*>(&at.address), at.length) != 0 ||
      ::getsockopt(*asking, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
    return {};
  }
  return holder_of(peer.pid);
}

void reuse_address(int socket) {
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
}

/// Bound to every address, so that the service may choose any; not listening. With `shared` other
/// sockets that do not listen either, such as connections of an ended server, do not stand in the
/// way. Empty with errno.
UniqueFd bind_socket(Protocol protocol, std::uint16_t number, bool shared) {
  const int type =
      (protocol == Protocol::kUdp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
  sockaddr_in6 both{};
  both.sin6_family = AF_INET6;
  both.sin6_port = htons(number);
  sockaddr_in ipv4{};
  ipv4.sin_family = AF_INET;
  ipv4.sin_port = htons(number);

  UniqueFd socket(::socket(AF_INET6, type, 0));
  const int no = 0;
  const bool has_ipv6 =
      socket && ::setsockopt(*socket, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no) == 0;
  if (!has_ipv6) socket.reset(::socket(AF_INET, type, 0));
  if (!socket) return {};
  if (shared) reuse_address(*socket);
  const int result = has_ipv6
                         ? ::bind(*socket, reinterpret_cast<const sockaddr*>(&both), sizeof both)
                         : ::bind(*socket, reinterpret_cast<const sockaddr*>(&ipv4), sizeof ipv4);
  if (result != 0) return {};
  // Looked at when the next socket binds (inet_csk_bind_conflict, inet_connection_sock.c).
  reuse_address(*socket);
  return socket;
}

PortRefusal refusal(int error_number, const std::optional<PortHolder>& holder) {
  if (error_number == EACCES) {
    return {
        "ports below 'sysctl net.ipv4.ip_unprivileged_port_start' need root where there are no "
        "namespaces",
        {}};
  }
  if (error_number != EADDRINUSE) return {"cannot bind it: " + errno_text(error_number), {}};
  if (!holder) return {"it is taken by an unknown process", {}};
  return {"it is taken by " + describe(*holder), *holder};
}

}  // namespace

std::optional<PortRefusal> PortReservations::take(Protocol protocol, std::uint16_t number,
                                                  const std::string& instance) {
  UniqueFd name = bind_name(protocol, number);
  if (!name && errno != EADDRINUSE) {
    return PortRefusal{"cannot reserve it: " + errno_text(errno), {}};
  }
  if (!name) {
    const PortHolder holder = holder_of_name(protocol, number);
    return PortRefusal{"it belongs to another instance of isoenv" +
                           (holder.pid == 0 ? "" : ", " + describe(holder)),
                       holder};
  }
  const auto begin = std::chrono::steady_clock::now();
  for (;;) {
    UniqueFd socket = bind_socket(protocol, number, protocol == Protocol::kTcp);
    if (socket) {
      reservations_.push_back({protocol, number, std::move(name), std::move(socket)});
      return std::nullopt;
    }
    const int error_number = errno;
    std::optional<PortHolder> holder;
    if (error_number == EADDRINUSE) holder = find_port_holder(protocol, number);
    const bool predecessor = holder && !instance.empty() && holder->instance == instance;
    const auto waited = std::chrono::steady_clock::now() - begin;
    if (error_number != EADDRINUSE || waited > kPredecessorLimit ||
        (waited > kEndingLimit && !predecessor)) {
      return refusal(error_number, holder);
    }
    ::poll(nullptr, 0, kLookAgain);
  }
}

std::uint16_t PortReservations::take_any(Protocol protocol,
                                         const std::set<std::uint16_t>& avoided) {
  const Range range = assigned_range();
  const std::uint32_t count = range.end - range.first;
  std::uint32_t start = 0;
  if (::getrandom(&start, sizeof start, 0) != sizeof start) start = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto number = static_cast<std::uint16_t>(range.first + (start % count + i) % count);
    if (avoided.contains(number)) continue;
    UniqueFd name = bind_name(protocol, number);
    if (!name) continue;
    UniqueFd socket = bind_socket(protocol, number, /*shared=*/false);
    if (!socket) continue;
    reservations_.push_back({protocol, number, std::move(name), std::move(socket)});
    return number;
  }
  throw Error("no port between " + std::to_string(range.first) + " and " +
              std::to_string(range.end - 1) + " is free");
}

std::vector<int> PortReservations::descriptors() const {
  std::vector<int> all;
  for (const Reservation& reservation : reservations_) {
    all.push_back(*reservation.name);
    if (reservation.socket) all.push_back(*reservation.socket);
  }
  return all;
}

void PortReservations::adopt() const noexcept {
  // listen(2) makes the caller's credentials the socket's (unix_listen, net/unix/af_unix.c).
  for (const Reservation& reservation : reservations_) ::listen(*reservation.name, kCallers);
}

void PortReservations::lend(Protocol protocol, std::uint16_t number) noexcept {
  Reservation* reservation = find(protocol, number);
  if (reservation != nullptr && protocol == Protocol::kUdp) reservation->socket.reset();
}

bool PortReservations::take_back(Protocol protocol, std::uint16_t number) noexcept {
  Reservation* reservation = find(protocol, number);
  if (reservation == nullptr) return true;
  if (!reservation->socket) reservation->socket = bind_socket(protocol, number, false);
  return static_cast<bool>(reservation->socket);
}

PortReservations::Reservation* PortReservations::find(Protocol protocol,
                                                      std::uint16_t number) noexcept {
  for (Reservation& reservation : reservations_) {
    if (reservation.protocol == protocol && reservation.number == number) return &reservation;
  }
  return nullptr;
}

}  // namespace isoenv
