#include "harness/control.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "spec/diagnostic.h"

namespace isoenv {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kExitCodes = {ExitCode::kOk, ExitCode::kEnvironmentFailed, ExitCode::kUsage,
                                   ExitCode::kCannotRun, ExitCode::kOwnFailure};

constexpr std::array kKindNames = {"up",    "down",  "ps",    "join", "describe", "mark",
                                   "enter", "fault", "begin", "end",  "witness"};

/// Requests and answers nest far less. Deeper ones are refused unread: what reads or frees a value
/// may use the stack for each level.
constexpr int kDeepest = 16;
constexpr std::size_t kMostFaults = 1000;

[[noreturn]] void refuse(const std::string& what) {
  throw Error("not a request: " + what, ExitCode::kUsage);
}

/// Numbers and booleans are never converted into each other.
std::uint64_t whole_number(const Json& json, const char* key) {
  const Json& value = json.at(key);
  if (!value.is_number_unsigned()) refuse("its " + in_quotes(key) + " is no whole number");
  return value.get<std::uint64_t>();
}

std::string short_text(const Json& json, const char* key) {
  std::string text = json.at(key);
  if (text.size() > kLongestName) refuse("its " + in_quotes(key) + " is too long");
  return text;
}

Json fault_json(const Request& request) {
  return {{"kind", fault_name(request.fault)},
          {"signal", request.signal},
          {"session", request.origin.session},
          {"keep", request.origin.keep},
          {"by", request.origin.by}};
}

void read_fault(const Json& json, Request& request) {
  const std::string name = json.at("kind");
  const std::optional<FaultKind> kind = fault_kind(name);
  if (!kind) refuse("there is no fault " + in_quotes(name));
  request.fault = *kind;
  const std::uint64_t signal = whole_number(json, "signal");
  if (signal == 0 || signal >= NSIG || signal == SIGSTOP) refuse("its 'signal' cannot be sent");
  request.signal = static_cast<int>(signal);
  request.origin = {whole_number(json, "session"), json.at("keep").get<bool>(),
                    short_text(json, "by")};
}

void read_begin(const Json& json, Request& request) {
  request.test = short_text(json, "test");
  request.faults = json.at("faults").get<std::vector<std::string>>();
  if (json.contains("within")) request.origin.session = whole_number(json, "within");
  if (request.faults.size() > kMostFaults) refuse("it has too many faults");
  for (const std::string& fault : request.faults) {
    if (fault.size() > 2 * kLongestName) refuse("one of its faults is too long");
  }
}

Json tolerance_json(const Tolerance& tolerance) {
  return {{"allow_failure", tolerance.allow_failure}, {"expect_exit", tolerance.exit_texts()}};
}

Tolerance tolerance_from(const Json& json) {
  const auto services = json.at("allow_failure").get<std::vector<std::string>>();
  const auto exits = json.at("expect_exit").get<std::vector<std::string>>();
  if (services.size() + exits.size() > kMostFaults) refuse("it tolerates too much");
  for (const auto* texts : {&services, &exits}) {
    for (const std::string& text : *texts) {
      if (text.size() > 2 * kLongestName) refuse("one of its services has too long a name");
    }
  }
  return parse_tolerance(services, exits);
}

bool nests_too_deep(const std::string& text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\') {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == '[' || c == '{')) {
      if (++depth > kDeepest) return true;
    } else if (!quoted && (c == ']' || c == '}')) {
      --depth;
    }
  }
  return false;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json place_json(const ServicePlace& place) {
  Json environment = Json::array();
  for (const std::string& entry : place.environment) environment.push_back(bytes_as_text(entry));
  return {{"init", {place.init.pid, place.init.start_time}},
          {"environment", std::move(environment)},
          {"secrets", place.secrets},
          {"working_directory", bytes_as_text(place.working_directory)}};
}

ServicePlace place_from(const Json& json) {
  ServicePlace place;
  place.init = {json.at("init").at(0), json.at("init").at(1)};
  for (const Json& entry : json.at("environment")) {
    place.environment.push_back(text_as_bytes(entry));
  }
  place.secrets = json.at("secrets").get<std::vector<std::string>>();
  place.working_directory = text_as_bytes(json.at("working_directory"));
  return place;
}

Json bundle_json(const Bundle& bundle) {
  return {{"test", bytes_as_text(bundle.test)},
          {"what", bytes_as_text(bundle.what)},
          {"reasons", bytes_as_text(join(bundle.reasons, "\n"))},
          {"folder", bytes_as_text(bundle.folder.string())},
          {"repeat", bytes_as_text(bundle.repeat)}};
}

Bundle bundle_from(const Json& json) {
  Bundle bundle;
  bundle.test = text_as_bytes(json.at("test"));
  bundle.what = text_as_bytes(json.at("what"));
  const std::string reasons = text_as_bytes(json.at("reasons"));
  if (!reasons.empty()) bundle.reasons = {reasons};
  bundle.folder = text_as_bytes(json.at("folder"));
  bundle.repeat = text_as_bytes(json.at("repeat"));
  return bundle;
}

Json error_json(const Error& error) {
  return {{"message", error.what()},
          {"hint", error.hint()},
          {"code", static_cast<int>(error.code())},
          {"frames", error.frames()}};
}

Error error_from(const Json& json) {
  const auto* code = std::find_if(kExitCodes.begin(), kExitCodes.end(), [&](ExitCode candidate) {
    return json.at("code") == static_cast<int>(candidate);
  });
  if (code == kExitCodes.end()) {
    throw Error("the report of a failure makes no sense: it has an unknown exit code");
  }
  Error error(json.at("message"), *code, json.at("hint"));
  for (const Json& frame : json.at("frames")) error.add_frame(frame);
  return error;
}

}  // namespace

std::string encode(const Request& request) {
  Json json{{"request", kKindNames[static_cast<std::size_t>(request.kind)]},
            {"services", request.services}};
  if (!request.pause_before.empty()) json["pause_before"] = request.pause_before;
  if (!request.ahead.empty()) json["ahead"] = request.ahead;
  if (request.first) json["first"] = true;
  if (request.timing) json["timing"] = true;
  if (request.kind == Request::Kind::kMark) json["text"] = request.text;
  if (request.kind == Request::Kind::kFault) json["fault"] = fault_json(request);
  if (!request.tolerance.empty()) json["tolerance"] = tolerance_json(request.tolerance);
  if (request.kind == Request::Kind::kBegin) {
    json["test"] = request.test;
    json["faults"] = request.faults;
    if (request.origin.session != 0) json["within"] = request.origin.session;
  }
  if (!request.facts.empty()) json["facts"] = request.facts;
  if (request.kind == Request::Kind::kDown && request.failed) json["failed"] = true;
  if (request.kind == Request::Kind::kWitness) json["session"] = request.origin.session;
  if (request.kind == Request::Kind::kEnd) {
    json["session"] = request.origin.session;
    json["keep"] = request.origin.keep;
    json["failed"] = request.failed;
  }
  return dump(json);
}

Request decode_request(const std::string& text) {
  if (nests_too_deep(text)) throw Error("not a request: it nests too deep", ExitCode::kUsage);
  try {
    const Json json = Json::parse(text);
    const std::string name = json.at("request");
    const auto* kind = std::find(kKindNames.begin(), kKindNames.end(), name);
    if (kind == kKindNames.end()) {
      throw Error("unknown request " + in_quotes(name), ExitCode::kUsage);
    }
    Request request;
    request.kind = static_cast<Request::Kind>(kind - kKindNames.begin());
    request.services = json.at("services").get<std::vector<std::string>>();
    if (json.contains("pause_before")) {
      request.pause_before = json.at("pause_before").get<std::vector<std::string>>();
    }
    if (json.contains("first")) request.first = json.at("first").get<bool>();
    if (json.contains("timing")) request.timing = json.at("timing").get<bool>();
    if (json.contains("ahead")) request.ahead = json.at("ahead").get<std::vector<std::string>>();
    for (const auto* names : {&request.services, &request.pause_before, &request.ahead}) {
      for (const std::string& service : *names) {
        if (service.size() <= kLongestName) continue;
        throw Error("there is no service " + in_quotes(service), ExitCode::kUsage);
      }
    }
    if (request.kind == Request::Kind::kMark) {
      request.text = json.at("text");
      if (request.text.size() > kLongestMark) {
        throw Error("not a request: its 'text' is too long", ExitCode::kUsage);
      }
    }
    if (request.kind == Request::Kind::kFault) {
      read_fault(json.at("fault"), request);
      if (request.services.empty()) refuse("a fault names its services");
    }
    if (request.kind == Request::Kind::kBegin) read_begin(json, request);
    if (json.contains("tolerance")) request.tolerance = tolerance_from(json.at("tolerance"));
    if (request.kind == Request::Kind::kEnd) {
      request.origin.session = whole_number(json, "session");
      request.origin.keep = json.at("keep").get<bool>();
    }
    if (request.kind == Request::Kind::kWitness) {
      request.origin.session = whole_number(json, "session");
    }
    if (json.contains("failed")) request.failed = json.at("failed").get<bool>();
    if (json.contains("facts")) {
      request.facts = json.at("facts").get<std::string>();
      if (request.facts.size() > kLongestFacts) refuse("its 'facts' are too long");
    }
    return request;
  } catch (const Json::exception& error) {
    throw Error("not a request: " + in_quotes(error.what()), ExitCode::kUsage);
  }
}

std::string encode(const Answer& answer) {
  Json json{{"ending", answer.ending}};
  if (answer.error) json["error"] = error_json(*answer.error);
  if (!answer.report.empty()) json["report"] = answer.report;
  if (!answer.timing.empty()) json["timing"] = answer.timing;
  if (answer.refused) json["refused"] = true;
  if (answer.session != 0) json["session"] = answer.session;
  json["variables"] = answer.variables;
  json["temporary_directory"] = answer.temporary_directory;
  json["rung"] = answer.rung;
  json["failures"] = to_json(UpReport{"", 0, answer.failures});
  if (answer.place) json["place"] = place_json(*answer.place);
  if (!answer.witness.empty()) json["witness"] = answer.witness;
  for (const Bundle& bundle : answer.bundles) json["bundles"].push_back(bundle_json(bundle));
  return dump(json);
}

Answer decode_answer(const std::string& text) {
  if (nests_too_deep(text)) throw Error("the keeper's answer makes no sense: it nests too deep");
  try {
    const Json json = Json::parse(text);
    Answer answer;
    answer.ending = json.at("ending");
    if (json.contains("error")) answer.error = error_from(json.at("error"));
    answer.report = json.value("report", "");
    answer.timing = json.value("timing", "");
    answer.refused = json.value("refused", false);
    if (json.contains("session") && json.at("session").is_number_unsigned()) {
      answer.session = json.at("session").get<std::uint64_t>();
    }
    for (const Json& variable : json.at("variables")) {
      answer.variables.emplace_back(variable.at(0), variable.at(1));
    }
    answer.temporary_directory = json.at("temporary_directory");
    answer.rung = json.at("rung");
    answer.failures = up_report_from_json(json.at("failures")).failures;
    if (json.contains("place")) answer.place = place_from(json.at("place"));
    answer.witness = json.value("witness", "");
    if (json.contains("bundles")) {
      for (const Json& bundle : json.at("bundles")) answer.bundles.push_back(bundle_from(bundle));
    }
    return answer;
  } catch (const Json::exception& error) {
    throw Error("the keeper's answer makes no sense: " + in_quotes(error.what()));
  }
}

std::string encode(const TestWitness& witness) {
  return dump({{"marks", witness.marks}, {"plan", witness.plan}, {"services", witness.services}});
}

TestWitness decode_witness(const std::string& text) {
  if (text.empty()) return {};
  try {
    const Json json = Json::parse(text);
    return {json.at("marks"), json.at("plan"), json.at("services")};
  } catch (const Json::exception& error) {
    throw Error("what the keeper knows of the test makes no sense: " + in_quotes(error.what()));
  }
}

std::string encode_error(const Error& error) { return dump(error_json(error)); }

Error decode_error(const std::string& text) {
  const std::string complaint = "the report of a failure makes no sense: ";
  if (nests_too_deep(text)) throw Error(complaint + "it nests too deep");
  try {
    return error_from(Json::parse(text));
  } catch (const Json::exception& error) {
    throw Error(complaint + in_quotes(error.what()));
  }
}

std::optional<ControlClient> ControlClient::connect(const RunDirectory& directory) {
  const std::string path = directory.control_socket().string();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), std::min(path.size() + 1, sizeof address.sun_path));
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) throw_errno("open a unix socket");
  if (::connect(*socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) return std::nullopt;
    throw_errno("connect to the keeper at", path);
  }
  return ControlClient(std::move(socket));
}

