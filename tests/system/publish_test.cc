// PUBLISH: ports of services on the loopback of the host.
#include <netinet/in.h>
#include <sys/socket.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "harness/control.h"
#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

/// A TCP port of the host that nobody else can take while this lives.
class BusyPort {
 public:
  BusyPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* name = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    if (::bind(*socket_, name, size) == 0 && ::listen(*socket_, 1) == 0 &&
        ::getsockname(*socket_, name, &size) == 0) {
      number_ = ntohs(address.sin_port);
    }
  }
  std::string number() const { return std::to_string(number_); }

 private:
  UniqueFd socket_;
  int number_ = 0;
};

class PublishTest : public SystemTest {
 protected:
  std::filesystem::path web_on(const std::string& number) const {
    return write_spec(R"("services": {
      "web": {"command": ["test_service", "tcp_echo", "*", "80", "web: "],
              "ports": {"http": 80}, "publish": {"http": )" +
                      number + "}}}");
  }

  /// 0, or why nobody can listen there at this very moment.
  static int listen_error(const std::string& number) {
    const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int yes = 1;  // as isoenv does: connections that have ended do not count
    ::setsockopt(*socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(number)));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto* name = reinterpret_cast<const sockaddr*>(&address);
    const bool listens = ::bind(*socket, name, sizeof address) == 0 && ::listen(*socket, 1) == 0;
    return listens ? 0 : errno;
  }

  /// The number that `publish` chose on the host.
  std::string published_port(const std::filesystem::path& spec) const {
    const Outcome outcome = isoenv({"ps", "-f", spec, "--json"});
    const std::string before = "http → 127.0.0.1:";
    for (const auto& row : nlohmann::json::parse(outcome.out, nullptr, false)) {
      for (const std::string port : row.at("ports")) {
        if (port.starts_with(before)) return port.substr(before.size());
      }
    }
    ADD_FAILURE() << "no published port in " << outcome;
    return "0";
  }
};

/// The local addresses that listen on a TCP port here, as /proc/net/tcp writes them; each once: the
/// kernel may repeat lines of a table that changes while it is read.
std::set<std::string> listening_addresses(const std::string& port) {
  std::set<std::string> found;
  for (const char* file : {"/proc/self/net/tcp", "/proc/self/net/tcp6"}) {
    std::ifstream stream(file);
    std::string slot, local, remote, state, rest;
    while (stream >> slot >> local >> remote >> state && std::getline(stream, rest)) {
      const std::size_t colon = local.find(':');
      if (state == "0A" && std::stoi(local.substr(colon + 1), nullptr, 16) == std::stoi(port)) {
        found.insert(local.substr(0, colon));
      }
    }
  }
  return found;
}

TEST_F(PublishTest, GivesThePortBackBeforeAnybodyHearsOfTheEnd) {
  const auto spec = web_on("\"auto\"");
  for (int times = 0; times < 8; ++times) {
    ASSERT_THAT(up(spec), ExitedWith(0));
    const std::string number = published_port(spec);
    auto client = ControlClient::connect(RunDirectory{runtime_dir(), instance_id()});
    ASSERT_TRUE(client);
    EXPECT_EQ(listen_error(number), EADDRINUSE);
    (void)client->ask({Request::Kind::kDown, {}});
    client->wait_for_end();
    EXPECT_EQ(listen_error(number), 0);
  }
}

TEST_F(PublishTest, LeadsFromTheHostToTheService) {
  const auto spec = web_on(R"("auto")");
  ASSERT_THAT(up(spec), ExitedWith(0));
  const std::string port = published_port(spec);
  for (const char* address : {"127.0.0.1", "::1"}) {
    const Outcome outcome = outside({"tcp_ask", "any", address, port, "hello"});
    ASSERT_THAT(outcome, ExitedWith(0)) << address;
    EXPECT_EQ(outcome.out, "web: hello\n");
  }
  ASSERT_THAT(down(spec), ExitedWith(0));
  EXPECT_THAT(outside({"tcp_ask", "4", "127.0.0.1", port, "hello"}).err,
              HasSubstr("Connection refused"));
}

TEST_F(PublishTest, OffersNothingBeyondTheHostItself) {
  const auto spec = web_on(R"("auto")");
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_THAT(listening_addresses(published_port(spec)),
              UnorderedElementsAre("0100007F", "00000000000000000000000001000000"));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(PublishTest, NamesTheServiceWhenThePortIsTaken) {
  const BusyPort busy;
  const Outcome outcome = up(web_on(busy.number()));
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr(busy.number()));
  EXPECT_THAT(outcome.err, HasSubstr("'web'"));
  EXPECT_THAT(outcome.err, HasSubstr("taken by process " + std::to_string(::getpid())));
}

TEST_F(PublishTest, NamesTheInstanceThatHasThePort) {
  const auto first = web_on(R"("auto")");
  ASSERT_THAT(up(first), ExitedWith(0));
  const std::string port = published_port(first);
  const auto second = write_spec(R"("services": {
    "late": {"command": ["test_service", "waits"], "ports": {"http": 80},
             "publish": {"http": )" + port +
                                     "}}}",
                                 "second.json");
  const Outcome outcome = up(second);
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("taken by process " + std::to_string(keeper())));
  EXPECT_THAT(outcome.err, HasSubstr("of the instance of 'lab' from '" + first.string() + "'"));
  EXPECT_THAT(down(first), ExitedWith(0));
}

TEST_F(PublishTest, WorksFromRunToo) {
  Gate gate = make_gate();
  std::string port;
  {
    const BusyPort free_later;
    port = free_later.number();
  }
  Process process =
      start_isoenv({"run", "-f", web_on(port), "--artefacts", artefact_dir(), "--", "test_service",
                    "writes", "inside\\n", "then", "waits_for", gate.text()});
  ASSERT_TRUE(process.wait_for_output("inside")) << process.wait();
  EXPECT_EQ(outside({"tcp_ask", "4", "127.0.0.1", port, "hello"}).out, "web: hello\n");
  EXPECT_TRUE(gate.open());
  EXPECT_THAT(process.wait(), ExitedWith(0));
}

}  // namespace
}  // namespace isoenv::test
