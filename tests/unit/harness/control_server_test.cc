#include "harness/control_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/event.h"
#include "base/unique_fd.h"
#include "support/await.h"
#include "support/temp_dir.h"

namespace isoenv {
namespace {

namespace asio = boost::asio;
using test::run_until;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// A server and its clients in one thread: a client never blocks, the loop runs until it has what
/// it waits for.
class ControlServerTest : public ::testing::Test {
 protected:
  void serve(ControlLimits limits = {}) {
    server_ = std::make_unique<ControlServer>(
        context_.get_executor(), path(),
        [this](Request request) { return respond(std::move(request)); }, limits,
        [this](std::uint64_t client) { gone_.push_back(client); });
    server_->open();
  }
  ControlServer& server() { return *server_; }
  std::string path() const { return (temp_.path() / "control").string(); }

  /// Answers with the first service's name and the client's number; `keep` keeps it, `hold` waits for release(), `long` fills every socket buffer.
  asio::awaitable<Answer> respond(Request request) {
    const std::string name = request.services.empty() ? "" : request.services.front();
    if (name == "hold") {
      ++held_;
      while (!released_) co_await release_.wait();
    }
    done_.push_back(name);
    if (name == "keep") server_->keep(request.client);
    Answer answer;
    answer.session = request.client;
    answer.report = name == "long" ? std::string(1 << 20, 'x') : name;
    if (name == "longer") answer.report = std::string(kLongestAnswer, 'x');
    co_return answer;
  }
  void release() {
    released_ = true;
    release_.notify_all();
  }

