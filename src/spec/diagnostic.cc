#include "spec/diagnostic.h"

#include "base/text.h"

namespace isoenv {
namespace {

constexpr std::size_t kLongestQuote = 100;

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

std::string escaped(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (letter == '\n') {
      out += "\\n";
    } else if (letter == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 0xf];
    } else {
      out += letter;
    }
  }
  return out;
}

}  // namespace

std::string render(const std::string& file, const std::vector<Diagnostic>& diagnostics) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) {
    if (!text.empty()) text += '\n';
    if (!file.empty()) text += file + ": ";
    if (!diagnostic.where.empty()) text += diagnostic.where + ": ";
    text += diagnostic.what;
    if (!diagnostic.hint.empty()) text += "; " + diagnostic.hint;
  }
  return text;
}

std::string in_quotes(std::string_view text) {
  if (text.size() <= kLongestQuote) return "'" + escaped(text) + "'";
  std::size_t end = kLongestQuote;
  while (end > 0 && is_continuation(text[end])) --end;
  return "'" + escaped(text.substr(0, end)) + "…'";
}

std::string suggest(std::string_view word, const std::vector<std::string>& candidates) {
  if (candidates.empty()) return {};
  const std::string nearest = nearest_word(word, candidates);
  if (!nearest.empty()) return "did you mean '" + nearest + "'?";
  if (candidates.size() == 1) return "expected '" + candidates.front() + "'";
  if (candidates.size() > 20) return {};
  return "expected one of " + join(candidates, ", ");
}

}  // namespace isoenv
