#include "ready/pattern.h"

#include <boost/regex.hpp>
#include <exception>
#include <utility>

#include "base/error.h"

namespace isoenv {

struct Pattern::Compiled {
  boost::regex expression;
};

Pattern::Pattern(std::string text) : text_(std::move(text)) {
  try {
    compiled_ = std::make_unique<Compiled>(Compiled{boost::regex(text_)});
  } catch (const boost::regex_error& fault) {
    throw Error("'" + text_ + "' is not a regular expression: " + fault.what(), ExitCode::kUsage,
                "a character such as ( [ { * + ? . means itself after a backslash");
  }
}

Pattern::~Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;

bool Pattern::found_in(std::string_view subject) const noexcept {
  try {
    return boost::regex_search(subject.begin(), subject.end(), compiled_->expression);
  } catch (const std::exception&) {
    return false;  // Boost.Regex gives up on a search that would take exponential time
  }
}

}  // namespace isoenv
