// Inside the keeper: the event loop that serves one instance until it ends.
//
// One thread, one io_context: the environment's life, the control channel, the owner's pidfd and
// signals. A client that sends garbage, half a request or nothing holds up nobody else.
#pragma once

#include <memory>
#include <vector>

#include "base/unique_fd.h"
#include "env/linux_backend.h"
#include "harness/run_dir.h"
#include "plan/plan.h"

namespace isoenv {

class InstanceServer {
 public:
  /// Builds the hub and listens on the run directory's control socket. `owner` is a pidfd, or
  /// empty. All references outlive the server.
  InstanceServer(const EnvironmentPlan& plan, LinuxBackendOptions options,
                 std::vector<PublishedPort> published, const RunDirectory& directory,
                 UniqueFd owner);
  ~InstanceServer();

  /// Serves until the instance has ended and every service is down.
  void run();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace isoenv
