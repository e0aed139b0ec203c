#include "source/session.h"

#include <cstdlib>
#include <mutex>

#include "isoenv/error.h"

namespace isoenv::inline client {
namespace {

constexpr char kSessionVariable[] = "ISOENV_SESSION";  // INSTANCE:NUMBER
constexpr std::size_t kLongestName = 256;              // that the keeper takes

struct UnderWay {
  std::mutex mutex;
  std::string instance;
  std::uint64_t number = 0;
};

UnderWay& under_way() {
  static UnderWay session;
  return session;
}

void set_under_way(const std::string& instance, std::uint64_t number) {
  UnderWay& session = under_way();
  const std::lock_guard lock(session.mutex);
  session.instance = instance;
  session.number = number;
}

std::uint64_t surrounding(const Instance& instance) {
  const char* value = std::getenv(kSessionVariable);
  const std::string prefix = instance.id + ":";
  // One that was inherited from an instance further out is none of this one's.
  if (value == nullptr || std::string(value).rfind(prefix, 0) != 0) return 0;
  return std::strtoull(value + prefix.size(), nullptr, 10);
}

/// What a service did that fails the test.
std::string incident_text(const Json& incident) {
  std::string text = "'" + incident.at("service").get<std::string>() + "' at " +
                     incident.at("when").get<std::string>() + ": " +
                     incident.at("what").get<std::string>();
  for (const Json& line : incident.at("report")) text += "\n    | " + line.get<std::string>();
  return text;
}

}  // namespace

std::uint64_t session_in(const Instance& instance) {
  {
    UnderWay& session = under_way();
    const std::lock_guard lock(session.mutex);
    if (session.number != 0 && session.instance == instance.id) return session.number;
  }
  return surrounding(instance);
}

bool has_surrounding_session(const Instance& instance) { return surrounding(instance) != 0; }

std::string failure_text(const Json& failure) {
  std::string text =
      failure.at("service").get<std::string>() + ": " + failure.at("what").get<std::string>();
  for (const Json& line : failure.at("diagnosis")) text += "\n    " + line.get<std::string>();
  for (const Json& line : failure.at("last_lines")) text += "\n    | " + line.get<std::string>();
  const std::string log = failure.at("log");
  return log.empty() ? text : text + "\n    whole log: " + log;
}

TestSession::TestSession(const Instance& instance, const std::string& test)
    : channel_(instance.connection.open()) {
  // Of the services, the test uses those that the command around it does.
  const Json answer = channel_.ask({{"request", "begin"},
                                    {"services", Json::array()},
                                    {"test", test.substr(0, kLongestName)},
                                    {"faults", Json::array()},
                                    {"within", surrounding(instance)}});
  number_ = answer.value("session", std::uint64_t{0});
  set_under_way(instance.id, number_);
}

TestSession::~TestSession() { set_under_way("", 0); }

std::string TestSession::end() {
  const Json report = channel_.ask_for_report(
      {{"request", "end"}, {"services", Json::array()}, {"session", number_}, {"keep", false}});
  try {
    std::string text;
    for (const Json& failed : report.at("failed")) text += failed.get<std::string>() + "\n";
    for (const Json& failure : report.at("failures")) {
      text += "cannot be undone: " + failure_text(failure) + "\n";
    }
    for (const Json& incident : report.value("incidents", Json::array())) {
      text += "service " + incident_text(incident) + "\n";
    }
    return text;
  } catch (const Json::exception& error) {
    throw EnvironmentError(std::string("the end of the test's session makes no sense: ") +
                           error.what());
  }
}

}  // namespace isoenv::inline client
