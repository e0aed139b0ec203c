// The words of `isoenv --help` and `isoenv COMMAND --help`; the options' own stand in options.cc.
#pragma once

#include <string>

namespace isoenv {

struct CommandHelp {
  std::string usage;
  std::string purpose;     ///< two to four sentences
  std::string exit_codes;  ///< indented lines
  std::string example;     ///< indented lines
};

/// `command` must be one of isoenv's.
CommandHelp help_of(const std::string& command);

}  // namespace isoenv
