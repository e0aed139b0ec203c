#include "netns/netlink.h"

#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/syscall.h"

namespace isoenv {
namespace {

[[noreturn]] void throw_libnl(int code, const std::string& what) {
  throw Error("cannot " + what + ": " + nl_geterror(code));
}

UniqueFd open_route_socket() {
  UniqueFd socket = try_open_netlink(NETLINK_ROUTE);
  if (!socket) throw_errno("open a route netlink socket");
  return socket;
}

}  // namespace

Netlink::Netlink() : Netlink(open_route_socket()) {}

Netlink::Netlink(UniqueFd opened) : socket_(nl_socket_alloc()) {
  if (!socket_) throw Error("cannot allocate a netlink socket");
  if (const int code = nl_socket_set_fd(socket_.get(), NETLINK_ROUTE, *opened); code < 0) {
    throw_libnl(code, "take a route netlink socket over");
  }
  (void)opened.release();
  nl_socket_disable_auto_ack(socket_.get());  // commit() asks for one
  nl_socket_disable_seq_check(socket_.get());
  nl_socket_disable_msg_peek(socket_.get());  // messages of links and routes fit in a buffer
  nl_socket_modify_cb(socket_.get(), NL_CB_VALID, NL_CB_CUSTOM, &Netlink::on_valid, this);
  nl_socket_modify_cb(socket_.get(), NL_CB_ACK, NL_CB_CUSTOM, &Netlink::on_ack, this);
  nl_socket_modify_err_cb(socket_.get(), NL_CB_CUSTOM, &Netlink::on_error, this);
  if (const int code = nl_socket_set_nonblocking(socket_.get()); code < 0) {
    throw_libnl(code, "set up a route netlink socket");
  }
}

void Netlink::watch_links() {
  if (const int code = nl_socket_add_membership(socket_.get(), RTNLGRP_LINK); code < 0) {
    throw_libnl(code, "watch links");
  }
}

int Netlink::fd() const noexcept { return nl_socket_get_fd(socket_.get()); }

void Netlink::add(std::string what, const std::function<int(nl_msg**)>& build, Call kind) {
  nl_msg* raw = nullptr;
  if (const int code = build(&raw); code < 0) throw_libnl(code, what);
  const std::unique_ptr<nl_msg, NlDeleter> message(raw);
  nl_complete_msg(socket_.get(), message.get());
  const nlmsghdr* header = nlmsg_hdr(message.get());
  const char* bytes = reinterpret_cast<const char*>(header);
  requests_.push_back({std::move(what), header->nlmsg_seq, kind, buffer_.size()});
  buffer_.insert(buffer_.end(), bytes, bytes + header->nlmsg_len);
  buffer_.resize(NLMSG_ALIGN(buffer_.size()));
}

void Netlink::commit() {
  sent_ = std::exchange(requests_, {});
  std::vector<char> buffer = std::exchange(buffer_, {});
  if (sent_.empty()) return;
  reinterpret_cast<nlmsghdr*>(&buffer[sent_.back().offset])->nlmsg_flags |= NLM_F_ACK;
  if (const int fault = injected_fault(Call::kNetlink); fault != 0) {
    throw SystemError(fault, sent_.front().what);
  }
  if (::send(fd(), buffer.data(), buffer.size(), 0) < 0) throw_errno(sent_.front().what);
  answered_ = false;
  failure_.reset();
  while (!answered_) {
    const int code = nl_recvmsgs_default(socket_.get());
    if (code == -NLE_AGAIN) {
      pollfd answer{fd(), POLLIN, 0};
      (void)::poll(&answer, 1, -1);
    } else if (code < 0) {
      throw_libnl(code, "read netlink answers");
    }
  }
  if (!failure_) inject_faults();
  if (failure_) throw SystemError(failure_->error_number, failure_->what);
}

/// As if the kernel had refused some of what it has just done.
void Netlink::inject_faults() {
  for (const Request& request : sent_) {
    int fault = injected_fault(Call::kNetlinkAck);
    if (fault == 0 && request.kind != Call::kNetlinkAck) fault = injected_fault(request.kind);
    if (fault != 0 && !failure_) failure_ = {request.what, fault};
  }
}

void Netlink::read_events() {
  for (;;) {
    const int code = nl_recvmsgs_default(socket_.get());
    if (code == -NLE_AGAIN) return;
    if (code < 0) throw_libnl(code, "read link events");
  }
}

bool Netlink::is_up(int ifindex) const { return up_.contains(ifindex); }

int Netlink::on_valid(nl_msg* message, void* self) {
  static_cast<Netlink*>(self)->record(message);
  return NL_OK;
}

int Netlink::on_ack(nl_msg* message, void* self) {
  auto& netlink = *static_cast<Netlink*>(self);
  const bool last = nlmsg_hdr(message)->nlmsg_seq == netlink.sent_.back().sequence;
  netlink.answered_ = netlink.answered_ || last;
  return NL_OK;
}

int Netlink::on_error(sockaddr_nl*, nlmsgerr* error, void* self) {
  static_cast<Netlink*>(self)->refuse(error->msg.nlmsg_seq, -error->error);
  return NL_SKIP;
}

void Netlink::refuse(unsigned sequence, int error_number) {
  const auto request = std::find_if(sent_.begin(), sent_.end(),
                                    [&](const Request& r) { return r.sequence == sequence; });
  if (request == sent_.end()) return;
  if (!failure_) failure_ = {request->what, error_number};
  answered_ = answered_ || request + 1 == sent_.end();
}

void Netlink::record(nl_msg* message) {
  nlmsghdr* header = nlmsg_hdr(message);
  if (header->nlmsg_type != RTM_NEWLINK) return;
  const int ifindex = static_cast<ifinfomsg*>(nlmsg_data(header))->ifi_index;
  nlattr* operstate = nlmsg_find_attr(header, sizeof(ifinfomsg), IFLA_OPERSTATE);
  if (operstate == nullptr) return;
  if (nla_get_u8(operstate) == IF_OPER_UP) {
    up_.insert(ifindex);
  } else {
    up_.erase(ifindex);
  }
}

}  // namespace isoenv
