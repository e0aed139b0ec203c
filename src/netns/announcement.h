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

namespace isoenv {

using HardwareAddress = std::array<std::uint8_t, 6>;

/// Of `ipv4` and, unless it is "", `ipv6`, in the calling thread's network namespace: sends a
/// request for the first that comes from that address itself (RFC 5227, 2.3), and an unsolicited
/// advertisement of the other (RFC 4861, 7.2.6). Without CAP_NET_RAW nothing is sent: then
/// neighbours find out by themselves. Throws SystemError.
void announce(int ifindex, const HardwareAddress& hardware, const std::string& ipv4,
              const std::string& ipv6);

}  // namespace isoenv
