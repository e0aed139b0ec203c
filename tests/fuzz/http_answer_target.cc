// The answer to an http probe. The first byte chooses what is expected and how the rest arrives.
#include <algorithm>

#include "fuzz.h"
#include "ready/http_answer.h"

namespace isoenv::fuzz {
namespace {

struct Verdict {
  bool passed = false;
  std::string sentence;

  bool operator==(const Verdict&) const = default;
};

Verdict judge(std::string_view bytes, std::size_t step, int status, const Pattern* body) {
  HttpAnswer answer("GET /", status, body);
  for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size()))) {
    answer.feed(bytes.substr(0, step));
  }
  answer.finish();
  require(answer.judged(), "an answer that has ended is judged");
  require(answer.sentence().starts_with("GET /"), "the sentence names the request");
  require(!has_control_character(answer.sentence()), "the sentence is one line of text");
  return {answer.passed(), answer.sentence()};
}

}  // namespace
}  // namespace isoenv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace isoenv::fuzz;
  if (size == 0) return 0;
  static const isoenv::Pattern pattern("\"status\": *\"up\"");
  const unsigned mode = data[0];
  const isoenv::Pattern* const body = (mode & 1U) != 0 ? &pattern : nullptr;
  const int status = (mode & 2U) != 0 ? 204 : 0;
  const std::string_view bytes = text_of(data + 1, size - 1);
  const Verdict whole = judge(bytes, bytes.size() + 1, status, body);
  require(judge(bytes, 1 + (mode >> 2U), status, body) == whole,
          "an answer is judged the same in whatever pieces it arrives");
  if (whole.passed) require(whole.sentence.starts_with("GET / answered "), "only an answer passes");
  return 0;
}
