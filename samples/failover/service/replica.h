// What one replica knows and decides: its role, its term, its values. No sockets, no threads.
//
// A leader beats: it sends all values to every follower, again and again. A follower that hears no
// beat asks the others for their votes; who gets more than half leads the next term. A vote goes
// only to somebody who has all that the voter has, so what more than half have confirmed is never
// lost. Values live in memory, and a replica that was killed comes back with none: more than half
// must live.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace failover {

class Replica {
 public:
  /// `size`: how many replicas there are, this one included.
  Replica(std::string name, unsigned size) : name_(std::move(name)), size_(size) {}

  /// Answers a line of a client or another replica:
  ///   `ROLE`                   `leader TERM` or `follower TERM LEADER`
  ///   `GET KEY`                `VALUE KEY…` or `NONE`
  ///   `VOTE TERM NAME NUMBER`  `YES TERM` or `NO TERM`
  ///   `BEAT TERM NAME NUMBER [KEY VALUE]…`  `HAVE TERM NUMBER`
  std::string answer(const std::string& line);

  bool is_leader() const;
  /// The leader's beat; none of a follower.
  std::optional<std::string> beat() const;
  /// Takes a follower's answer to a beat; returns the number that it has confirmed.
  std::uint64_t take_confirmation(const std::string& answer);

  /// Sets a value as the leader, and returns its number; none of a follower.
  std::optional<std::uint64_t> put(const std::string& key, const std::string& value);

  /// True when no beat and no vote has come since the last call, and this is a follower.
  bool was_forgotten();
  /// Begins a term and returns the request for votes.
  std::string stand_for_election();
  /// Takes the answers to it; becomes the leader when more than half say yes.
  void take_votes(const std::string& request, unsigned yes);
  bool is_majority(unsigned replicas) const { return 2 * replicas > size_; }

 private:
  std::string role() const;
  void follow(std::uint64_t term, const std::string& leader);

  const std::string name_;
  const unsigned size_;
  mutable std::mutex mutex_;
  std::uint64_t term_ = 0;
  // The last term that somebody stood for, as far as this replica knows. Also when it gave him no
  // vote: else the one who lacks nothing could stand for past terms, again and again.
  std::uint64_t stood_for_ = 0;
  std::string leader_;        // "" = unknown
  std::uint64_t number_ = 0;  // of the last value
  std::map<std::string, std::string> values_;
  bool heard_ = true;
};

}  // namespace failover
