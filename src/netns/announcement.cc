#include "netns/announcement.h"

#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netpacket/packet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/error.h"

namespace isoenv {
namespace {

/// None when the machine does not give us one.
UniqueFd open_socket(int family, int type, int protocol, const char* what) {
  UniqueFd socket(::socket(family, type | SOCK_CLOEXEC, protocol));
  if (!socket && errno != EPERM && errno != EACCES && errno != EAFNOSUPPORT) throw_errno(what);
  return socket;
}

template <typename Message, typename Address>
void send_to(int socket, const Message& message, const Address& address, const std::string& what) {
  if (::sendto(socket, &message, sizeof message, 0, reinterpret_cast<const sockaddr*>(&address),
               sizeof address) < 0)
    throw_errno(what);
}

}  // namespace

Announcement::Announcement(int ifindex, const HardwareAddress& hardware, std::string ipv4,
                           std::string ipv6)
    : ifindex_(ifindex),
      hardware_(hardware),
      ipv4_(std::move(ipv4)),
      ipv6_(std::move(ipv6)),
      packets_(open_socket(AF_PACKET, SOCK_DGRAM, 0, "open a packet socket")) {
  if (ipv6_.empty()) return;
  icmpv6_ = open_socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6, "open a socket of ICMPv6");
  if (!icmpv6_) return;
  const int hops = 255;  // others are not believed (RFC 4861, 7.1.2)
  if (::setsockopt(*icmpv6_, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof hops) != 0)
    throw_errno("set up a socket of ICMPv6");
}

void Announcement::send() const {
  if (packets_) announce_ipv4();
  if (icmpv6_) announce_ipv6();
}

void Announcement::announce_ipv4() const {
  ether_arp request{};
  request.arp_hrd = htons(ARPHRD_ETHER);
  request.arp_pro = htons(ETHERTYPE_IP);
  request.arp_hln = sizeof request.arp_sha;
  request.arp_pln = sizeof request.arp_spa;
  request.arp_op = htons(ARPOP_REQUEST);
  std::copy(hardware_.begin(), hardware_.end(), request.arp_sha);
  ::inet_pton(AF_INET, ipv4_.c_str(), request.arp_spa);
  ::inet_pton(AF_INET, ipv4_.c_str(), request.arp_tpa);

  sockaddr_ll everybody{};
  everybody.sll_family = AF_PACKET;
  everybody.sll_protocol = htons(ETHERTYPE_ARP);
  everybody.sll_ifindex = ifindex_;
  everybody.sll_halen = static_cast<unsigned char>(hardware_.size());
  std::fill_n(everybody.sll_addr, hardware_.size(), static_cast<unsigned char>(0xff));
  send_to(*packets_, request, everybody, "announce the address " + ipv4_);
}

void Announcement::announce_ipv6() const {
  struct {
    nd_neighbor_advert advertisement;
    nd_opt_hdr option;
    HardwareAddress hardware;
  } message{};
  message.advertisement.nd_na_type = ND_NEIGHBOR_ADVERT;
  message.advertisement.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE;
  ::inet_pton(AF_INET6, ipv6_.c_str(), &message.advertisement.nd_na_target);
  message.option.nd_opt_type = ND_OPT_TARGET_LINKADDR;
  message.option.nd_opt_len = 1;  // in units of 8 bytes
  message.hardware = hardware_;

  sockaddr_in6 everybody{};
  everybody.sin6_family = AF_INET6;
  everybody.sin6_scope_id = static_cast<std::uint32_t>(ifindex_);
  ::inet_pton(AF_INET6, "ff02::1", &everybody.sin6_addr);
  send_to(*icmpv6_, message, everybody, "announce the address " + ipv6_);
}

}  // namespace isoenv
