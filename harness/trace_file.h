// The trace of an instance as a file that Perfetto and chrome://tracing open.
//
// The form is the JSON object of the Trace Event Format
// (https://chromium.googlesource.com/catapult/+/HEAD/docs/trace-event-format.md): complete events
// (`X`) and instants (`i`), their `ts` and `dur` in microseconds from the first event; processes
// and threads are groups and tracks, which metadata events (`M`) name. On a track, what lasts is
// nested or apart, never half over another. A file is there whole or not at all.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "env/timing.h"

namespace isoenv {

/// The text of the file, one event a line.
std::string trace_json(const std::vector<TraceSpan>& spans);

/// True when the variable ISOENV_TRACE asks every instance for one: it is set, and not to 0.
bool wants_trace();

class TraceFile {
 public:
  /// Throws Error (kUsage) when that file could not be written. Leaves nothing.
  explicit TraceFile(const std::filesystem::path& path);

  /// Writes the file, or replaces it. Throws SystemError.
  void write(const std::vector<TraceSpan>& spans) const;
  /// The same, with what the command did on a track of its own.
  void write(const std::string& command, const CommandPhases& phases, const Timing& timing) const;

 private:
  std::filesystem::path path_;
};

}  // namespace isoenv
