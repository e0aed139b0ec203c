#include "ready/probe.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "base/unique_fd.h"
#include "ready/http_probe.h"
#include "ready/listening.h"

namespace isoenv {
namespace {

constexpr std::size_t kMaxOutput = 512;

ProbeResult passed(std::string answer) { return {true, std::move(answer)}; }
ProbeResult failed(std::string answer) { return {false, std::move(answer)}; }

ProbeResult listening_attempt(const ProbePlan& probe, const ProbeContext& context) {
  const Protocol protocol = probe.kind == ProbeKind::kUdp ? Protocol::kUdp : Protocol::kTcp;
  const std::vector<BoundSocket> sockets = context.listening_sockets(protocol);
  const ServiceAddresses service{context.ipv4, context.ipv6};
  ProbeResult result{accepts(sockets, service, probe.port),
                     describe_sockets(sockets, service, probe.port)};
  if (result.passed || !context.other_holder) return result;
  const std::string holder = context.other_holder(protocol, probe.port);
  if (!holder.empty()) {
    result.answer += "; port " + std::to_string(probe.port) + " is held by " + holder;
  }
  return result;
}

ProbeResult log_attempt(const ProbePlan& probe, const ProbeContext& context) {
  return context.log_matches(probe.pattern) ? passed("a line matched")
                                            : failed("no line matched yet");
}

ProbeResult notify_attempt(const ProbeContext& context) {
  if (context.notified_ready()) return passed("sent READY=1");
  const std::string status = context.notify_status ? context.notify_status() : std::string();
  if (status.empty()) return failed("has not sent READY=1");
  return failed("has not sent READY=1; its status is '" + status + "'");
}

std::filesystem::path resolve(const ProbePlan& probe, const ProbeContext& context) {
  return context.working_directory / probe.path;
}

ProbeResult file_attempt(const ProbePlan& probe, const ProbeContext& context) {
  const std::filesystem::path path = resolve(probe, context);
  std::error_code error;
  if (std::filesystem::exists(path, error)) return passed("exists");
  if (error) return failed("cannot look at '" + path.string() + "': " + error.message());
  return failed("'" + path.string() + "' does not exist yet");
}

/// 0 when something listens on the socket at `address`; the errno of connect(2) otherwise.
int try_connect(const sockaddr_un& address, int type) {
  const UniqueFd socket(::socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return errno;
  if (::connect(*socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    return 0;
  }
  // EAGAIN: the backlog of a listening socket is full (unix(7)).
  return errno == EAGAIN ? 0 : errno;
}

ProbeResult unix_attempt(const ProbePlan& probe, const ProbeContext& context) {
  const std::filesystem::path path = resolve(probe, context);
  const std::string quoted = "'" + path.string() + "'";
  const UniqueFd file(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!file && errno == ENOENT) return failed(quoted + " does not exist yet");
  if (!file) return failed("cannot look at " + quoted + ": " + std::strerror(errno));

  // An address holds 107 bytes of path; a name by descriptor fits whatever the path's length is.
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = "/proc/self/fd/" + std::to_string(*file);
  std::copy(name.begin(), name.end(), address.sun_path);

  int error = EPROTOTYPE;  // a socket of another type is there
  for (const int type : {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM}) {
    error = try_connect(address, type);
    if (error != EPROTOTYPE) break;
  }
  if (error == 0) return passed("accepts connections");
  if (error == ECONNREFUSED) return failed("nothing listens on " + quoted);
  return failed("cannot connect to " + quoted + ": " + std::strerror(error));
}

std::string trimmed_output(std::string output) {
  while (!output.empty() && std::strchr("\r\n \t", output.back()) != nullptr) output.pop_back();
  if (output.size() > kMaxOutput) output.replace(0, output.size() - kMaxOutput, "…");
  return output;
}

ProbeResult judge_command(const CommandOutcome& outcome, std::chrono::milliseconds timeout) {
  if (!outcome.error.empty()) return failed(outcome.error);
  if (outcome.finished && outcome.status.success()) return passed("exit code 0");
  std::string answer = outcome.finished
                           ? outcome.status.describe()
                           : "still running after " + std::to_string(timeout.count()) + " ms";
  if (const std::string output = trimmed_output(outcome.last_output); !output.empty()) {
    answer += ": " + output;
  }
  return failed(std::move(answer));
}

}  // namespace

std::string describe(const ProbePlan& probe) {
  switch (probe.kind) {
    case ProbeKind::kTcp:
      return "tcp " + probe.port_name;
    case ProbeKind::kUdp:
      return "udp " + probe.port_name;
    case ProbeKind::kHttp:
      return "http " + probe.port_name + " GET " + (probe.path.empty() ? "/" : probe.path);
    case ProbeKind::kLog:
      return "log /" + probe.pattern + "/";
    case ProbeKind::kExec:
      return "exec " + join(probe.command, " ");
    case ProbeKind::kFile:
      return "file " + probe.path;
    case ProbeKind::kUnix:
      return "unix " + probe.path;
    case ProbeKind::kNotify:
      return "notify";
    case ProbeKind::kExit:
      return "exit " + std::to_string(probe.status);
  }
  return "probe";
}

boost::asio::awaitable<ProbeResult> attempt(const ProbePlan& probe, const ProbeContext& context,
                                            std::chrono::milliseconds timeout) {
  switch (probe.kind) {
    case ProbeKind::kTcp:
    case ProbeKind::kUdp:
      co_return listening_attempt(probe, context);
    case ProbeKind::kHttp:
      if (context.other_holder) {
        ProbeResult listening = listening_attempt(probe, context);
        if (!listening.passed) co_return listening;
      }
      co_return co_await http_attempt(probe, context, timeout);
    case ProbeKind::kLog:
      co_return log_attempt(probe, context);
    case ProbeKind::kExec: {
      const CommandOutcome outcome = co_await context.run_command(probe.command, timeout);
      co_return judge_command(outcome, timeout);
    }
    case ProbeKind::kFile:
      co_return file_attempt(probe, context);
    case ProbeKind::kUnix:
      co_return unix_attempt(probe, context);
    case ProbeKind::kNotify:
      co_return notify_attempt(context);
    case ProbeKind::kExit:
      break;
  }
  co_return failed("still running");
}

}  // namespace isoenv
