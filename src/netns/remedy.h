// What to change about a refusal, on each kind of machine: command lines and configuration to copy.
//
// Text only. The place we are in comes first, and what gives the least away before what gives more.
#pragma once

#include <string>
#include <vector>

#include "netns/machine.h"
#include "netns/refusal.h"

namespace isoenv {

struct Remedy {
  Place place = Place::kHost;
  std::string text;  ///< one command or a few lines of configuration
  std::string note;  ///< what it gives away, or where it goes; may be ""

  /// On one line, for a hint.
  std::string line() const;
};

/// All that is known, those for `machine.place` first. None for an unknown cause.
std::vector<Remedy> remedies(const Cause& cause, const Machine& machine);

/// An AppArmor profile that lets the program at `executable` use user namespaces and denies it
/// nothing else, as Ubuntu 23.10 and later need (apparmor.d(5)).
std::string apparmor_profile(const std::string& executable);

/// The file it belongs into.
inline constexpr char kAppArmorProfileFile[] = "/etc/apparmor.d/isoenv";

}  // namespace isoenv
