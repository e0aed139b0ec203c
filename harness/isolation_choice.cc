#include "harness/isolation_choice.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/syscall.h"
#include "base/text.h"
#include "harness/control.h"
#include "netns/network.h"

namespace isoenv {
namespace {

constexpr char kVariable[] = "ISOENV_ISOLATION";
constexpr std::array<std::pair<std::string_view, Isolation>, 3> kWords{
    {{"auto", Isolation::kAuto}, {"netns", Isolation::kNetns}, {"ports", Isolation::kPorts}}};

Isolation from_word(const std::string& source, const std::string& word) {
  std::vector<std::string> known;
  for (const auto& [name, isolation] : kWords) {
    if (name == word) return isolation;
    known.emplace_back(name);
  }
  const std::string nearest = nearest_word(word, known);
  throw Error(
      source + " is '" + word + "', which is no isolation", ExitCode::kUsage,
      nearest.empty() ? "it is one of: " + join(known, ", ") : "did you mean '" + nearest + "'?");
}

}  // namespace

Isolation choose_isolation(const std::optional<std::string>& option) {
  if (option) return from_word("option '--isolation'", *option);
  const char* variable = std::getenv(kVariable);
  if (variable == nullptr || *variable == '\0') return Isolation::kAuto;
  return from_word(std::string("the variable ") + kVariable, variable);
}

std::string refusal_text(const Error& refused) {
  std::string text = refused.what();
  for (const std::string& frame : refused.frames()) text += ", while " + frame;
  if (!refused.hint().empty()) text += "; " + refused.hint();
  return text;
}

std::string degraded_text(const std::string& refusal) {
  return "no namespaces, ports of the host's loopback instead: " + refusal;
}

void check_isolation(Isolation wanted, const Lease& lease) {
  const bool has_ports = lease.rung == rung_name(Rung::kPorts);
  if (wanted == Isolation::kAuto || (wanted == Isolation::kPorts) == has_ports) return;
  throw Error("'" + lease.environment + "' is up " +
                  (has_ports ? "without namespaces" : "with namespaces") + " (rung '" + lease.rung +
                  "'), and isolation '" + (has_ports ? "netns" : "ports") + "' is asked for",
              ExitCode::kUsage, "take it down first, with 'isoenv down'");
}

std::optional<std::string> try_namespaces() {
  Pipe report = make_pipe();
  const pid_t child = ::fork();
  if (child < 0) throw_errno("fork");
  if (child == 0) {
    try {
      enter_new_namespaces();
      enter_own_mounts();
      raise_loopback();
    } catch (const Error& refused) {
      const std::string text = encode_error(refused);
      (void)!::write(*report.write, text.data(), text.size());
    }
    ::_exit(0);
  }
  report.write.reset();
  const std::string answer = read_to_end(*report.read);
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (answer.empty()) return std::nullopt;
  return refusal_text(decode_error(answer));
}

}  // namespace isoenv
