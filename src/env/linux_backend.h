// The real backend: one sandbox, one link, one captured output a service.
//
// Runs in the keeper, which lives in the hub. Owns everything a service needs from the kernel, per
// service in start order of acquisition; stopping gives it back in reverse. Nothing it makes is
// visible outside the instance but files in the artefact and run directories.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "env/backend.h"
#include "env/program_environment.h"
#include "netns/forward.h"
#include "plan/plan.h"

namespace isoenv {

struct LinuxBackendOptions {
  std::filesystem::path artefact_directory;   ///< logs
  std::filesystem::path run_directory;        ///< notify sockets; short
  std::filesystem::path temporary_directory;  ///< each service's TMPDIR is below it
  std::string instance_id;                    ///< ISOENV_INSTANCE
  unsigned long open_files = 0;               ///< a program's soft limit of open files; 0 = ours
  Variables inherited;                        ///< for ENV_MODE inherit
  bool bound_capabilities = false;  ///< services give up what they need not have (root rung)
};

/// A PUBLISH listener bound on the host's loopback before the keeper left the host's namespace.
struct PublishedPort {
  std::size_t service = 0;
  std::string port;
  LoopbackListener listener;
};

/// Binds every published port of the plan in the calling thread's network namespace. Throws Error
/// naming the service and the port.
std::vector<PublishedPort> bind_published_ports(const EnvironmentPlan& plan);

class LinuxBackend final : public Backend {
 public:
  /// Builds the hub's network in the calling thread's network namespace. All references outlive it.
  LinuxBackend(boost::asio::any_io_executor executor, const EnvironmentPlan& plan, Clock& clock,
               LinuxBackendOptions options, std::vector<PublishedPort> published);
  ~LinuxBackend() override;

  boost::asio::awaitable<StartOutcome> start(std::size_t service) override;
  boost::asio::awaitable<ReadyOutcome> wait_ready(std::size_t service) override;
  boost::asio::awaitable<ExitStatus> exited(std::size_t service) override;
  boost::asio::awaitable<ServiceStop> stop(std::size_t service,
                                           std::vector<std::string>& problems) noexcept override;
  ServiceFailure describe_failure(std::size_t service) override;
  void event(const std::string& text) override;

  /// `127.0.0.1:8080` of the host for a published port, by service: for `isoenv ps`.
  std::vector<std::string> published(std::size_t service) const;

 private:
  struct Running;
  struct State;

  boost::asio::awaitable<void> start_running(std::size_t service);
  std::unique_ptr<State> state_;
};

}  // namespace isoenv
