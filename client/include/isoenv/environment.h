// The environment of a test, as an object: the instance that the test runs in, one that is up, or
// one of the test's own.
//
// Movable, not copyable. The object of up() owns its instance: its destructor takes it down, and
// the instance ends with the test's process in any case, however that ends. Others own nothing.
// Const functions may be called from any number of threads at once. Everything that goes wrong is
// an EnvironmentError.
//
// Finding an instance from outside, and up(), run the program `isoenv`: $ISOENV_EXECUTABLE, else
// the one that this library came with, else the one in $PATH. All else talks to the instance's
// keeper.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "isoenv/error.h"
#include "isoenv/service.h"

namespace isoenv {
inline namespace client {

struct UpOptions {
  std::vector<std::string> services;  ///< with all they depend on; none: every one
  std::string isolation;              ///< `auto`, `netns`, `ports`; "": $ISOENV_ISOLATION, or auto
  std::filesystem::path artefacts;    ///< where logs go; "": as `isoenv up` decides
};

class Environment {
 public:
  /// The instance that this process runs in, by `isoenv exec`, `run` or enter(). Elsewhere the one
  /// that `isoenv exec` would take: of the spec file $ISOENV_SPEC if that is set, else the only one
  /// that is up. Throws when there is none, or several could be meant.
  static Environment current();

  /// The instance of this spec file (and `--name`) that is up. From outside of instances only.
  static Environment find(const std::filesystem::path& spec_file, const std::string& name = "");

  /// Brings up an instance of this object's own and returns when its services are ready. Throws,
  /// with each service's diagnosis and last lines, when one is not, and nothing is left of it then;
  /// cannot_run() tells that the machine refuses. The process stays where it is: see enter().
  static Environment up(const std::filesystem::path& spec_file, const UpOptions& options = {});

  ~Environment();
  Environment(Environment&&) noexcept;
  Environment& operator=(Environment&&) noexcept;

  const std::string& name() const noexcept;
  const std::string& instance_id() const noexcept;
  const std::filesystem::path& spec_file() const noexcept;
  /// Where its logs are.
  const std::filesystem::path& artefact_directory() const noexcept;
  /// `userns`, `root`, or `ports`: no namespaces.
  const std::string& rung() const noexcept;

  /// Throws, with the names that there are, when there is no such service or task.
  Service service(const std::string& name) const;
  /// All services and tasks, each after those it depends on.
  std::vector<Service> services() const;

  /// True when the calling process reaches its services by their names.
  bool is_inside() const;

  /// Takes the calling process for good into the instance, as `isoenv exec` takes a command: its
  /// network, mounts, names, IPC and ISOENV_* variables, and a TMPDIR that goes with the instance.
  /// Its process ids stay those of the host. Does nothing inside. Without namespaces it sets the
  /// variables only. To be called before there is a second thread: throws when there is one.
  void enter();

  /// Writes a line of IsoEnv's own, of at most 1,024 bytes, into the merged log.
  void mark(const std::string& text) const;

  /// Takes the instance down, politely, and returns when nothing of it is left; does nothing when
  /// it is not this object's own or is down already. The destructor does the same and keeps quiet.
  void down();

 private:
  friend class TestWatch;
  explicit Environment(std::shared_ptr<const Instance> instance, bool owned);

  std::shared_ptr<const Instance> instance_;
  bool owned_ = false;
};

/// The environment that tests run in: current(), which is entered first when the process was
/// started outside, by hand, a debugger or an IDE; that is told on the standard error output. None
/// inside an `isoenv run` without a spec. To be called before there is a second thread.
std::optional<Environment> join_environment();

}  // namespace client
}  // namespace isoenv
