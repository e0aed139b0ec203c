// The keeper: the long-lived process that owns one instance.
//
// PID 1 of the instance's PID namespace, alone in its session, with no descriptor of whoever
// started it; it lives in the hub. When it ends, by whatever means, the kernel ends every process
// of the instance. On the ports rung it has no namespaces: then the inits below it and the tidier
// above it do that (docs/design.md). It ends by itself when its owner has ended, when the last
// service was taken down, or on SIGTERM, SIGINT or SIGHUP, and then stops services politely first.
#pragma once

#include <filesystem>

#include "harness/control.h"
#include "harness/isolation_choice.h"
#include "harness/owner.h"
#include "harness/run_dir.h"
#include "spec/spec.h"

namespace isoenv {

struct KeeperOptions {
  EnvironmentSpec spec;
  InstanceKey key;
  Owner owner;
  std::filesystem::path artefact_root;
  Isolation isolation = Isolation::kAuto;
  bool keeps_history = false;  ///< of all that happens, for a trace
  bool writes_trace = false;   ///< the same, and trace.json among its artefacts at its end
  std::string refusal{};       ///< why there are no namespaces, when that is known already
  /// An `up`, which the keeper carries out from its first moment. Asking it for the same with
  /// Request::first set gets the answer.
  Request first{};
};

/// Starts a keeper for the locked run directory; returns when its control channel listens. Throws
/// Error with what stopped it: a bad plan, a taken port, a machine that refuses (kCannotRun).
void start_keeper(const StartLock& lock, const KeeperOptions& options);

}  // namespace isoenv
