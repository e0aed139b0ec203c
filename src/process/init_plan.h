// What a sandbox's init has to do, and the same as bytes: the zygote (zygote.h) clones inits that
// do not have the memory of whoever made the plan.
//
// The bytes are for a copy of the same program, on the same machine, at once: they have no version
// and trust their writer.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "process/launcher.h"

namespace isoenv {

struct InitPlan {
  bool passes_sockets = false;       ///< NetworkSockets (init.h) of its own network namespace
  bool ends_tree = false;            ///< there is no PID namespace: kills what is below it
  std::function<void()> settle;      ///< first of all, if any; an exception it throws is fatal
  bool takes_terminal = false;       ///< standard input is a terminal; its foreground is ours
  std::string hostname;              ///< "" = keep the parent's
  bool own_proc = false;             ///< a /proc of the own PID namespace
  bool own_sys = false;              ///< a /sys of the own network namespace
  bool protect_settings = false;     ///< root may change none of the machine's in /proc and /sys
  bool low_ports = false;            ///< net.ipv4.ip_unprivileged_port_start = 0
  bool essential_low_ports = false;  ///< failing at that is fatal
  /// `program` launches this executable, which signals for the program go to once it runs; "": it
  /// is the program itself.
  std::string launched_program;
  Program program;
  std::vector<Program> probes;
};

/// The descriptors above 2 that the programs of the plan start with, sorted, each once.
std::vector<int> descriptors(const InitPlan& plan);

/// Everything but `passes_sockets`, which comes first (ZygoteRequest), and `settle` and
/// `takes_terminal`, which only a copy of the caller can have.
std::string encode(const InitPlan& plan);

/// The plan, for a process that has `received[i]` where its writer had `descriptors(plan)[i]`.
InitPlan decode_init_plan(std::string_view bytes, const std::vector<int>& received);

}  // namespace isoenv
