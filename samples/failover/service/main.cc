// replica PORT NAME PEER=HOST:PORT…: one replica of a small store of values.
//
// One thread listens, one a peer beats while this replica leads, one watches whether a leader is
// there.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <iostream>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "line_socket.h"
#include "replica.h"

namespace failover {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kBeat{20};
constexpr milliseconds kPatience{100};       // with a peer
constexpr milliseconds kSilence{600};        // without a beat, before a replica wants to lead
constexpr milliseconds kConfirmation{2000};  // of a value, by more than half

Address parse_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  return {text.substr(0, colon), text.substr(colon + 1)};
}

class Node {
 public:
  Node(std::string name, std::vector<Address> peers)
      : peers_(std::move(peers)),
        confirmed_(peers_.size(), 0),
        replica_(std::move(name), static_cast<unsigned>(peers_.size() + 1)) {}

  [[noreturn]] void run(const std::string& port) {
    for (std::size_t peer = 0; peer < peers_.size(); ++peer) {
      std::thread([this, peer] { beat(peer); }).detach();
    }
    std::thread([this] { watch_the_leader(); }).detach();
    serve(port, [this](const std::string& line) { return answer(line); });
  }

 private:
  std::string answer(const std::string& line) {
    if (line.rfind("PUT ", 0) != 0) return replica_.answer(line);
    const std::size_t blank = line.find(' ', 4);
    if (blank == std::string::npos) return "WHAT";
    const auto number = replica_.put(line.substr(4, blank - 4), line.substr(blank + 1));
    if (!number) return "NOT ME: " + replica_.answer("ROLE");
    return wait_for_confirmation(*number) ? "OK" : "NO MAJORITY";
  }

  bool wait_for_confirmation(std::uint64_t number) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kConfirmation, [&] {
      unsigned replicas = 1;
      for (const std::uint64_t confirmed : confirmed_) replicas += confirmed >= number ? 1 : 0;
      return replica_.is_majority(replicas);
    });
  }

  void beat(std::size_t peer) {
    for (;; std::this_thread::sleep_for(kBeat)) {
      const auto line = replica_.beat();
      const std::uint64_t number =
          line ? replica_.take_confirmation(ask(peers_[peer], *line, kPatience)) : 0;
      const std::lock_guard lock(mutex_);
      confirmed_[peer] = number;
      changed_.notify_all();
    }
  }

  void watch_the_leader() {
    std::mt19937 random(std::random_device{}());
    std::uniform_int_distribution<int> more(0, static_cast<int>(kSilence.count()) / 2);
    for (;;) {
      // Each time another patience, so that two seldom stand at once, and not again.
      std::this_thread::sleep_for(kSilence + milliseconds(more(random)));
      if (!replica_.was_forgotten()) continue;
      const std::string request = replica_.stand_for_election();
      unsigned yes = 1;
      for (const Address& peer : peers_) {
        yes += ask(peer, request, kPatience).rfind("YES", 0) == 0 ? 1U : 0U;
      }
      replica_.take_votes(request, yes);
    }
  }

  const std::vector<Address> peers_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::uint64_t> confirmed_;  // by each peer, of this leader's values
  Replica replica_;
};

}  // namespace
}  // namespace failover

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: replica PORT NAME HOST:PORT…\n";
    return 2;
  }
  try {
    std::vector<failover::Address> peers;
    for (int i = 3; i < argc; ++i) peers.push_back(failover::parse_address(argv[i]));
    // Its threads go on until the process ends.
    auto* node = new failover::Node(argv[2], std::move(peers));
    node->run(argv[1]);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
