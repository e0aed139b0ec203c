#include "plan/graph.h"

#include <algorithm>
#include <cassert>
#include <cstdint>

namespace isoenv {
namespace {

enum class Mark : std::uint8_t { kNew, kOpen, kDone };

/// A node on the path being followed, and its next dependency to look at.
struct Step {
  std::size_t node;
  std::size_t next = 0;
};

DependencyCycle cycle_on(const std::vector<Step>& path, std::size_t repeated) {
  DependencyCycle cycle;
  const auto first = std::find_if(path.begin(), path.end(),
                                  [&](const Step& step) { return step.node == repeated; });
  for (auto step = first; step != path.end(); ++step) cycle.nodes.push_back(step->node);
  std::rotate(cycle.nodes.begin(), std::min_element(cycle.nodes.begin(), cycle.nodes.end()),
              cycle.nodes.end());
  return cycle;
}

}  // namespace

std::variant<StartOrder, DependencyCycle> start_order(const DependencyGraph& graph) {
  StartOrder order;
  order.nodes.reserve(graph.size());
  std::vector<Mark> marks(graph.size(), Mark::kNew);
  std::vector<Step> path;
  for (std::size_t root = 0; root < graph.size(); ++root) {
    if (marks[root] != Mark::kNew) continue;
    marks[root] = Mark::kOpen;
    path.push_back({root});
    while (!path.empty()) {
      Step& step = path.back();
      if (step.next == graph[step.node].size()) {
        marks[step.node] = Mark::kDone;
        order.nodes.push_back(step.node);
        path.pop_back();
        continue;
      }
      const std::size_t dependency = graph[step.node][step.next++];
      assert(dependency < graph.size());
      if (marks[dependency] == Mark::kOpen) return cycle_on(path, dependency);
      if (marks[dependency] == Mark::kDone) continue;
      marks[dependency] = Mark::kOpen;
      path.push_back({dependency});
    }
  }
  return order;
}

}  // namespace isoenv
