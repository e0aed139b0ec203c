// Ports of the host's loopback that belong to one instance: reserved before anything starts,
// without a gap through which another process could take them.
//
// A reservation is two things. A name in the abstract namespace of unix sockets (unix(7)), which
// only one socket of the machine can have, keeps the port from every other instance of every user.
// A bound socket that does not listen keeps it from everybody else: with SO_REUSEADDR on both, the
// service can still bind it; never SO_REUSEPORT, which would swallow requests. UDP servers rarely
// set SO_REUSEADDR, so a UDP port is lent to its service: unbound while that runs. Assigned numbers
// lie outside the range from which the kernel serves outgoing connections, as far as there is room.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "netns/port_holder.h"
#include "spec/spec.h"

namespace isoenv {

/// Why a number cannot be had.
struct PortRefusal {
  std::string why;    ///< `it is taken by process 12 (nc -l)`
  PortHolder holder;  ///< as far as it is known
};

class PortReservations {
 public:
  /// Reserves that number. `instance`: our own id; what a dead predecessor of that id has not given
  /// back yet is waited for. Throws Error when the kernel does not say who has it.
  [[nodiscard]] std::optional<PortRefusal> take(Protocol protocol, std::uint16_t number,
                                                const std::string& instance);
  /// Reserves a number that nobody has and that is not in `avoided`. Throws Error when none is
  /// free.
  std::uint16_t take_any(Protocol protocol, const std::set<std::uint16_t>& avoided);

  /// All descriptors, for a process that closes what it does not need.
  std::vector<int> descriptors() const;
  /// The calling process, which has inherited the reservations, is from now on who has them.
  void adopt() const noexcept;

  /// Unbinds the number, if it is one of a UDP port, so that its service can bind it.
  void lend(Protocol protocol, std::uint16_t number) noexcept;
  /// Binds it again; false when somebody has it.
  [[nodiscard]] bool take_back(Protocol protocol, std::uint16_t number) noexcept;

 private:
  struct Reservation {
    Protocol protocol = Protocol::kTcp;
    std::uint16_t number = 0;
    UniqueFd name;
    UniqueFd socket;
  };

  Reservation* find(Protocol protocol, std::uint16_t number) noexcept;
  std::vector<Reservation> reservations_;
};

}  // namespace isoenv
