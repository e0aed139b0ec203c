#include "env/trial.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/syscall.h"
#include "env/trial_instance.h"

namespace isoenv {
namespace {

using State = Finding::State;

/// Bounds a machine on which something never answers; a trial takes milliseconds.
constexpr std::chrono::seconds kPatience{20};

/// In the order in which they are tried.
struct Capability {
  const char* name;
  Purpose purpose;
};
constexpr Capability kCapabilities[] = {
    {"processes", Purpose::kEvery},
    {"root-privileges", Purpose::kRoot},
    {"user-namespace", Purpose::kUserns},
    {"namespaces", Purpose::kNetns},
    {"mounts", Purpose::kNetns},
    {"network", Purpose::kNetns},
    {"service-namespaces", Purpose::kNetns},
    {"link", Purpose::kNetns},
    {"listening-sockets", Purpose::kNetns},
    {"traffic", Purpose::kNetns},
    {"program", Purpose::kNetns},
    {"join", Purpose::kNetns},
    {"ipv6", Purpose::kOptional},
    {"fresh-proc", Purpose::kOptional},
    {"fresh-sys", Purpose::kOptional},
    {"low-ports", Purpose::kOptional},
};

nlohmann::json to_json(const TrialRecord& record) {
  const Finding& finding = record.finding;
  return {{"kind", static_cast<int>(record.kind)},
          {"capability", finding.capability},
          {"state", static_cast<int>(finding.state)},
          {"detail", finding.detail},
          {"step", finding.step},
          {"errno", finding.error_number},
          {"cause", static_cast<int>(finding.cause.kind)},
          {"subject", finding.cause.subject},
          {"number", record.number}};
}

TrialRecord record_from(const nlohmann::json& json) {
  TrialRecord record;
  record.kind = static_cast<TrialRecord::Kind>(json.at("kind").get<int>());
  record.number = json.at("number").get<int>();
  Finding& finding = record.finding;
  finding.capability = json.at("capability").get<std::string>();
  finding.state = static_cast<State>(json.at("state").get<int>());
  finding.detail = json.at("detail").get<std::string>();
  finding.step = json.at("step").get<std::string>();
  finding.error_number = json.at("errno").get<int>();
  finding.cause.kind = static_cast<Cause::Kind>(json.at("cause").get<int>());
  finding.cause.subject = json.at("subject").get<std::string>();
  return record;
}

/// The trial as its records come in.
class TrialProtocol {
 public:
  TrialProtocol() {
    for (const auto& [name, purpose] : kCapabilities) {
      Finding finding;
      finding.capability = name;
      finding.purpose = purpose;
      trial_.findings.push_back(std::move(finding));
    }
  }

  void take(const TrialRecord& record) {
    switch (record.kind) {
      case TrialRecord::Kind::kBegin:
        current_ = record.finding.capability;
        break;
      case TrialRecord::Kind::kFinding:
        set(record.finding);
        if (current_ == record.finding.capability) current_.clear();
        break;
      case TrialRecord::Kind::kRung:
        rung_ = static_cast<Rung>(record.number);
        break;
      case TrialRecord::Kind::kKeeper:
      case TrialRecord::Kind::kJoinable:
      case TrialRecord::Kind::kKilled:
        break;
    }
  }

  /// The process that tried has ended, by `signal` if not 0, or is out of time.
  void end(int signal, bool late) {
    if (current_.empty()) return;
    Finding finding;
    finding.capability = current_;
    finding.state = State::kRefused;
    finding.step = late ? "finish in time" : "go on";
    finding.error_number = late ? ETIMEDOUT : EINTR;
    if (signal != 0) finding.detail = "killed by SIG" + std::string(::sigabbrev_np(signal));
    if (signal == SIGSYS) finding.cause = {Cause::Kind::kSeccomp, "a system call"};
    set(finding);
  }

  Trial result() {
    const auto stands_in_the_way = [](const Finding& finding) {
      return finding.state == State::kRefused && finding.purpose != Purpose::kRoot;
    };
    const bool refused =
        std::any_of(trial_.findings.begin(), trial_.findings.end(), stands_in_the_way);
    if (!refused) trial_.rung = rung_;
    return std::move(trial_);
  }

 private:
  void set(const Finding& found) {
    for (Finding& finding : trial_.findings) {
      if (finding.capability != found.capability) continue;
      const Purpose purpose = finding.purpose;
      finding = found;
      finding.purpose = purpose;
    }
  }

