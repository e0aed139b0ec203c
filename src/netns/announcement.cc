#include "netns/announcement.h"

#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netpacket/packet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/syscall.h"
#include "base/unique_fd.h"

namespace isoenv {
namespace {

/// None when the machine does not give us one.
UniqueFd open_socket(int family, int type, const char* what, int protocol = 0) {
  UniqueFd socket(::socket(family, type | SOCK_CLOEXEC, protocol));
  if (!socket && !means_no_such_socket(errno)) throw_errno(what);
  return socket;
}

template <typename Message, typename Address>
void send_to(int socket, const Message& message, const Address& address, const std::string& what) {
  if (::sendto(socket, &message, sizeof message, 0, reinterpret_cast<const sockaddr*>(&address),
               sizeof address) < 0)
    throw_errno(what);
}

void announce_ipv4(int ifindex, const HardwareAddress& hardware, const std::string& address) {
  const UniqueFd socket = open_socket(AF_PACKET, SOCK_DGRAM, "open a packet socket");
  if (!socket) return;
  ether_arp request{};
  request.arp_hrd = htons(ARPHRD_ETHER);
  request.arp_pro = htons(ETHERTYPE_IP);
  request.arp_hln = sizeof request.arp_sha;
  request.arp_pln = sizeof request.arp_spa;
  request.arp_op = htons(ARPOP_REQUEST);
  std::copy(hardware.begin(), hardware.end(), request.arp_sha);
  ::inet_pton(AF_INET, address.c_str(), request.arp_spa);
  ::inet_pton(AF_INET, address.c_str(), request.arp_tpa);

  sockaddr_ll everybody{};
  everybody.sll_family = AF_PACKET;
  everybody.sll_protocol = htons(ETHERTYPE_ARP);
  everybody.sll_ifindex = ifindex;
  everybody.sll_halen = static_cast<unsigned char>(hardware.size());
  std::fill_n(everybody.sll_addr, hardware.size(), static_cast<unsigned char>(0xff));
  send_to(*socket, request, everybody, "announce the address " + address);
}

void announce_ipv6(int ifindex, const HardwareAddress& hardware, const std::string& address) {
  const UniqueFd socket =
      open_socket(AF_INET6, SOCK_RAW, "open a socket of ICMPv6", IPPROTO_ICMPV6);
  if (!socket) return;
  const int hops = 255;  // others are not believed (RFC 4861, 7.1.2)
  if (::setsockopt(*socket, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof hops) != 0)
    throw_errno("set up a socket of ICMPv6");
  struct {
    nd_neighbor_advert advertisement;
    nd_opt_hdr option;
    HardwareAddress hardware;
  } message{};
  message.advertisement.nd_na_type = ND_NEIGHBOR_ADVERT;
  message.advertisement.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE;
  ::inet_pton(AF_INET6, address.c_str(), &message.advertisement.nd_na_target);
  message.option.nd_opt_type = ND_OPT_TARGET_LINKADDR;
  message.option.nd_opt_len = 1;  // in units of 8 bytes
  message.hardware = hardware;

  sockaddr_in6 everybody{};
  everybody.sin6_family = AF_INET6;
  everybody.sin6_scope_id = static_cast<std::uint32_t>(ifindex);
  ::inet_pton(AF_INET6, "ff02::1", &everybody.sin6_addr);
  send_to(*socket, message, everybody, "announce the address " + address);
}

}  // namespace

void announce(int ifindex, const HardwareAddress& hardware, const std::string& ipv4,
              const std::string& ipv6) {
  announce_ipv4(ifindex, hardware, ipv4);
  if (!ipv6.empty()) announce_ipv6(ifindex, hardware, ipv6);
}

}  // namespace isoenv
