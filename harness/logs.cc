// `isoenv logs`: prints the merged log of an instance, or follows it until the instance ends.
//
// Waits for events of the kernel, never for time: inotify for what is written, and for the end the
// keeper's pidfd and the last close of the artefact marker, which also tells from inside another
// PID namespace.
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/printable.h"
#include "base/syscall.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "harness/artefacts.h"
#include "harness/command.h"
#include "harness/instances.h"
#include "harness/options.h"
#include "harness/run_dir.h"
#include "harness/session.h"

namespace isoenv {
namespace {

constexpr char kOwnName[] = "isoenv";  // what IsoEnv itself writes into the merged log

/// Where the log is, and whose.
struct LogSource {
  std::filesystem::path directory;
  std::filesystem::path spec_file;  ///< "" when unknown
  ProcessId keeper;                 ///< of a live instance

  std::filesystem::path log_file() const { return directory / "isoenv.log"; }
  bool is_live() const { return keeper.pid > 0; }
};

/// The last instance of the spec, when none is up.
LogSource ended_source(const LogsOptions& options) {
  std::filesystem::path spec_file;
  std::filesystem::path root;
  if (options.artefacts) {
    root = artefact_root(options.artefacts, "", "");
  } else {
    const EnvironmentSpec spec = load_spec(options.file.value_or(kDefaultSpecFile));
    spec_file = spec.file;
    root = artefact_root(std::nullopt, spec.name, spec.file);
  }
  if (const auto directory = latest_artefacts(root)) return {*directory, spec_file, {}};
  throw Error(
      "no instance is up, and none has left a log in '" + root.string() + "'",
      ExitCode::kEnvironmentFailed,
      "start one with 'isoenv up -f FILE'; if it was given --artefacts DIR, give it here too");
}

LogSource source_of(const Lease& lease) {
  return {lease.artefact_directory, lease.key.spec_file, lease.keeper};
}

LogSource find_source(const LogsOptions& options) {
  const std::filesystem::path root = open_run_root();
  const Selection selection{options.file, options.name};
  if (const std::optional<Reached> around = surrounding_instance(root, selection)) {
    return source_of(around->instance.lease);
  }
  sweep_stale(root);
  const Caller caller = current_caller();
  const bool has_spec = options.file || ::access(kDefaultSpecFile, F_OK) == 0;
  // Asked once: the instance may end at any moment, and its log is the one that was meant.
  const std::vector<RunningInstance> instances = select_instances(root, selection, caller);
  if (instances.empty() && (has_spec || options.artefacts)) return ended_source(options);
  const Lease lease = instances.size() == 1 ? instances.front().lease
                                            : find_instance(root, selection, caller).lease;
  return source_of(lease);
}

/// The names that may stand in the log: of the spec, when it can still be read, and of what was
/// started, each of which has a folder for its scratch data.
std::vector<std::string> known_services(const LogSource& source) {
  std::vector<std::string> names{kOwnName};
  std::error_code error;
  for (std::filesystem::directory_iterator entry(source.directory, error), end;
       !error && entry != end; entry.increment(error)) {
    if (entry->is_directory(error)) names.push_back(entry->path().filename());
  }
  if (source.spec_file.empty()) return names;
  try {
    for (const ServiceSpec& service : load_spec(source.spec_file).services) {
      names.push_back(service.name);
    }
  } catch (const Error&) {
    // Changed since or gone: what was started is known from its folders.
  }
  return names;
}

void check_services(const std::vector<std::string>& wanted, const LogSource& source) {
  if (wanted.empty()) return;
  const std::vector<std::string> known = known_services(source);
  for (const std::string& name : wanted) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string nearest = nearest_word(name, known);
    throw Error(
        "the environment has no service '" + name + "'", ExitCode::kUsage,
        nearest.empty() ? "the log has: " + join(known, ", ") : "did you mean '" + nearest + "'?");
  }
}

/// The service of a line `HH:MM:SS.uuuuuu <service padded> | text`; "" for any other line.
std::string_view service_of(std::string_view line) {
  const std::size_t time_end = line.find(' ');
  const std::size_t bar = line.find(" |");
  if (time_end == std::string_view::npos || bar == std::string_view::npos || bar <= time_end) {
    return {};
  }
  std::string_view name = line.substr(time_end + 1, bar - time_end - 1);
  return name.substr(0, name.find(' '));
}

/// Prints the lines of some services, or of all. A line that names no service goes with the one
/// before it.
class LinePrinter {
 public:
  explicit LinePrinter(std::vector<std::string> services) : services_(std::move(services)) {}