  Trial trial_;
  std::string current_;
  std::optional<Rung> rung_;
};

/// Forks a process that ends with the caller and has default signals.
pid_t fork_bound() {
  std::fflush(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child != 0) return child;
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  ::signal(SIGPIPE, SIG_IGN);
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || ::getppid() != parent) ::_exit(1);
  return 0;
}

Finding refused(const char* capability, const char* step, Attempt attempt, int error_number) {
  const Refusal refusal = explain(step, attempt, error_number, read_standing());
  Finding finding;
  finding.capability = capability;
  finding.state = State::kRefused;
  finding.step = refusal.step;
  finding.error_number = refusal.error_number;
  finding.cause = refusal.cause;
  return finding;
}

/// Reads records up to the end of the pipe or the deadline; false: out of time.
class RecordReader {
 public:
  explicit RecordReader(UniqueFd pipe) : pipe_(std::move(pipe)) {}

  template <typename Take>
  bool read_all(Take take) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          deadline - std::chrono::steady_clock::now());
      pollfd readable{*pipe_, POLLIN, 0};
      const int ready = ::poll(&readable, 1, static_cast<int>(std::max<long>(left.count(), 0)));
      if (ready < 0 && errno == EINTR) continue;
      if (ready == 0) return false;
      char chunk[4096];
      const ssize_t length = ::read(*pipe_, chunk, sizeof chunk);
      if (length < 0 && errno == EINTR) continue;
      if (length <= 0) return true;
      text_.append(chunk, static_cast<std::size_t>(length));
      for (std::size_t end = 0; (end = text_.find('\n')) != std::string::npos;) {
        const nlohmann::json json = nlohmann::json::parse(text_.substr(0, end), nullptr, false);
        text_.erase(0, end + 1);
        if (!json.is_discarded()) take(record_from(json));
      }
    }
  }

 private:
  UniqueFd pipe_;
  std::string text_;
};

/// The way of `exec`: from outside, into the namespaces of the trial's keeper.
void try_to_join(pid_t keeper, TrialProtocol& protocol) {
  TrialRecord begin;
  begin.finding.capability = "join";
  protocol.take(begin);
  Pipe report = make_pipe();
  const pid_t child = fork_bound();
  if (child == 0) {
    send_record(*report.write, {TrialRecord::Kind::kFinding, join_trial(keeper), 0});
    ::_exit(0);
  }
  report.write.reset();
  if (child < 0) {
    protocol.take({TrialRecord::Kind::kFinding, refused("join", "fork", Attempt::kFork, errno), 0});
    return;
  }
  RecordReader reader(std::move(report.read));
  if (!reader.read_all([&](const TrialRecord& record) { protocol.take(record); })) {
    ::kill(child, SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
}

Trial run_trial(bool optional) {
  TrialProtocol protocol;
  Pipe report = make_pipe();
  Pipe hold = make_pipe();  // the trial's keeper lives until this closes
  const pid_t child = fork_bound();
  if (child == 0) {
    report.read.reset();
    hold.write.reset();
    be_trial(std::move(report.write), std::move(hold.read), optional);
  }
  report.write.reset();
  hold.read.reset();
  if (child < 0) {
    protocol.take(
        {TrialRecord::Kind::kFinding, refused("processes", "fork", Attempt::kFork, errno), 0});
    return protocol.result();
  }

  int killed_by = 0;
  pid_t keeper = 0;
  RecordReader reader(std::move(report.read));
  const bool in_time = reader.read_all([&](const TrialRecord& record) {
    if (record.kind == TrialRecord::Kind::kKilled) killed_by = record.number;
    if (record.kind == TrialRecord::Kind::kKeeper) keeper = record.number;
    protocol.take(record);
    if (record.kind == TrialRecord::Kind::kJoinable) {
      try_to_join(keeper, protocol);
      hold.write.reset();
    }
  });
  if (!in_time) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status) && in_time) killed_by = WTERMSIG(status);
  protocol.end(killed_by, !in_time);
  return protocol.result();
}

}  // namespace

void send_record(int pipe, const TrialRecord& record) {
  const std::string line =
      to_json(record).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  if (::write(pipe, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::_exit(1);
}

const Finding* Trial::refusal() const {
  // When both rungs were tried, the second one's refusal is the one that has remedies for all.
  const Finding* first = nullptr;
  for (const Finding& finding : findings) {
    if (finding.state != State::kRefused || finding.purpose == Purpose::kRoot) continue;
    if (first == nullptr) first = &finding;
  }
  return first;
}

Trial try_isolation() { return run_trial(true); }

std::optional<Refusal> isolation_refusal() {
  const Trial trial = run_trial(false);
  const Finding* finding = trial.refusal();
  if (finding == nullptr) return std::nullopt;
  return Refusal{finding->step, Attempt::kOther, finding->error_number, finding->cause};
}

}  // namespace isoenv
