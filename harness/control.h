// The control channel of an instance: one JSON object a line over a unix socket.
//
// A client sends one request and reads one answer. The socket is 0600 in a directory of mode 0700,
// and the keeper asks the kernel who connects (SO_PEERCRED, unix(7)). Client calls block.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "env/fault.h"
#include "env/report.h"
#include "env/tolerance.h"
#include "harness/failure_bundle.h"
#include "harness/run_dir.h"

namespace isoenv {

/// What is longer is refused by whoever reads it: room for a thousand names, and for the last lines
/// of many services that have failed.
inline constexpr std::size_t kLongestRequest = std::size_t{256} << 10U;
inline constexpr std::size_t kLongestAnswer = std::size_t{8} << 20U;
inline constexpr std::size_t kLongestMark = 1024;
inline constexpr std::size_t kLongestFacts = std::size_t{96} << 10U;

/// Longer names of services and tests are refused.
inline constexpr std::size_t kLongestName = 256;

struct Request {
  enum class Kind {
    kUp,
    kDown,
    kPs,
    kJoin,
    kDescribe,
    kMark,
    kEnter,
    kFault,
    kBegin,
    kEnd,
    kWitness
  };
  Kind kind = Kind::kPs;
  /// up, join: wanted; down: none = the instance; enter: one; begin: that the test uses, none =
  /// all.
  std::vector<std::string> services;
  std::vector<std::string> pause_before{};  ///< up: services that are paused before their start
  std::vector<std::string> ahead{};         ///< up that starts the keeper: services to start ahead
  bool first = false;                       ///< up: the keeper was started with this request
  bool timing = false;                      ///< up, down: tell when what happened
  std::string text{};                       ///< mark: a line for the merged log
  // fault:
  FaultKind fault = FaultKind::kPause;
  int signal = SIGKILL;  ///< kill
  FaultOrigin origin{};  ///< `by`: who asks, when that is no test
  // begin: a session (env/test_sessions.h), within that of `origin.session` if there is one, until
  // `end` or until this client has gone
  std::string test{};                 ///< its name
  std::vector<std::string> faults{};  ///< as parse_fault() reads them
  Tolerance tolerance{};              ///< down too: incidents that are not told
  std::string facts{};  ///< to_text() of test_facts.h; "": of its failure nobody else is to tell
  // end: the session of `origin.session`; `origin.keep`: its faults are not undone
  // witness: what a bundle needs that the keeper knows, of the same
  bool failed = false;  ///< end, down: its test has failed, and that was told

  std::uint64_t client = 0;  ///< the connection; never sent, each server counts its own
};

/// Where a running service lives, for a process that joins it.
struct ServicePlace {
  ProcessId init;                        ///< on the host: PID 1 of its sandbox
  std::vector<std::string> environment;  ///< `NAME=value`, without secrets
  std::vector<std::string> secrets;      ///< names; `init` was started with their values
  std::string working_directory;
};

/// What the keeper knows of a test beside its session's report.
struct TestWitness {
  std::string marks = "[]";  ///< LogSlices::marks() of its beginning
  std::string plan;          ///< as of TestFailure
  std::string services;      ///< the same
};

struct Answer {
  bool ending = false;         ///< the instance is ending: ask again when it is gone, or not at all
  std::optional<Error> error;  ///< the request was refused
  /// up, down, ps: JSON of env/report.h; describe: of description.h; fault: of env/fault.h; end: of
  /// env/test_sessions.h
  std::string report;
  std::string timing;         ///< up, down: JSON of env/timing.h, when asked for
  bool refused = false;       ///< up: the machine refused a service what its isolation needs
  std::uint64_t session = 0;  ///< begin: its number
  // join:
  std::vector<std::pair<std::string, std::string>> variables;
  std::string temporary_directory;
  std::string rung;                      ///< what isolation the instance has
  std::vector<ServiceFailure> failures;  ///< wanted services that are not ready
  std::optional<ServicePlace> place;     ///< enter
  std::string witness;  ///< witness; end, of a session that fails its test: encode(TestWitness)
  std::vector<Bundle> bundles;  ///< down: of tests that could not tell of theirs
};

std::string encode(const Request& request);
std::string encode(const Answer& answer);
std::string encode(const TestWitness& witness);
/// Of a text that is empty, one that knows nothing.
TestWitness decode_witness(const std::string& text);
/// Throws Error (kUsage) when the text is no request, or nests too deep.
Request decode_request(const std::string& text);
Answer decode_answer(const std::string& text);

/// An Error as a line of text and back, for a child process that fails before it can talk. Throws
/// an Error that says so when the text is something else.
std::string encode_error(const Error& error);
Error decode_error(const std::string& text);

class ControlClient {
 public:
  /// None when nothing listens any more. Throws SystemError when the connection is refused
  /// otherwise.
  static std::optional<ControlClient> connect(const RunDirectory& directory);

  /// Sends the request and waits for its answer. None when the keeper ended without one, or the
  /// process behind the pidfd `owner` (-1: none) ended meanwhile. Throws Error when either is
  /// longer than it may be.
  std::optional<Answer> ask(const Request& request, int owner = -1);

  /// Returns when the keeper has ended and removed its run directory, or was killed.
  void wait_for_end();

  /// The keeper's process, as the caller counts pids.
  pid_t keeper_pid() const;

 private:
  explicit ControlClient(UniqueFd socket) : socket_(std::move(socket)) {}
  UniqueFd socket_;
};

}  // namespace isoenv
