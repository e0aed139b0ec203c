#include "process/redactor.h"

#include <algorithm>
#include <utility>

namespace isoenv {
namespace {

constexpr std::string_view kMask = "***";
constexpr std::string_view kBlanks = " \t\r\v\f";

}  // namespace

std::vector<std::string> Secrets::pieces(std::string_view value) {
  std::vector<std::string> found;
  for (std::size_t begin = 0; begin < value.size();) {
    const std::size_t end = std::min(value.find('\n', begin), value.size());
    std::string_view line = value.substr(begin, end - begin);
    line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
    line.remove_suffix(line.size() - (line.find_last_not_of(kBlanks) + 1));
    if (line.size() >= kShortest) found.emplace_back(line);
    begin = end + 1;
  }
  return found;
}

Secrets::Secrets(const std::vector<std::string>& values) {
  for (const std::string& value : values) {
    for (const std::string& piece : pieces(value)) add(piece);
  }
  link();
}

void Secrets::add(std::string_view secret) {
  State state = 0;
  for (const char letter : secret) {
    const auto byte = static_cast<unsigned char>(letter);
    State next = child(state, byte);
    if (next == 0) {
      next = static_cast<State>(nodes_.size());
      nodes_.push_back({0, 0, nodes_[state].depth + 1, 0, 0});
      if (state == 0) {
        root_[byte] = next;
      } else {
        edges_.push_back({next, nodes_[state].first_edge, byte});
        nodes_[state].first_edge = static_cast<std::uint32_t>(edges_.size() - 1);
      }
    }
    state = next;
  }
  nodes_[state].match = nodes_[state].depth;
}

/// Finds every node's fallback, shallow nodes first: those of deeper ones are built on them.
void Secrets::link() {
  std::vector<State> order;
  for (const State first : root_) {
    if (first != 0) order.push_back(first);
  }
  for (std::size_t i = 0; i < order.size(); ++i) {
    const State state = order[i];
    Node& node = nodes_[state];
    node.open = node.first_edge != 0 ? node.depth : nodes_[node.fallback].open;
    for (std::uint32_t edge = nodes_[state].first_edge; edge != 0; edge = edges_[edge].next) {
      Node& target = nodes_[edges_[edge].target];
      target.fallback = step(nodes_[state].fallback, edges_[edge].byte);
      target.match = std::max(target.match, nodes_[target.fallback].match);
      order.push_back(edges_[edge].target);
    }
  }
}

Secrets::State Secrets::child(State state, unsigned char byte) const noexcept {
  if (state == 0) return root_[byte];
  std::uint32_t edge = nodes_[state].first_edge;
  while (edge != 0 && edges_[edge].byte != byte) edge = edges_[edge].next;
  return edge == 0 ? 0 : edges_[edge].target;
}

Secrets::State Secrets::step(State state, unsigned char byte) const noexcept {
  for (;; state = nodes_[state].fallback) {
    const State next = child(state, byte);
    if (next != 0 || state == 0) return next;
  }
}

std::string Secrets::redact(std::string_view text) const {
  if (empty()) return std::string(text);
  Redactor redactor(std::shared_ptr<const Secrets>(std::shared_ptr<void>(), this));
  std::string redacted(redactor.feed(text));
  redacted += redactor.finish();
  return redacted;
}

std::string Secrets::redact_cut(std::string_view text) const {
  if (empty()) return std::string(text);
  Redactor redactor(std::shared_ptr<const Secrets>(std::shared_ptr<void>(), this));
  std::string redacted(redactor.feed(text));
  if (redactor.held_.size() >= kShortest) redactor.cover(0, redactor.held_.size());
  redacted += redactor.finish();
  return redacted;
}

Redactor::Redactor(std::shared_ptr<const Secrets> secrets) : secrets_(std::move(secrets)) {
  if (secrets_ && secrets_->empty()) secrets_.reset();
}

std::string_view Redactor::feed(std::string_view chunk) {
  if (!secrets_) return chunk;
  const Secrets& secrets = *secrets_;
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    if (state_ == 0) {
      while (i < chunk.size() && secrets.root_[static_cast<unsigned char>(chunk[i])] == 0) ++i;
      if (i == chunk.size()) break;
    }
    state_ = secrets.step(state_, static_cast<unsigned char>(chunk[i]));
    if (const std::size_t match = secrets.nodes_[state_].match; match != 0) {
      const std::size_t end = held_.size() + i + 1;
      cover(end - match, end);
    }
  }
  const std::size_t beginning = secrets.nodes_[state_].open;
  if (beginning == 0 && held_.empty() && spans_.empty()) {
    masking_ = masking_ && chunk.empty();
    return chunk;
  }
  pass_on(chunk, held_.size() + chunk.size() - beginning);
  return passed_;
}

std::string_view Redactor::finish() {
  if (!secrets_) return {};
  state_ = 0;
  pass_on({}, held_.size());
  return passed_;
}

void Redactor::cover(std::size_t begin, std::size_t end) {
  while (!spans_.empty() && spans_.back().begin >= begin) spans_.pop_back();
  if (!spans_.empty() && spans_.back().end >= begin) {
    spans_.back().end = end;
  } else {
    spans_.push_back({begin, end});
  }
}

/// Moves the bytes up to `end`, of those held back and `chunk` after them, into passed_, and holds
/// back the rest.
void Redactor::pass_on(std::string_view chunk, std::size_t end) {
  passed_.clear();
  std::size_t at = 0;
  std::vector<Span> left;
  for (const Span& span : spans_) {
    if (span.begin < end) {
      copy(chunk, at, span.begin);
      if (!masking_) passed_ += kMask;
      masking_ = true;
      at = std::min(span.end, end);
    }
    if (span.end > end) left.push_back({std::max(span.begin, end) - end, span.end - end});
  }
  copy(chunk, at, end);
  spans_ = std::move(left);
  std::string rest;
  if (end < held_.size()) rest = held_.substr(end);
  rest += chunk.substr(end > held_.size() ? end - held_.size() : 0);
  held_ = std::move(rest);
}

/// Appends the bytes [begin, end) as they are.
void Redactor::copy(std::string_view chunk, std::size_t begin, std::size_t end) {
  if (begin >= end) return;
  masking_ = false;
  if (begin < held_.size()) passed_.append(held_, begin, std::min(end, held_.size()) - begin);
  if (end > held_.size()) {
    const std::size_t from = std::max(begin, held_.size());
    passed_ += chunk.substr(from - held_.size(), end - from);
  }
}

}  // namespace isoenv
