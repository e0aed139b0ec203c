// Inside the keeper: the event loop that serves one instance until it ends.
//
// One thread, one io_context: the environment's life, the control channel, the owner's pidfd and
// signals. A client that sends garbage, half a request or nothing holds up nobody else.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "env/linux_backend.h"
#include "harness/run_dir.h"
#include "plan/plan.h"

namespace isoenv {

struct Request;

/// Makes the place where the services live; the executor is the server's.
using MakeSite = std::function<std::unique_ptr<Site>(boost::asio::any_io_executor)>;

/// What isolation the instance has, and why it has no better one.
struct Isolated {
  std::string rung;
  std::string refusal;
};

class InstanceServer {
 public:
  /// Listens on the run directory's control socket. `owner` is a pidfd, or empty. All references
  /// outlive the server.
  InstanceServer(const EnvironmentPlan& plan, LinuxBackendOptions options,
                 const MakeSite& make_site, const RunDirectory& directory, UniqueFd owner,
                 Isolated isolated, bool keeps_history);
  ~InstanceServer();

  /// Begins to carry out the `up` of whoever starts the keeper, who will ask for its answer, and
  /// builds what services are connected to. Throws Error when that cannot be; then no service is
  /// left.
  void begin(Request request);
  /// What the keeper did before, for traces.
  void record(std::vector<TraceSpan> spans);
  /// All that traces tell.
  std::vector<TraceSpan> trace() const;

  /// Serves until the instance has ended and every service is down. False when any of them failed
  /// or had to be killed, or a test has failed.
  bool run();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace isoenv
