// Reads the log of a service line by line, across its new beginnings, and waits for more.
#pragma once

#include <chrono>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>

#include "isoenv/log.h"
#include "source/descriptor.h"
#include "source/instance.h"

namespace isoenv::inline client {

enum class LogPlace { kBeginning, kEnd };

/// A growing file that is renamed `<name>.old.log` when it gets too long, and then begins anew.
/// Holds the file it reads open, so that what is renamed or removed meanwhile is read to its end.
class LogReader {
 public:
  LogReader(std::filesystem::path file, LogPlace place);

  /// The next whole line, without its end; false when there is none yet.
  bool next(std::string& line);

 private:
  bool read_more();
  bool open_next();

  std::filesystem::path file_;
  Descriptor current_;
  std::deque<Descriptor> older_;  // to be read before current_
  std::string pending_;           // read, and not yet a whole line
  std::size_t consumed_ = 0;      // of pending_
};

struct Log::State {
  State(std::shared_ptr<const Instance> of, std::size_t position, LogPlace place);

  std::shared_ptr<const Instance> instance;
  std::size_t service;
  LogReader reader;
  std::deque<std::string> unread;  ///< lines that were looked at in vain
};

}  // namespace isoenv::inline client
