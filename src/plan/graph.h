// The order in which things start: dependencies first, otherwise as they were given.
//
// Pure and deterministic, linear in nodes and edges, without recursion.
#pragma once

#include <cstddef>
#include <variant>
#include <vector>

namespace isoenv {

/// For each node, the nodes it depends on, by index.
using DependencyGraph = std::vector<std::vector<std::size_t>>;

/// All nodes, each after the nodes it depends on.
struct StartOrder {
  std::vector<std::size_t> nodes;
};

/// Nodes of which each depends on the next and the last on the first. The lowest stands first.
struct DependencyCycle {
  std::vector<std::size_t> nodes;
};

[[nodiscard]] std::variant<StartOrder, DependencyCycle> start_order(const DependencyGraph& graph);

}  // namespace isoenv
