// Tells all neighbours of an interface that its addresses are there now, at its hardware address.
//
// For addresses that were elsewhere before: who has spoken to them keeps sending to where they
// were, and asks again only after seconds without an answer (RFC 4861, 7.3; Linux does the same for
// IPv4). The kernel sends such announcements by itself only where two of its settings ask for them
// (arp_notify, ndisc_notify), which cannot be changed where /proc/sys is read-only.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/unique_fd.h"

namespace isoenv {

using HardwareAddress = std::array<std::uint8_t, 6>;

class Announcement {
 public:
  /// Of `ipv4` and, unless it is "", `ipv6`. Opens its sockets in the calling thread's network
  /// namespace, which they keep. Without CAP_NET_RAW there are none, and nothing is announced:
  /// then neighbours find out by themselves. Throws SystemError.
  Announcement(int ifindex, const HardwareAddress& hardware, std::string ipv4, std::string ipv6);

  /// Sends a request for the IPv4 address that comes from that address itself (RFC 5227, 2.3), and
  /// an unsolicited advertisement of the other (RFC 4861, 7.2.6). Throws SystemError.
  void send() const;

 private:
  void announce_ipv4() const;
  void announce_ipv6() const;

  int ifindex_;
  HardwareAddress hardware_;
  std::string ipv4_;
  std::string ipv6_;
  UniqueFd packets_;  // -1: refused
  UniqueFd icmpv6_;   // -1: refused, or no IPv6
};

}  // namespace isoenv
