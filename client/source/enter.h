// The calling process's way into the namespaces of an instance. Single-threaded, and for good.
#pragma once

#include "source/instance.h"

namespace isoenv::inline client {

/// Joins the network and all that `isoenv exec` joins but the PID namespace, in which the process
/// could start no more threads (pid_namespaces(7)); sets the variables. Throws EnvironmentError: of
/// a second thread before anything has changed.
void enter(const Instance& instance);

}  // namespace isoenv::inline client
