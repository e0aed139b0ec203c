#include "bench/netlink_batch.h"

#include <sys/socket.h>

#include <cassert>
#include <cerrno>

#include "base/error.h"

namespace isoenv::bench {

void NetlinkBatch::append(const void* bytes, std::size_t size) {
  assert(used_ + NLMSG_ALIGN(size) <= buffer_.size());
  std::memcpy(buffer_.data() + used_, bytes, size);
  used_ += NLMSG_ALIGN(size);
}

void NetlinkBatch::attribute(std::uint16_t type, const void* bytes, std::size_t size) {
  nlattr start{};
  start.nla_len = static_cast<std::uint16_t>(sizeof start + size);
  start.nla_type = type;
  append(&start, sizeof start);
  append(bytes, size);
}

void NetlinkBatch::text(std::uint16_t type, std::string_view text) {
  attribute(type, text.data(), text.size());
}

NetlinkBatch::Position NetlinkBatch::nest(std::uint16_t type) {
  const Position start = used_;
  attribute(type, nullptr, 0);
  return start;
}

void NetlinkBatch::end(Position nested) {
  nlattr start{};
  std::memcpy(&start, buffer_.data() + nested, sizeof start);
  start.nla_len = static_cast<std::uint16_t>(used_ - nested);
  std::memcpy(buffer_.data() + nested, &start, sizeof start);
}

void NetlinkBatch::finish_message() {
  if (used_ == 0) return;
  nlmsghdr start{};
  std::memcpy(&start, buffer_.data() + message_, sizeof start);
  start.nlmsg_len = static_cast<std::uint32_t>(used_ - message_);
  std::memcpy(buffer_.data() + message_, &start, sizeof start);
}

std::span<const std::byte> NetlinkBatch::bytes() {
  finish_message();
  return {buffer_.data(), used_};
}

NetlinkSocket::NetlinkSocket(int protocol, std::uint32_t groups)
    : fd_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol)) {
  if (!fd_) throw_errno("open a netlink socket");
  if (groups == 0) return;
  // Events come in bursts while many links are made, and the default buffer would lose some. The
  // limit yields only to root outside a user namespace.
  const int size = 4 << 20;
  if (::setsockopt(*fd_, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
    ::setsockopt(*fd_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  if (::bind(*fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    throw_errno("bind a netlink socket");
}

void NetlinkSocket::send(NetlinkBatch& batch) const {
  const auto bytes = batch.bytes();
  if (::send(*fd_, bytes.data(), bytes.size(), 0) < 0) throw_errno("send to netlink");
}

std::size_t NetlinkSocket::receive_into(std::span<std::byte> buffer, bool wait) const {
  for (;;) {
    const ssize_t size = ::recv(*fd_, buffer.data(), buffer.size(), wait ? 0 : MSG_DONTWAIT);
    if (size >= 0) return static_cast<std::size_t>(size);
    if (errno == EAGAIN) return 0;
    if (errno != EINTR) throw_errno("receive from netlink");
  }
}

void NetlinkSocket::throw_if_error(nlmsghdr& message) {
  if (message.nlmsg_type != NLMSG_ERROR) return;
  const auto* error = static_cast<const nlmsgerr*>(NLMSG_DATA(&message));
  if (error->error == 0) return;
  errno = -error->error;
  throw_errno("netlink request of type " + std::to_string(error->msg.nlmsg_type));
}

}  // namespace isoenv::bench
