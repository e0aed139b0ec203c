// Raw netlink for the floor program: messages put one after the other into one buffer and handed
// to the kernel with one send(2), and a socket that belongs to the namespace it was opened in.
//
// Nothing is acknowledged: rtnetlink works while send(2) runs, so when it returns the changes are
// made, and a refusal waits in the socket as an error message. Not for the product, which uses
// libnl-route-3; the floor must not pay for a library.
#pragma once

#include <linux/netlink.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "base/unique_fd.h"

namespace isoenv::bench {

class NetlinkBatch {
 public:
  using Position = std::size_t;

  /// Opens a message; what follows belongs to it until the next one. `header` is the family's own
  /// fixed part (ifinfomsg, ifaddrmsg, …).
  template <typename Header>
  void message(std::uint16_t type, std::uint16_t flags, const Header& header) {
    finish_message();
    message_ = used_;
    nlmsghdr start{};
    start.nlmsg_type = type;
    start.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    append(&start, sizeof start);
    append(&header, sizeof header);
  }
  template <typename Value>
  void attribute(std::uint16_t type, const Value& value) {
    attribute(type, &value, sizeof value);
  }
  void text(std::uint16_t type, std::string_view text);
  void attribute(std::uint16_t type, const void* bytes, std::size_t size);

  /// Opens a nested attribute; everything until end() lies inside it.
  [[nodiscard]] Position nest(std::uint16_t type);
  void end(Position nested);
  /// A fixed part inside a nested attribute (veth's peer has an ifinfomsg of its own).
  template <typename Header>
  void header(const Header& value) {
    append(&value, sizeof value);
  }

  /// The finished messages; valid until the next change.
  std::span<const std::byte> bytes();

 private:
  void append(const void* bytes, std::size_t size);
  void finish_message();

  std::array<std::byte, 2048> buffer_{};
  std::size_t used_ = 0;
  std::size_t message_ = 0;
};

class NetlinkSocket {
 public:
  /// Opens NETLINK_ROUTE, NETLINK_SOCK_DIAG, … in the calling thread's network namespace; `groups`
  /// is the mask of multicast groups to hear. Throws SystemError.
  NetlinkSocket(int protocol, std::uint32_t groups);

  void send(NetlinkBatch& batch) const;

  /// Waits for one datagram and hands each of its messages to `see`. An error message in it throws
  /// SystemError. With `wait` false, returns false when nothing is there.
  template <typename See>
  bool receive(bool wait, See&& see) const {
    alignas(nlmsghdr) std::array<std::byte, 16384> buffer;
    std::size_t left = receive_into(buffer, wait);
    const bool any = left > 0;
    for (auto* message = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(message, left);
         message = NLMSG_NEXT(message, left)) {
      throw_if_error(*message);
      see(*message);
    }
    return any;
  }

 private:
  std::size_t receive_into(std::span<std::byte> buffer, bool wait) const;
  static void throw_if_error(nlmsghdr& message);

  UniqueFd fd_;
};

}  // namespace isoenv::bench
