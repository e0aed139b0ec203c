#include "isoenv/test_watch.h"

#include <array>
#include <cstdio>
#include <deque>
#include <utility>
#include <vector>

#include "source/instance.h"
#include "source/log_state.h"
#include "source/session.h"

namespace isoenv::inline client {
namespace {

constexpr std::size_t kLinesOfAFailure = 50;
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

/// What the service wrote since the reader was made; "" for nothing.
std::string slice_of(const Service& service, LogReader& reader) {
  std::deque<std::string> last;
  std::size_t count = 0;
  for (std::string line; reader.next(line); ++count) {
    last.push_back(shown(line));
    if (last.size() > kLinesOfAFailure) last.pop_front();
  }
  if (count == 0) return "";
  std::string text =
      "isoenv: '" + service.name() + "' wrote " + count_of(count) + " during this test";
  if (count > last.size()) text += ", the last " + std::to_string(last.size()) + " of which";
  text += ":\n";
  for (const std::string& line : last) text += "  | " + line + "\n";
  return text + "  whole log: " + service.log_file().string() + "\n";
}

}  // namespace

struct TestWatch::State {
  explicit State(Environment watched)
      : environment(std::move(watched)), services(environment.services()) {}

  /// Does what needs the keeper; the first failure is the last attempt.
  template <typename Act>
  void try_to(Act act) {
    if (!lost.empty()) return;
    try {
      act();
    } catch (const EnvironmentError& error) {
      lost = error.what();
    }
  }

  Environment environment;
  std::vector<Service> services;
  std::vector<LogReader> readers;  // one a service, where its log was when the test began
  std::string test;
  std::unique_ptr<TestSession> session;
  std::string lost;  // why the keeper could not be reached
  bool told = false;
};

TestWatch::TestWatch(Environment environment)
    : state_(std::make_unique<State>(std::move(environment))) {}
TestWatch::~TestWatch() = default;
TestWatch::TestWatch(TestWatch&&) noexcept = default;
TestWatch& TestWatch::operator=(TestWatch&&) noexcept = default;

void TestWatch::begin(const std::string& test, bool alone) {
  state_->test = test;
  const Instance& instance = *state_->environment.instance_;
  if (!alone || !has_surrounding_session(instance)) {
    state_->try_to([&] { state_->session = std::make_unique<TestSession>(instance, test); });
  }
  state_->readers.clear();
  for (const Service& service : state_->services) {
    state_->readers.emplace_back(service.log_file(), LogPlace::kEnd);
  }
}

TestEnd TestWatch::end(const std::string& result, bool failed) {
  TestEnd end;
  // Also has the keeper turn once more to what services have written.
  state_->try_to([&] { state_->environment.mark("test '" + state_->test + "' " + result); });
  state_->try_to([&] {
    if (state_->session) end.problems = state_->session->end();
  });
  state_->session.reset();
  for (std::size_t i = 0; (failed || !end.problems.empty()) && i < state_->readers.size(); ++i) {
    end.text += slice_of(state_->services[i], state_->readers[i]);
  }
  state_->readers.clear();
  if (!state_->lost.empty() && !std::exchange(state_->told, true)) {
    end.text += "isoenv: " + state_->lost + "\n";
  }
  return end;
}

}  // namespace isoenv::inline client
