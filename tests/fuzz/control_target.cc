// The control protocol: a text as a request, an answer and an error.
#include "base/error.h"
#include "fuzz.h"
#include "harness/control.h"

namespace isoenv::fuzz {
namespace {

template <typename Decode, typename Check>
void decode_and_check(const std::string& text, ExitCode code, Decode decode, Check check) {
  try {
    check(decode(text));
  } catch (const Error& error) {
    require(error.code() == code, "a refusal has its exit code");
    require(*error.what() != '\0', "a refusal says why");
    require(std::string_view(error.what()).size() < 1000, "a refusal can be read");
    require(!has_control_character(error.what()), "a refusal is one line of text");
  }
}

}  // namespace
}  // namespace isoenv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace isoenv;
  using namespace isoenv::fuzz;
  const std::string text(text_of(data, size));

  decode_and_check(text, ExitCode::kUsage, decode_request, [](const Request& request) {
    const std::string line = encode(request);
    require(line.find('\n') == std::string::npos, "a request is one line");
    const Request again = decode_request(line);
    require(again.kind == request.kind && again.services == request.services,
            "a request comes back as it was sent");
  });
  decode_and_check(text, ExitCode::kEnvironmentFailed, decode_answer, [](const Answer& answer) {
    const std::string line = encode(answer);
    require(line.find('\n') == std::string::npos, "an answer is one line");
    const Answer again = decode_answer(line);
    require(again.variables == answer.variables && again.report == answer.report &&
                again.failures.size() == answer.failures.size() && encode(again) == line,
            "an answer comes back as it was sent");
  });
  decode_and_check(text, ExitCode::kEnvironmentFailed, decode_error, [](const Error& error) {
    const Error again = decode_error(encode_error(error));
    require(std::string_view(again.what()) == error.what() && again.code() == error.code() &&
                again.hint() == error.hint() && again.frames() == error.frames(),
            "an error comes back as it was sent");
  });
  return 0;
}
