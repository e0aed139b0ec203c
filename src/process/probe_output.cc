#include "process/probe_output.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.h"

namespace isoenv {
namespace {

constexpr off_t kTold = 2048;

}  // namespace

ProbeOutput::ProbeOutput() : file_(::memfd_create("probe", MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
  if (!file_ || ::ftruncate(*file_, kMost) != 0 || ::fcntl(*file_, F_ADD_SEALS, F_SEAL_GROW) != 0) {
    throw_errno("create a file for probe output");
  }
}

void ProbeOutput::clear() noexcept {
  ::fallocate(*file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, kMost);
  ::lseek(*file_, 0, SEEK_SET);
}

std::string ProbeOutput::last(bool by_lines) const {
  const off_t end = std::min<off_t>(::lseek(*file_, 0, SEEK_CUR), kMost);
  const off_t begin = std::max<off_t>(0, end - kTold);
  std::string text(static_cast<std::size_t>(end - begin), '\0');
  const ssize_t length = ::pread(*file_, text.data(), text.size(), begin);
  text.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  if (begin > 0 && by_lines) {
    const std::size_t newline = text.find('\n');
    text.erase(0, newline == std::string::npos ? newline : newline + 1);
  }
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace isoenv
