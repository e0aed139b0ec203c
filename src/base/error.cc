#include "base/error.h"

#include <cstring>

namespace isoenv {
namespace {

std::string describe(int error_number, const std::string& operation, const std::string& subject) {
  std::string text = "cannot " + operation;
  if (!subject.empty()) text += " '" + subject + "'";
  return text + ": " + errno_text(error_number);
}

}  // namespace

SystemError::SystemError(int error_number, std::string operation, std::string subject,
                         ExitCode code, std::string hint)
    : Error(describe(error_number, operation, subject), code, std::move(hint)),
      error_number_(error_number),
      operation_(std::move(operation)) {}

void throw_errno(std::string operation, std::string subject) {
  const int error_number = errno;
  throw SystemError(error_number, std::move(operation), std::move(subject));
}

std::string errno_text(int error_number) {
  const char* name = ::strerrorname_np(error_number);
  const char* text = ::strerrordesc_np(error_number);
  return std::string(name != nullptr ? name : "unknown error") + " (" +
         (text != nullptr ? text : std::to_string(error_number)) + ")";
}

}  // namespace isoenv
