#include "base/error.h"

#include <sys/resource.h>

#include <boost/system/system_error.hpp>
#include <cstring>
#include <filesystem>
#include <new>

namespace isoenv {
namespace {

std::string describe(int error_number, const std::string& operation, const std::string& subject) {
  std::string text = "cannot " + operation;
  if (!subject.empty()) text += " '" + subject + "'";
  return text + ": " + errno_text(error_number);
}

/// What helps whatever the operation was.
std::string general_hint(int error_number) {
  rlimit open_files{};
  if (error_number != EMFILE || ::getrlimit(RLIMIT_NOFILE, &open_files) != 0) return {};
  return "at most " + std::to_string(open_files.rlim_cur) +
         " files may be open in a process here: raise the hard limit (ulimit -Hn, limits.conf(5))";
}

}  // namespace

// NOLINTNEXTLINE(performance-unnecessary-value-param): callers hand over what they have built.
SystemError::SystemError(int error_number, std::string operation, std::string subject,
                         ExitCode code, std::string hint)
    : Error(describe(error_number, operation, subject), code,
            hint.empty() ? general_hint(error_number) : std::move(hint)),
      error_number_(error_number),
      operation_(std::move(operation)) {}

void throw_errno(std::string operation, std::string subject) {
  const int error_number = errno;
  throw SystemError(error_number, std::move(operation), std::move(subject));
}

Error told(const std::exception& exception) {
  if (const auto* ours = dynamic_cast<const Error*>(&exception)) return *ours;
  if (dynamic_cast<const std::bad_alloc*>(&exception) != nullptr) {
    return Error("there is not enough memory");
  }
  // What a library adds to the error's own text is the operation: `epoll: Too many open files`.
  const std::string text = exception.what();
  // NOLINTBEGIN(cppcoreguidelines-slicing): the words are what is told.
  const std::string operation = "finish '" + text.substr(0, text.find(": ")) + "'";
  if (const auto* file = dynamic_cast<const std::filesystem::filesystem_error*>(&exception)) {
    return SystemError(file->code().value(), "use", file->path1());
  }
  if (const auto* system = dynamic_cast<const std::system_error*>(&exception)) {
    return SystemError(system->code().value(), operation);
  }
  if (const auto* system = dynamic_cast<const boost::system::system_error*>(&exception)) {
    return SystemError(system->code().value(), operation);
  }
  // NOLINTEND(cppcoreguidelines-slicing)
  return Error(text);
}

std::string in_one_line(const Error& error) {
  std::string text = error.what();
  for (const std::string& frame : error.frames()) text += ", while " + frame;
  if (!error.hint().empty()) text += "; " + error.hint();
  return text;
}

std::string errno_text(int error_number) {
  const char* name = ::strerrorname_np(error_number);
  const char* text = ::strerrordesc_np(error_number);
  return std::string(name != nullptr ? name : "unknown error") + " (" +
         (text != nullptr ? text : std::to_string(error_number)) + ")";
}

}  // namespace isoenv
