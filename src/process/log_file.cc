#include "process/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/error.h"
#include "base/syscall.h"

namespace isoenv {
namespace {

// Not blocking: what a service put there may be a FIFO, open(2).
constexpr int kOpenFlags = O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK;

struct Written {
  std::size_t bytes = 0;
  int error = 0;
};

Written write_all(int fd, std::string_view text) noexcept {
  Written written;
  while (written.bytes < text.size()) {
    const ssize_t count = ::write(fd, text.data() + written.bytes, text.size() - written.bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      written.error = count < 0 ? errno : ENOSPC;
      break;
    }
    written.bytes += static_cast<std::size_t>(count);
  }
  return written;
}

/// Takes back the last bytes of a file that nobody else writes.
void take_back(int fd, std::size_t bytes) noexcept {
  struct stat status {};
  if (bytes == 0 || ::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return;
  (void)!::ftruncate(fd, status.st_size - static_cast<off_t>(bytes));
}

std::uint64_t size_of(const std::filesystem::path& file) noexcept {
  struct stat status {};
  const bool found = ::stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode);
  return found ? static_cast<std::uint64_t>(status.st_size) : 0;
}

std::filesystem::path old_name(std::filesystem::path file) {
  return file.replace_extension(".old.log");
}

std::string bytes_text(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " byte" : " bytes");
}

}  // namespace

LogFile::LogFile(std::filesystem::path file, Options options)
    : file_path_(std::move(file)), options_(std::move(options)) {
  if (options_.at_first_byte) return;
  if (const int error = open(); error != 0) {
    throw SystemError(error, "open", file_path_.string());
  }
}

/// Opens the file if it is not open yet. Returns an errno, 0 for none.
int LogFile::open() noexcept {
  if (file_) return 0;
  file_.reset(::open(file_path_.c_str(), kOpenFlags | O_CLOEXEC, 0644));
  if (!file_) return errno;
  size_ = size_of(file_path_);
  old_size_ = size_of(old_name(file_path_));
  line_ended_ = size_ == 0;
  return 0;
}

void LogFile::append(std::string_view text) {
  if (text.empty()) return;
  if (const int error = open(); error != 0) return lose_and_tell(text.size(), error);
  if (options_.limit != 0 && size_ != 0 && size_ + text.size() > options_.limit / 2) begin_anew();
  if (untold_ != 0) {
    if (!recover(text)) lose(text.size(), error_);
    return;
  }
  write(text);
}

void LogFile::finish() {
  if (untold_ != 0) (void)recover({});
}

std::string LogFile::losses() const {
  if (lost_ == 0) return {};
  return bytes_text(lost_) + (lost_ == 1 ? " is" : " are") + " lost: " + errno_text(error_);
}

std::string LogFile::remark(const std::string& text) const {
  if (options_.form) return options_.form(text);
  return (line_ended_ ? "[isoenv: " : "\n[isoenv: ") + text + "]\n";
}

std::string LogFile::loss_remark() const {
  return remark(bytes_text(untold_) + (untold_ == 1 ? " is" : " are") +
                " lost here: " + errno_text(error_));
}

void LogFile::write(std::string_view text) {
  Written written = write_all(*file_, text);
  if (written.error != 0 && options_.whole_lines) {
    const std::size_t last = text.substr(0, written.bytes).rfind('\n');
    const std::size_t kept = last == std::string_view::npos ? 0 : last + 1;
    take_back(*file_, written.bytes - kept);
    written.bytes = kept;
  }
  size_ += written.bytes;
  if (written.bytes != 0) line_ended_ = text[written.bytes - 1] == '\n';
  if (written.error != 0) lose_and_tell(text.size() - written.bytes, written.error);
}

void LogFile::lose_and_tell(std::uint64_t bytes, int error) {
  const bool first = untold_ == 0;
  lose(bytes, error);
  if (first && options_.tell) {
    options_.tell("cannot write to '" + file_path_.filename().string() +
                  "': " + errno_text(error_) + "; output is lost");
  }
}

void LogFile::lose(std::uint64_t bytes, int error) {
  untold_ += bytes;
  lost_ += bytes;
  error_ = error;
}

/// Writes the remark on what was lost and `text` after it, both or neither: half a remark, or a
/// remark for every few bytes that become free, would help nobody.
bool LogFile::recover(std::string_view text) {
  if (open() != 0) return false;
  std::string both = loss_remark();
  both += text;
  const Written written = write_all(*file_, both);
  if (written.error != 0) {
    take_back(*file_, written.bytes);
    error_ = written.error;
    return false;
  }
  size_ += both.size();
  line_ended_ = both.back() == '\n';
  const std::string lost = bytes_text(std::exchange(untold_, 0));
  if (options_.tell) {
    options_.tell("writes to '" + file_path_.filename().string() + "' again; it lacks " + lost);
  }
  return true;
}

/// Keeps the file as the old one and opens another. Where that is refused, its text is given up:
/// the limit holds in any case.
void LogFile::begin_anew() {
  const std::filesystem::path old = old_name(file_path_);
  std::string where = "what came before is in '" + old.filename().string() + "'";
  UniqueFd fresh;
  if (::rename(file_path_.c_str(), old.c_str()) == 0) {
    dropped_ += std::exchange(old_size_, size_);
    fresh.reset(::open(file_path_.c_str(), kOpenFlags | O_EXCL | O_CLOEXEC, 0644));
    if (!fresh && ::rename(old.c_str(), file_path_.c_str()) == 0) old_size_ = 0;
  }
  if (fresh) {
    file_ = std::move(fresh);
  } else {
    if (::ftruncate(*file_, 0) != 0) return;
    dropped_ += size_;
    where = "what came before could not be kept";
  }
  size_ = 0;
  line_ended_ = true;
  if (dropped_ != 0) where += "; dropped since this log was opened: " + bytes_text(dropped_);
  const std::string text =
      remark("the log's limit of " + bytes_text(options_.limit) + " is reached: " + where);
  const Written written = write_all(*file_, text);
  if (written.error == 0) {
    size_ = text.size();
  } else {
    take_back(*file_, written.bytes);
  }
}

}  // namespace isoenv
