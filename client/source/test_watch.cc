#include "isoenv/test_watch.h"

#include <array>
#include <cstdio>
#include <deque>
#include <utility>
#include <vector>

#include "source/instance.h"
#include "source/log_state.h"

namespace isoenv::inline client {
namespace {

constexpr std::size_t kShownLines = 50;
constexpr std::size_t kShownLength = 1000;

/// What a service wrote commands no terminal.
std::string shown(const std::string& line) {
  std::string text;
  for (const char letter : line.substr(0, kShownLength)) {
    const auto byte = static_cast<unsigned char>(letter);
    if ((byte >= 0x20 && byte != 0x7f) || letter == '\t') {
      text += letter;
    } else if (letter != '\r') {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\x%02x", byte);
      text += escaped.data();
    }
  }
  return line.size() > kShownLength ? text + " …" : text;
}

std::string count_of(std::size_t lines) {
  return std::to_string(lines) + (lines == 1 ? " line" : " lines");
}

}  // namespace

struct TestWatch::State {
  explicit State(Environment environment_) : environment(std::move(environment_)) {}

  /// Writes the line, and has the keeper turn once more to what services have written.
  void mark(const std::string& text) {
    if (!lost.empty()) return;
    try {
      environment.mark(text);
    } catch (const EnvironmentError& error) {
      lost = error.what();
    }
  }

  Environment environment;
  std::string test;
  std::vector<Service> services;
  std::vector<LogReader> readers;  // one a service, where its log was when the test began
  std::string lost;                // why the keeper could not be reached
  bool told = false;
};

TestWatch::TestWatch(Environment environment)
    : state_(std::make_unique<State>(std::move(environment))) {
  state_->services = state_->environment.services();
}
TestWatch::~TestWatch() = default;
TestWatch::TestWatch(TestWatch&&) noexcept = default;
TestWatch& TestWatch::operator=(TestWatch&&) noexcept = default;

void TestWatch::begin(const std::string& test) {
  state_->test = test;
  state_->mark("test '" + test + "' begins");
  state_->readers.clear();
  for (const Service& service : state_->services) {
    state_->readers.emplace_back(service.log_file(), LogPlace::kEnd);
  }
}

std::string TestWatch::end(const std::string& result, bool failed) {
  state_->mark("test '" + state_->test + "' ends: " + result);
  std::string text;
  for (std::size_t i = 0; failed && i < state_->readers.size(); ++i) {
    std::deque<std::string> last;
    std::size_t count = 0;
    for (std::string line; state_->readers[i].next(line); ++count) {
      last.push_back(shown(line));
      if (last.size() > kShownLines) last.pop_front();
    }
    if (count == 0) continue;
    const Service& service = state_->services[i];
    text += "isoenv: '" + service.name() + "' wrote " + count_of(count) + " during this test" +
            (count > last.size() ? ", the last " + std::to_string(last.size()) + " of which:\n"
                                 : ":\n");
    for (const std::string& line : last) text += "  | " + line + "\n";
    text += "  whole log: " + service.log_file().string() + "\n";
  }
  state_->readers.clear();
  if (!state_->lost.empty() && !std::exchange(state_->told, true)) {
    text += "isoenv: " + state_->lost + "\n";
  }
  return text;
}

}  // namespace isoenv::inline client
