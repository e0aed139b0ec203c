// A rtnetlink socket of one network namespace: requests in batches, link events.
//
// Encoding and decoding is libnl's. A batch goes out in one send(2); its answers are read in order,
// so an error names the request that caused it (rtnetlink(7), netlink(7)).
#pragma once

#include <netlink/msg.h>
#include <netlink/netlink.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fault_injection.h"

namespace isoenv {

struct NlDeleter {
  void operator()(nl_sock* socket) const noexcept { nl_socket_free(socket); }
  void operator()(nl_msg* message) const noexcept { nlmsg_free(message); }
};

class Netlink {
 public:
  /// What link messages have said so far of one interface.
  struct LinkState {
    bool operstate_up = false;  ///< IF_OPER_UP (RFC 2863), net/core/link_watch.c
    bool forwarding = false;    ///< BR_STATE_FORWARDING of a bridge port
  };

  /// Opens NETLINK_ROUTE in the calling thread's network namespace, which the socket keeps. With
  /// `watch_links` it also receives link events (RTNLGRP_LINK).
  explicit Netlink(bool watch_links);

  /// Adds a request built by libnl (`build` returns a libnl error code and the message). `kind`:
  /// what it counts as where answers are made to fail.
  void add(std::string what, const std::function<int(nl_msg**)>& build,
           Call kind = Call::kNetlinkAck);
  /// Sends what was added and reads every answer. Throws SystemError naming the first that failed.
  void commit();

  int fd() const noexcept;
  /// Reads what is there without blocking, and updates link states.
  void read_events();
  /// The states seen so far; unknown interfaces are down.
  LinkState link_state(int ifindex) const;

 private:
  static int on_valid(nl_msg* message, void* self);
  static int on_error(sockaddr_nl* address, nlmsgerr* error, void* self);
  static int on_ack(nl_msg* message, void* self);
  void record(nl_msg* message);

  struct Request {
    std::string what;
    unsigned sequence;
    Call kind;
  };

  std::unique_ptr<nl_sock, NlDeleter> socket_;
  std::vector<char> buffer_;
  std::vector<Request> requests_;
  std::size_t answered_ = 0;
  int failed_errno_ = 0;
  std::string failed_what_;
  std::map<int, LinkState> links_;
};

}  // namespace isoenv
