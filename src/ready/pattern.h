// A user's regular expression, Perl syntax (Boost.Regex), compiled once.
//
// Keeps the regex library out of other headers. Searching never throws: an expression that explodes
// on some text does not match it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace isoenv {

class Pattern {
 public:
  /// Throws Error (usage) that names the expression when it is not one.
  explicit Pattern(std::string text);
  ~Pattern();
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;

  const std::string& text() const noexcept { return text_; }
  /// True when some part of `subject` matches.
  bool found_in(std::string_view subject) const noexcept;

 private:
  struct Compiled;

  std::string text_;
  std::unique_ptr<const Compiled> compiled_;
};

}  // namespace isoenv
