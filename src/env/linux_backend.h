// The real backend: one sandbox, one place on the site, one captured output a service.
//
// Runs in the keeper. Owns everything a service needs from the kernel, per service in start order
// of acquisition; stopping gives it back in reverse. Nothing it makes is visible outside the
// instance but files in the artefact and run directories, and what its site (site.h) opens.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/string_block.h"
#include "env/backend.h"
#include "env/incident.h"
#include "env/program_environment.h"
#include "env/site.h"
#include "env/timeline.h"
#include "plan/plan.h"
#include "process/process_tree.h"

namespace isoenv {

struct LinuxBackendOptions {
  std::filesystem::path artefact_directory;   ///< logs
  std::filesystem::path run_directory;        ///< notify sockets; short
  std::filesystem::path temporary_directory;  ///< each service's TMPDIR is below it
  std::string instance_id;                    ///< ISOENV_INSTANCE
  unsigned long open_files = 0;               ///< a program's soft limit of open files; 0 = ours
  Variables inherited;                        ///< for ENV_MODE inherit
  bool change_accounts = false;               ///< we are root: `user` has an effect
  Zygote* zygote = nullptr;                   ///< clones the inits, if any; outlives the backend
};

class LinuxBackend final : public Backend {
 public:
  /// All references outlive it.
  LinuxBackend(boost::asio::any_io_executor executor, const EnvironmentPlan& plan, Clock& clock,
               LinuxBackendOptions options, Site& site, Incidents& incidents, Timeline& timeline);
  ~LinuxBackend() override;

  boost::asio::awaitable<StartOutcome> start(std::size_t service) override;
  void hold_next_start(std::size_t service) override;
  void release(std::size_t service) noexcept override;
  boost::asio::awaitable<std::optional<NotStarted>> released(std::size_t service) override;
  boost::asio::awaitable<ReadyOutcome> wait_ready(std::size_t service) override;
  boost::asio::awaitable<ExitStatus> exited(std::size_t service) override;
  boost::asio::awaitable<ServiceStop> stop(std::size_t service,
                                           std::vector<std::string>& problems) noexcept override;
  void signal(std::size_t service, int number) noexcept override;
  void let_go(std::size_t service) noexcept override;
  boost::asio::awaitable<void> pause(std::size_t service) override;
  boost::asio::awaitable<void> resume(std::size_t service) override;
  bool is_ending(std::size_t, std::int64_t pid) const noexcept override {
    return isoenv::is_ending(pid);
  }
  void catch_up() noexcept override;
  ServiceFailure describe_failure(std::size_t service) override;
  void event(const std::string& text) override;

  /// The machine refused one of these services something when it was last started: its own failure
  /// or not, nothing of the service has run.
  bool was_refused(const std::vector<std::size_t>& services) const;

  /// Where a service lives whose sandbox is made; none when it is not running.
  struct Place {
    std::int64_t init = 0;    ///< PID 1 of its sandbox, on the host
    StringBlock environment;  ///< `NAME=value`, without secrets
  };
  std::optional<Place> place(std::size_t service) const;

  /// What the log of a service lacks: `of its log, 1234 bytes are lost: ENOSPC (…)`; "" when
  /// nothing.
  std::string log_losses(std::size_t service) const;

 private:
  struct State;

  boost::asio::awaitable<void> start_running(std::size_t service);
  std::unique_ptr<State> state_;
};

}  // namespace isoenv
