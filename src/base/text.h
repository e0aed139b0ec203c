// Small pure functions on text that several layers need.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace isoenv {

/// The candidate nearest to `word` by edit distance, or "" when none is near enough to be meant
/// (more than a third of the word's letters, at least one, would have to change).
std::string nearest_word(std::string_view word, const std::vector<std::string>& candidates);

/// Eight hex digits of a stable hash (FNV-1a). Not for secrets, nor against anybody's malice.
std::string short_hash(std::string_view text);

/// `31 ms`; whole seconds as `30 s`.
std::string exact_duration(std::chrono::nanoseconds duration);

/// JSON carries no bytes, and the values of variables need not be UTF-8: each byte becomes the
/// character of that number.
std::string bytes_as_text(const std::string& bytes);
/// And back.
std::string text_as_bytes(const std::string& text);

/// `a, b, c`.
std::string join(const std::vector<std::string>& parts, std::string_view separator);

}  // namespace isoenv
