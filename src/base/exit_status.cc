#include "base/exit_status.h"

#include <sys/wait.h>

#include <csignal>
#include <cstring>

namespace isoenv {

ExitStatus ExitStatus::from_wait(int status) noexcept {
  ExitStatus result;
  if (WIFSIGNALED(status)) {
    result.signal = WTERMSIG(status);
    result.core = WCOREDUMP(status);
  } else {
    result.code = WEXITSTATUS(status);
  }
  return result;
}

std::string ExitStatus::describe() const {
  if (signal == 0) return "exit code " + std::to_string(code);
  return "killed by " + signal_name(signal) + (core ? " (core dumped)" : "");
}

std::string signal_name(int signal) {
  const char* abbreviation = ::sigabbrev_np(signal);
  if (abbreviation == nullptr) return "signal " + std::to_string(signal);
  return std::string("SIG") + abbreviation;
}

int signal_number(const std::string& name) noexcept {
  const bool prefixed = name.rfind("SIG", 0) == 0;
  const char* bare = name.c_str() + (prefixed ? 3 : 0);
  for (int signal = 1; signal < NSIG; ++signal) {
    const char* abbreviation = ::sigabbrev_np(signal);
    if (abbreviation != nullptr && std::strcmp(abbreviation, bare) == 0) return signal;
    if (!prefixed && name == std::to_string(signal)) return signal;
  }
  return 0;
}

}  // namespace isoenv