  UniqueFd connect() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path().c_str());
    UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    EXPECT_EQ(::connect(*client, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return client;
  }
  /// Connected, and let in.
  UniqueFd enter() {
    const std::size_t before = server_->clients();
    UniqueFd client = connect();
    wait_until([&] { return server_->clients() == before + 1; });
    return client;
  }
  void say(const UniqueFd& client, const std::string& text) {
    std::size_t sent = 0;
    wait_until([&] {
      const ssize_t length =
          ::send(*client, text.data() + sent, text.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (length > 0) sent += static_cast<std::size_t>(length);
      return sent == text.size() || (length < 0 && errno != EAGAIN);
    });
  }
  void ask(const UniqueFd& client, const std::string& service) {
    say(client, encode(Request{Request::Kind::kUp, {service}}) + "\n");
  }
  /// The next line, or what came before the end.
  std::string line(const UniqueFd& client) {
    std::string text;
    wait_until([&] {
      char c = 0;
      while (text.empty() || text.back() != '\n') {
        const ssize_t length = ::recv(*client, &c, 1, MSG_DONTWAIT);
        if (length == 0) return true;
        if (length < 0) return errno != EAGAIN;
        text += c;
      }
      return true;
    });
    return text;
  }
  Answer answer(const UniqueFd& client) { return decode_answer(line(client)); }
  /// This server's answers repeat what they were asked.
  void expect_answer(const UniqueFd& client, const std::string& service) {
    ask(client, service);
    EXPECT_EQ(answer(client).report, service);
  }
  std::string refusal(const UniqueFd& client) {
    const Answer refused = answer(client);
    return refused.error ? refused.error->what() : "";
  }
  bool hung_up(const UniqueFd& client) { return line(client).empty(); }
  template <typename Predicate>
  void wait_until(Predicate done) {
    // Clients are no part of the context: it is asked again and again.
    run_until(context_, [&] {
      context_.poll();
      return done();
    });
  }

  int held() const { return held_; }
  const std::vector<std::string>& done() const { return done_; }
  const std::vector<std::uint64_t>& gone() const { return gone_; }

 private:
  test::TempDir temp_;
  asio::io_context context_{1};
  Event release_{context_.get_executor()};
  bool released_ = false;
  int held_ = 0;
  std::vector<std::string> done_;
  std::vector<std::uint64_t> gone_;
  std::unique_ptr<ControlServer> server_;
};

TEST_F(ControlServerTest, AnswersOneRequestAfterTheOther) {
  serve();
  const UniqueFd client = enter();
  expect_answer(client, "db");
  const std::string both = encode(Request{Request::Kind::kUp, {"a"}}) + "\n" +
                           encode(Request{Request::Kind::kUp, {"b"}}) + "\n";
  say(client, both);
  EXPECT_EQ(answer(client).report, "a");
  EXPECT_EQ(answer(client).report, "b");
}

TEST_F(ControlServerTest, PutsARequestTogetherFromPieces) {
  serve();
  const UniqueFd client = enter();
  for (const char letter : encode(Request{Request::Kind::kUp, {"db"}}) + "\n") {
    say(client, std::string(1, letter));
  }
  EXPECT_EQ(answer(client).report, "db");
}

TEST_F(ControlServerTest, ListensForItsOwnUserAloneWhateverTheUmask) {
  for (const mode_t mask : {0000U, 0022U, 0777U}) {
    const mode_t before = ::umask(mask);
    serve();
    ::umask(before);
    struct stat status {};
    ASSERT_EQ(::stat(path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
  }
}

TEST_F(ControlServerTest, TellsWhatIsWrongAndGoesOn) {
  serve();
  const UniqueFd client = enter();
  for (const std::string text : {"\n", "GET / HTTP/1.1\n", "{}\n", "[[[[\n", "\xff\xfe\n"}) {
    say(client, text);
    EXPECT_THAT(refusal(client), HasSubstr("not a request")) << text;
  }
  expect_answer(client, "db");
}

TEST_F(ControlServerTest, SurvivesARequestThatIsAllBrackets) {
  serve();
  const UniqueFd client = enter();
  say(client, std::string(kLongestRequest - 2, '[') + "\n");
  EXPECT_THAT(refusal(client), HasSubstr("nests too deep"));
}

TEST_F(ControlServerTest, RefusesARequestThatIsTooLong) {
  serve();
  const UniqueFd client = enter();
  say(client, std::string(kLongestRequest + 1, 'x'));
  EXPECT_THAT(refusal(client), HasSubstr("at most " + std::to_string(kLongestRequest) + " bytes"));
  EXPECT_TRUE(hung_up(client));
  EXPECT_EQ(server().clients(), 0U);
}

TEST_F(ControlServerTest, RefusesAnAnswerThatIsTooLong) {
  serve();
  const UniqueFd client = enter();
  ask(client, "longer");
  EXPECT_THAT(refusal(client), HasSubstr("ask for fewer services"));
}

TEST_F(ControlServerTest, TurnsAwayWhoSendsNoWholeRequestInTime) {
  ControlLimits limits;
  limits.request = std::chrono::milliseconds(20);
  serve(limits);
  const UniqueFd patient = enter();
  expect_answer(patient, "db");

  const UniqueFd silent = enter();
  const UniqueFd slow = enter();
  say(slow, "{\"request\"");
  EXPECT_THAT(refusal(silent), HasSubstr("in time"));
  EXPECT_TRUE(hung_up(silent));
  EXPECT_THAT(refusal(slow), HasSubstr("in time"));
  EXPECT_TRUE(hung_up(slow));
  // Who has asked already may stay; but the next request must come whole as well.
  EXPECT_EQ(server().clients(), 1U);
  say(patient, "{\"request\"");
  EXPECT_THAT(refusal(patient), HasSubstr("in time"));
}

TEST_F(ControlServerTest, HangsUpOnWhoDoesNotTakeItsAnswer) {
  ControlLimits limits;
  limits.answer = std::chrono::milliseconds(20);
  serve(limits);
  const UniqueFd deaf = enter();
  ask(deaf, "long");
  wait_until([&] { return server().clients() == 0; });
  EXPECT_EQ(server().owed(), 0U);
  EXPECT_THAT(done(), ElementsAre("long"));
}

TEST_F(ControlServerTest, GivesANewcomerThePlaceOfWhoHasLongBeenSilent) {
  ControlLimits limits;
  limits.clients = 3;
  serve(limits);
  const UniqueFd asked = enter();
  expect_answer(asked, "db");
  const UniqueFd silent = enter();
  const UniqueFd newer = enter();

  const UniqueFd newcomer = connect();
  expect_answer(newcomer, "web");
  EXPECT_THAT(refusal(silent), HasSubstr("too many clients"));
  EXPECT_TRUE(hung_up(silent));
  expect_answer(newer, "one");
  expect_answer(asked, "two");
}

TEST_F(ControlServerTest, KeepsWhoHasBeenIdleLongest) {
  ControlLimits limits;
  limits.clients = 2;
  serve(limits);
  const UniqueFd first = enter();
  expect_answer(first, "db");
  const UniqueFd second = enter();
  expect_answer(second, "db");
  const UniqueFd newcomer = connect();
  expect_answer(newcomer, "web");
  EXPECT_THAT(refusal(second), HasSubstr("too many clients"));
  expect_answer(first, "db");
}

TEST_F(ControlServerTest, NeverTurnsAwayWhomItKeeps) {
  ControlLimits limits;
  limits.clients = 2;
  serve(limits);
  const UniqueFd other = enter();
  expect_answer(other, "db");
  const UniqueFd kept = enter();
  expect_answer(kept, "keep");
  const UniqueFd newcomer = connect();
  expect_answer(newcomer, "web");
  EXPECT_THAT(refusal(other), HasSubstr("too many clients"));
  expect_answer(kept, "db");
}

TEST_F(ControlServerTest, TellsWhoHasGone) {
  serve();
  UniqueFd first = enter();
  ask(first, "db");
  const std::uint64_t number = answer(first).session;
  UniqueFd second = enter();
  ask(second, "db");
  EXPECT_NE(answer(second).session, number);
  EXPECT_THAT(gone(), IsEmpty());
  first.reset();
  wait_until([&] { return server().clients() == 1; });
  EXPECT_THAT(gone(), ElementsAre(number));
}

TEST_F(ControlServerTest, TellsOfWhoHasGoneWithoutAWord) {
  serve();
  UniqueFd silent = enter();
  EXPECT_THAT(gone(), IsEmpty());
  silent.reset();
  wait_until([&] { return server().clients() == 0; });
  EXPECT_THAT(gone(), SizeIs(1));
}

TEST_F(ControlServerTest, TurnsANewcomerAwayWhenAllAreBusy) {
  ControlLimits limits;
  limits.clients = 1;
  serve(limits);
  const UniqueFd busy = enter();
  ask(busy, "hold");
  wait_until([&] { return held() == 1; });
  const UniqueFd newcomer = connect();
  EXPECT_THAT(refusal(newcomer), HasSubstr("requests under way"));
  EXPECT_TRUE(hung_up(newcomer));
  release();
  EXPECT_EQ(answer(busy).report, "hold");
}

TEST_F(ControlServerTest, CarriesARequestOutWhoseClientHasGone) {
  serve();
  UniqueFd client = enter();
  ask(client, "hold");
  wait_until([&] { return held() == 1; });
  client.reset();
  EXPECT_THAT(done(), IsEmpty());
  release();
  wait_until([&] { return server().clients() == 0; });
  EXPECT_THAT(done(), ElementsAre("hold"));
  EXPECT_EQ(server().owed(), 0U);
}

TEST_F(ControlServerTest, AnswersInTheMiddleOfAFlood) {
  ControlLimits limits;
  limits.clients = 16;
  serve(limits);
  const UniqueFd early = enter();
  expect_answer(early, "db");
  std::vector<UniqueFd> flood;
  for (int i = 0; i < 90; ++i) {
    flood.push_back(connect());
    if (i % 3 == 1) say(flood.back(), "{\"half");
    if (i % 3 == 2) ask(flood.back(), "long");
  }
  const UniqueFd real = connect();
  expect_answer(real, "web");
  expect_answer(early, "again");
  EXPECT_LE(server().clients(), 16U);
}

TEST_F(ControlServerTest, AcceptsNobodyOnceItIsClosed) {
  serve();
  const UniqueFd inside = enter();
  ask(inside, "hold");
  wait_until([&] { return held() == 1; });
  server().close();
  const UniqueFd last = connect();  // the accept that was under way
  const UniqueFd late = connect();
  wait_until([&] { return server().clients() == 2; });
  release();
  EXPECT_EQ(answer(inside).report, "hold");
  EXPECT_EQ(server().clients(), 2U);
}

}  // namespace
}  // namespace isoenv
