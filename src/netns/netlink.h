// A rtnetlink socket of one network namespace: requests in batches, link events.
//
// Encoding and decoding is libnl's. A batch goes out in one send(2). The kernel takes its requests
// in order and answers those that fail, and the last in any case (NLM_F_ACK); an answer has the
// number of its request (netlink(7)).
#pragma once

#include <netlink/msg.h>
#include <netlink/netlink.h>

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fault_injection.h"
#include "base/unique_fd.h"

namespace isoenv {

struct NlDeleter {
  void operator()(nl_sock* socket) const noexcept { nl_socket_free(socket); }
  void operator()(nl_msg* message) const noexcept { nlmsg_free(message); }
};

class Netlink {
 public:
  /// Opens NETLINK_ROUTE in the calling thread's network namespace, which the socket keeps. Throws
  /// Error, as the others do.
  Netlink();
  /// With a bound NETLINK_ROUTE socket that somebody has opened, maybe in another namespace.
  explicit Netlink(UniqueFd opened);
  Netlink(const Netlink&) = delete;
  Netlink& operator=(const Netlink&) = delete;

  /// From here on it receives link events (RTNLGRP_LINK); see is_up().
  void watch_links();

  /// Adds a request built by libnl (`build` returns a libnl error code and the message). `kind`:
  /// what it counts as where answers are made to fail.
  void add(std::string what, const std::function<int(nl_msg**)>& build,
           Call kind = Call::kNetlinkAck);
  /// Sends what was added and reads the answers. Throws SystemError naming the first that failed.
  void commit();

  int fd() const noexcept;
  /// Reads what is there without blocking. Throws Error, also when some of it was lost because it
  /// came faster than it was read.
  void read_events();
  /// True when the last event of this interface said that it is operationally up (IF_OPER_UP, RFC
  /// 2863; net/core/link_watch.c).
  bool is_up(int ifindex) const;

 private:
  static int on_valid(nl_msg* message, void* self);
  static int on_error(sockaddr_nl* address, nlmsgerr* error, void* self);
  static int on_ack(nl_msg* message, void* self);
  void record(nl_msg* message);
  void refuse(unsigned sequence, int error_number);
  void inject_faults();

  struct Request {
    std::string what;
    unsigned sequence;
    Call kind;
    std::size_t offset;  // in the batch
  };
  struct Failure {
    std::string what;
    int error_number;
  };

  std::unique_ptr<nl_sock, NlDeleter> socket_;
  std::vector<char> buffer_;
  std::vector<Request> requests_;  // in buffer_
  std::vector<Request> sent_;
  bool answered_ = false;
  std::optional<Failure> failure_;  // the first
  std::set<int> up_;                // interfaces
};

}  // namespace isoenv
