#include "plan/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

namespace isoenv {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Nodes = std::vector<std::size_t>;

Nodes order_of(const DependencyGraph& graph) {
  const auto result = start_order(graph);
  if (const auto* order = std::get_if<StartOrder>(&result)) return order->nodes;
  ADD_FAILURE() << "the graph has a cycle";
  return {};
}

Nodes cycle_of(const DependencyGraph& graph) {
  const auto result = start_order(graph);
  if (const auto* cycle = std::get_if<DependencyCycle>(&result)) return cycle->nodes;
  ADD_FAILURE() << "the graph has no cycle";
  return {};
}

TEST(GraphTest, KeepsTheGivenOrderWhereNothingDepends) {
  EXPECT_THAT(order_of({}), IsEmpty());
  EXPECT_THAT(order_of({{}, {}, {}}), ElementsAre(0, 1, 2));
}

TEST(GraphTest, PutsDependenciesFirst) {
  EXPECT_THAT(order_of({{2}, {}, {}}), ElementsAre(2, 0, 1));
  EXPECT_THAT(order_of({{}, {0}, {1}}), ElementsAre(0, 1, 2));
}

TEST(GraphTest, PutsTheBottomOfADiamondFirstAndOnce) {
  EXPECT_THAT(order_of({{1, 2}, {3}, {3}, {}}), ElementsAre(3, 1, 2, 0));
}

TEST(GraphTest, FindsACycle) {
  EXPECT_THAT(cycle_of({{1}, {0}}), ElementsAre(0, 1));
  EXPECT_THAT(cycle_of({{0}}), ElementsAre(0));
}

TEST(GraphTest, GivesACycleFromItsLowestNodeWithoutTheWayToIt) {
  EXPECT_THAT(cycle_of({{3}, {}, {1}, {4}, {2, 1, 3}}), ElementsAre(3, 4));
  EXPECT_THAT(cycle_of({{3}, {2}, {3}, {1}}), ElementsAre(1, 2, 3));
}

TEST(GraphTest, FollowsAChainOfAnyLength) {
  constexpr std::size_t kLength = 1'000'000;
  DependencyGraph chain(kLength);
  for (std::size_t i = 0; i + 1 < kLength; ++i) chain[i].push_back(i + 1);
  const Nodes order = order_of(chain);
  ASSERT_EQ(order.size(), kLength);
  EXPECT_EQ(order.front(), kLength - 1);
  EXPECT_EQ(order.back(), 0u);

  chain.back().push_back(0);
  EXPECT_EQ(cycle_of(chain).size(), kLength);
}

/// A graph without cycles: each node depends on some that stand before it in a shuffled order.
DependencyGraph random_graph(std::size_t size, std::mt19937& random) {
  Nodes shuffled(size);
  std::iota(shuffled.begin(), shuffled.end(), std::size_t{0});
  std::shuffle(shuffled.begin(), shuffled.end(), random);
  DependencyGraph graph(size);
  for (std::size_t i = 1; i < size; ++i) {
    for (std::size_t edges = random() % 4; edges > 0; --edges) {
      graph[shuffled[i]].push_back(shuffled[random() % i]);
    }
  }
  return graph;
}

TEST(GraphTest, OrdersEveryGraphWithoutCyclesTheSameWayEachTime) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    const DependencyGraph graph = random_graph(1 + random() % 60, random);
    const Nodes order = order_of(graph);
    ASSERT_EQ(order.size(), graph.size());
    std::vector<bool> started(graph.size(), false);
    for (const std::size_t node : order) {
      for (const std::size_t dependency : graph[node]) EXPECT_TRUE(started[dependency]);
      EXPECT_FALSE(started[node]);
      started[node] = true;
    }
    EXPECT_EQ(order_of(graph), order);
  }
}

TEST(GraphTest, FindsATrueCycleInEveryGraphThatHasOne) {
  std::mt19937 random(2);
  for (int round = 0; round < 200; ++round) {
    DependencyGraph graph = random_graph(2 + random() % 60, random);
    const Nodes order = order_of(graph);
    const std::size_t last = order.back();
    const std::size_t first = order.front();
    graph[last].push_back(first);
    graph[first].push_back(last);
    const Nodes cycle = cycle_of(graph);
    EXPECT_EQ(cycle.front(), *std::min_element(cycle.begin(), cycle.end()));
    for (std::size_t i = 0; i < cycle.size(); ++i) {
      const Nodes& depends = graph[cycle[i]];
      const std::size_t next = cycle[(i + 1) % cycle.size()];
      EXPECT_NE(std::find(depends.begin(), depends.end(), next), depends.end());
    }
  }
}

}  // namespace
}  // namespace isoenv