std::optional<Answer> ControlClient::ask(const Request& request, int owner) {
  const std::string line = encode(request) + "\n";
  if (line.size() > kLongestRequest) {
    throw Error("the request has " + std::to_string(line.size()) + " bytes, at most " +
                    std::to_string(kLongestRequest),
                ExitCode::kUsage, "name fewer services");
  }
  std::size_t sent = 0;
  while (sent < line.size()) {
    const ssize_t length = ::send(*socket_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) break;  // why it hung up may be there to be read
    sent += static_cast<std::size_t>(length);
  }
  std::string answer;
  char chunk[16 * 1024];
  while (answer.empty() || answer.back() != '\n') {
    pollfd waits[] = {{*socket_, POLLIN, 0}, {owner, POLLIN, 0}};
    if (::poll(waits, 2, -1) < 0) continue;  // EINTR
    if (waits[0].revents == 0) return std::nullopt;
    const ssize_t length = ::recv(*socket_, chunk, sizeof chunk, 0);
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) return std::nullopt;
    answer.append(chunk, static_cast<std::size_t>(length));
    if (answer.size() > kLongestAnswer) {
      throw Error("the keeper's answer has more than " + std::to_string(kLongestAnswer) + " bytes");
    }
  }
  return decode_answer(answer);
}

void ControlClient::wait_for_end() {
  char ignored[256];
  ssize_t length = 0;
  do {
    length = ::recv(*socket_, ignored, sizeof ignored, 0);
  } while (length > 0 || (length < 0 && errno == EINTR));
}

pid_t ControlClient::keeper_pid() const {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(*socket_, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
    throw_errno("ask who keeps the instance");
  }
  return peer.pid;
}

}  // namespace isoenv