  void print(std::string_view text) {
    pending_ += text;
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = pending_.find('\n', begin)) != std::string::npos;) {
      print_line(std::string_view(pending_).substr(begin, end + 1 - begin));
      begin = end + 1;
    }
    pending_.erase(0, begin);
  }

  /// A last line without its end.
  void finish() {
    if (!pending_.empty()) print_line(pending_);
    pending_.clear();
  }

 private:
  void print_line(std::string_view line) {
    const std::string_view service = service_of(line);
    if (!services_.empty() && !service.empty()) {
      selected_ = std::find(services_.begin(), services_.end(), service) != services_.end();
    }
    if (!services_.empty() && !selected_) return;
    if (!to_terminal_) {
      std::cout << line;
    } else {
      if (line.ends_with('\n')) line.remove_suffix(1);
      std::cout << printable(line, Colours::kKeep) << '\n';
    }
  }

  std::vector<std::string> services_;
  bool to_terminal_ = ::isatty(STDOUT_FILENO) == 1;
  std::string pending_;
  bool selected_ = false;
};

void print_available(int log, LinePrinter& printer) {
  std::array<char, 1 << 16> buffer{};
  ssize_t size = 0;
  while ((size = ::read(log, buffer.data(), buffer.size())) > 0) {
    printer.print({buffer.data(), static_cast<std::size_t>(size)});
  }
  if (size < 0) throw_errno("read the log");
  std::cout.flush();
}

/// Tells what happens to a live instance and its log.
class LogWatch {
 public:
  explicit LogWatch(const LogSource& source) : inotify_(make_inotify()) {
    add(source.log_file(), IN_MODIFY);
    marker_ = add(artefact_marker(source.directory), IN_CLOSE_WRITE);
    if (source.keeper.pid > 0) keeper_ = open_pidfd(source.keeper);
    ended_ =
        !artefacts_in_use(source.directory);  // read after the watch is set, so no end is missed
  }

  bool ended() const noexcept { return ended_; }

  /// Returns when something was written, or the instance has ended.
  void wait() {
    std::array<pollfd, 2> events{{{*inotify_, POLLIN, 0}, {*keeper_, POLLIN, 0}}};
    while (::poll(events.data(), events.size(), -1) < 0) {
      if (errno != EINTR) throw_errno("wait for the log");
    }
    if (events[1].revents != 0) ended_ = true;
    if (events[0].revents != 0) read_events();
  }

 private:
  int add(const std::filesystem::path& file, std::uint32_t events) {
    const int watch = ::inotify_add_watch(*inotify_, file.c_str(), events);
    if (watch < 0) throw_errno("watch", file);
    return watch;
  }

  void read_events() {
    alignas(inotify_event) std::array<char, 4096> buffer{};
    const ssize_t size = ::read(*inotify_, buffer.data(), buffer.size());
    for (ssize_t offset = 0; offset < size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + offset);
      if (event->wd == marker_) ended_ = true;
      offset += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    }
  }

  UniqueFd inotify_;
  UniqueFd keeper_;
  int marker_ = -1;
  bool ended_ = false;
};

}  // namespace

int logs_command(const std::vector<std::string>& arguments) {
  const LogsOptions options = parse_logs(arguments);
  const LogSource source = find_source(options);
  check_services(options.services, source);
  const UniqueFd log(::open(source.log_file().c_str(), O_RDONLY | O_CLOEXEC));
  if (!log) throw_errno("open the log", source.log_file());

  LinePrinter printer(options.services);
  if (options.follow && source.is_live()) {
    LogWatch watch(source);
    // What is written before the end is printed before the return: the end is asked for first.
    for (bool ended = watch.ended(); !ended; ended = watch.ended()) {
      print_available(*log, printer);
      watch.wait();
    }
  }
  print_available(*log, printer);
  printer.finish();
  return static_cast<int>(ExitCode::kOk);
}

}  // namespace isoenv
