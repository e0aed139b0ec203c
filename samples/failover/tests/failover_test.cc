// What the store promises when its leader stands still or dies: another one leads, and nothing that
// was confirmed is lost.
#include <gtest/gtest.h>
#include <isoenv/environment.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "line_socket.h"
#include "replica.h"

namespace {

using namespace std::chrono_literals;

constexpr auto kSoon = 10s;

class FailoverTest : public ::testing::Test {
 protected:
  std::string ask(const isoenv::Service& replica, const std::string& line) const {
    return failover::ask({replica.host(), std::to_string(replica.port())}, line, 5s);
  }

  /// Waits until one of the replicas says that it leads, and all others that they follow it.
  isoenv::Service leader_of(const std::vector<isoenv::Service>& replicas) const {
    const auto deadline = std::chrono::steady_clock::now() + kSoon;
    while (std::chrono::steady_clock::now() < deadline) {
      for (const isoenv::Service& candidate : replicas) {
        const std::string role = ask(candidate, "ROLE");
        if (role.rfind("leader ", 0) != 0) continue;
        const std::string following = "follower " + role.substr(7) + " " + candidate.name();
        std::size_t followers = 0;
        for (const isoenv::Service& replica : replicas)
          followers += ask(replica, "ROLE") == following;
        if (followers + 1 == replicas.size()) return candidate;
      }
    }
    throw std::runtime_error("the replicas did not agree on a leader");
  }

  /// Gives the value to whoever leads, as a client does that minds no change of leaders.
  void put(const std::vector<isoenv::Service>& replicas, const std::string& value) const {
    const auto deadline = std::chrono::steady_clock::now() + kSoon;
    while (std::chrono::steady_clock::now() < deadline) {
      if (ask(leader_of(replicas), "PUT " + value) == "OK") return;
    }
    throw std::runtime_error("no leader took the value");
  }

  void wait_for_value(const isoenv::Service& replica, const std::string& value) const {
    const auto deadline = std::chrono::steady_clock::now() + kSoon;
    while (ask(replica, "GET tea") != "VALUE " + value) {
      ASSERT_TRUE(std::chrono::steady_clock::now() < deadline)
          << replica.name() << " lacks " << value;
    }
  }

  std::vector<isoenv::Service> others_than(const isoenv::Service& one) const {
    std::vector<isoenv::Service> others;
    for (const isoenv::Service& replica : replicas_) {
      if (replica.name() != one.name()) others.push_back(replica);
    }
    return others;
  }

  isoenv::Environment environment_ = isoenv::Environment::current();
  std::vector<isoenv::Service> replicas_ = environment_.services();
};

TEST_F(FailoverTest, KeepsAValueInMoreThanHalfOfTheReplicas) {
  put(replicas_, "tea green");
  int have_it = 0;
  for (const isoenv::Service& replica : replicas_) {
    have_it += ask(replica, "GET tea") == "VALUE green" ? 1 : 0;
  }
  EXPECT_GE(have_it, 2);
}

TEST_F(FailoverTest, RefusesAValueThatAFollowerIsGiven) {
  const isoenv::Service leader = leader_of(replicas_);
  const std::string answer = ask(others_than(leader).front(), "PUT tea green");
  EXPECT_EQ(answer.rfind("NOT ME: follower ", 0), 0U) << answer;
}

TEST_F(FailoverTest, GoesOnWhenItsLeaderStandsStill) {
  put(replicas_, "tea green");
  const isoenv::Service old = leader_of(replicas_);
  isoenv::Log log = old.new_log();
  old.pause();
  const std::vector<isoenv::Service> rest = others_than(old);
  wait_for_value(leader_of(rest), "green");
  put(rest, "tea black");

  // It does not know what it has missed, until another one tells it.
  old.resume();
  log.wait_for("^leads no more$", kSoon);
  log.wait_for("^follows ", kSoon);
  wait_for_value(old, "black");
}

TEST_F(FailoverTest, GoesOnWhenItsLeaderIsKilled) {
  put(replicas_, "tea green");
  const isoenv::Service old = leader_of(replicas_);
  old.kill();
  EXPECT_EQ(old.state(), isoenv::ServiceState::kExited);
  wait_for_value(leader_of(others_than(old)), "green");

  // It comes back with nothing, and is given everything.
  isoenv::Log log = old.new_log();
  old.start();
  log.wait_for("^follows ", kSoon);
  wait_for_value(old, "green");
}

TEST_F(FailoverTest, ConfirmsNothingWithoutMoreThanHalf) {
  const isoenv::Service leader = leader_of(replicas_);
  for (const isoenv::Service& replica : others_than(leader)) replica.pause();
  // They are resumed when the test ends.
  EXPECT_EQ(ask(leader, "PUT tea green"), "NO MAJORITY");
}

/// As when a leader is killed whose last value has reached only one of the two others.
TEST(ElectionTest, IsWonByTheOneWhoLacksNothingAlsoWhenTheOtherStandsFirst) {
  failover::Replica complete("one", 3);
  failover::Replica behind("three", 3);
  complete.answer("BEAT 1 two 1 tea green");
  behind.answer("BEAT 1 two 0");
  EXPECT_EQ(complete.answer(behind.stand_for_election()), "NO 1");
  EXPECT_EQ(behind.answer(complete.stand_for_election()), "YES 1");
}

}  // namespace
