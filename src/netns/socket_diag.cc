#include "netns/socket_diag.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include <array>
#include <cerrno>
#include <exception>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/syscall.h"

namespace isoenv {
namespace {

// The kernel fills a dump's messages up to this size (netlink(7)); knowing it saves libnl a second
// system call per message that would only ask for the length.
constexpr std::size_t kDumpMessageSize = 32 * 1024;

// libnl reports what goes wrong on this side by its own codes.
void check_nl(int result, const char* operation) {
  if (result < 0) throw Error(std::string("cannot ") + operation + ": " + nl_geterror(result));
}

struct Dump {
  std::vector<BoundSocket>& sockets;
  std::exception_ptr failure;  // an exception must not cross libnl's C frames
  int refusal = 0;             // the kernel's errno
};

void append_socket(nl_msg* message, std::vector<BoundSocket>& sockets) {
  const nlmsghdr* header = nlmsg_hdr(message);
  if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
      nlmsg_datalen(header) < static_cast<int>(sizeof(inet_diag_msg))) {
    return;
  }
  const auto* found = static_cast<const inet_diag_msg*>(nlmsg_data(header));

  std::array<char, INET6_ADDRSTRLEN> text{};
  if (inet_ntop(found->idiag_family, found->id.idiag_src, text.data(), text.size()) == nullptr) {
    return;
  }
  BoundSocket socket;
  socket.address = text.data();
  socket.port = ntohs(found->id.idiag_sport);
  socket.owner = {found->idiag_inode, found->idiag_uid};
  // The kernel reports it for every IPv6 socket in LISTEN or CLOSE, asked or not
  // (net/ipv4/inet_diag.c, inet_diag_msg_attrs_fill): its number does not fit in idiag_ext.
  const nlattr* ipv6_only =
      nlmsg_find_attr(const_cast<nlmsghdr*>(header), sizeof(inet_diag_msg), INET_DIAG_SKV6ONLY);
  socket.ipv6_only = ipv6_only != nullptr && nla_get_u8(ipv6_only) != 0;
  sockets.push_back(std::move(socket));
}

int on_message(nl_msg* message, void* argument) {
  auto& dump = *static_cast<Dump*>(argument);
  try {
    append_socket(message, dump.sockets);
  } catch (...) {
    dump.failure = std::current_exception();
  }
  return NL_OK;
}

int on_error(sockaddr_nl*, nlmsgerr* error, void* argument) {
  static_cast<Dump*>(argument)->refusal = -error->error;
  return -NLE_FAILURE;
}

constexpr std::uint32_t kAnyState = ~0U;
constexpr std::uint32_t bit(int state) { return 1U << state; }

void dump_family(nl_sock* socket, int family, int protocol, std::uint32_t states,
                 std::vector<BoundSocket>& sockets) {
  inet_diag_req_v2 request{};
  request.sdiag_family = static_cast<__u8>(family);
  request.sdiag_protocol = static_cast<__u8>(protocol);
  request.idiag_states = states;

  Dump dump{sockets, nullptr, 0};
  nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, on_message, &dump);
  nl_socket_modify_err_cb(socket, NL_CB_CUSTOM, on_error, &dump);
  check_nl(nl_send_simple(socket, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &request, sizeof(request)),
           "ask the kernel for listening sockets");
  const int result = nl_recvmsgs_default(socket);
  if (dump.refusal != 0) {
    // Without the module the kernel does not know the request.
    throw SystemError(
        dump.refusal, "list listening sockets", "NETLINK_SOCK_DIAG", ExitCode::kEnvironmentFailed,
        dump.refusal == ENOENT ? "load the kernel modules tcp_diag and udp_diag" : "");
  }
  check_nl(result, "read the kernel's list of listening sockets");
  if (dump.failure) std::rethrow_exception(dump.failure);
}

std::vector<BoundSocket> dump_sockets(nl_sock* socket, int protocol, std::uint32_t states) {
  std::vector<BoundSocket> sockets;
  dump_family(socket, AF_INET, protocol, states, sockets);
  dump_family(socket, AF_INET6, protocol, states, sockets);
  return sockets;
}

UniqueFd open_diagnosis_socket() {
  UniqueFd socket = try_open_netlink(NETLINK_SOCK_DIAG);
  if (!socket) throw_errno("open a NETLINK_SOCK_DIAG socket");
  return socket;
}

}  // namespace

void SocketDiag::Close::operator()(nl_sock* socket) const noexcept { nl_socket_free(socket); }

SocketDiag::SocketDiag() : SocketDiag(open_diagnosis_socket()) {}

SocketDiag::SocketDiag(UniqueFd opened) : socket_(nl_socket_alloc()) {
  if (!socket_) throw Error("cannot allocate a netlink socket");
  check_nl(nl_socket_set_fd(socket_.get(), NETLINK_SOCK_DIAG, *opened),
           "take a NETLINK_SOCK_DIAG socket over");
  (void)opened.release();
  check_nl(nl_socket_set_msg_buf_size(socket_.get(), kDumpMessageSize),
           "size the buffer of a netlink socket");
  nl_socket_disable_msg_peek(socket_.get());
}

int SocketDiag::fd() const noexcept { return nl_socket_get_fd(socket_.get()); }

std::vector<BoundSocket> SocketDiag::tcp_listeners() {
  return dump_sockets(socket_.get(), IPPROTO_TCP, bit(TCP_LISTEN));
}

std::vector<BoundSocket> SocketDiag::udp_sockets() {
  // A UDP socket is TCP_CLOSE until connect(2) makes it TCP_ESTABLISHED.
  return dump_sockets(socket_.get(), IPPROTO_UDP, bit(TCP_CLOSE));
}

std::vector<BoundSocket> SocketDiag::sockets_on(Protocol protocol, std::uint16_t port) {
  const int number = protocol == Protocol::kUdp ? IPPROTO_UDP : IPPROTO_TCP;
  std::vector<BoundSocket> sockets = dump_sockets(socket_.get(), number, kAnyState);
  std::erase_if(sockets, [port](const BoundSocket& socket) { return socket.port != port; });
  return sockets;
}

}  // namespace isoenv
