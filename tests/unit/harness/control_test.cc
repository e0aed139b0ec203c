#include "harness/control.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/syscall.h"
#include "child.h"
#include "support/temp_dir.h"

namespace isoenv {
namespace {

namespace fs = std::filesystem;
using test::Child;
using test::Event;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

std::string refusal(const std::string& text) {
  try {
    decode_request(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    return error.what();
  }
  return "";
}

TEST(RequestTest, ComesBackAsItWasSent) {
  for (const Request::Kind kind :
       {Request::Kind::kUp, Request::Kind::kDown, Request::Kind::kPs, Request::Kind::kJoin}) {
    const Request request = decode_request(encode(Request{kind, {"db", "web"}}));
    EXPECT_EQ(request.kind, kind);
    EXPECT_THAT(request.services, ElementsAre("db", "web"));
  }
  EXPECT_THAT(decode_request(encode(Request{Request::Kind::kDown, {}})).services, IsEmpty());
}

TEST(RequestTest, HasATextWhenItIsAMark) {
  Request mark;
  mark.kind = Request::Kind::kMark;
  mark.text = "test 'a' begins";
  EXPECT_EQ(decode_request(encode(mark)).text, mark.text);
  mark.text.assign(kLongestMark + 1, 'x');
  EXPECT_EQ(refusal(encode(mark)), "not a request: its 'text' is too long");
  EXPECT_THAT(refusal(R"({"request":"mark","services":[]})"), HasSubstr("text"));
}

TEST(RequestTest, CarriesAFault) {
  Request request;
  request.kind = Request::Kind::kFault;
  request.services = {"db"};
  request.fault = FaultKind::kKill;
  request.signal = SIGHUP;
  request.origin = {7, true, "isoenv kill, pid 8"};
  const Request back = decode_request(encode(request));
  EXPECT_EQ(back.kind, Request::Kind::kFault);
  EXPECT_EQ(back.fault, FaultKind::kKill);
  EXPECT_EQ(back.signal, SIGHUP);
  EXPECT_EQ(back.origin.session, 7U);
  EXPECT_TRUE(back.origin.keep);
  EXPECT_EQ(back.origin.by, "isoenv kill, pid 8");
}

TEST(RequestTest, BeginsAndEndsASession) {
  Request begin;
  begin.kind = Request::Kind::kBegin;
  begin.services = {"db"};
  begin.test = "order.survives";
  begin.faults = {"pause:db@1s"};
  begin.origin.session = 6;
  begin.facts = "{\"name\": \"t\"}";
  begin.tolerance = parse_tolerance({"db"}, {"web:3", "web:SIGKILL"});
  const Request begun = decode_request(encode(begin));
  EXPECT_EQ(begun.kind, Request::Kind::kBegin);
  EXPECT_EQ(begun.test, "order.survives");
  EXPECT_THAT(begun.faults, ElementsAre("pause:db@1s"));
  EXPECT_EQ(begun.origin.session, 6U);
  EXPECT_EQ(begun.tolerance, begin.tolerance);
  EXPECT_EQ(begun.facts, begin.facts);
  Request end;
  end.kind = Request::Kind::kEnd;
  end.origin.session = 7;
  const Request ended = decode_request(encode(end));
  EXPECT_EQ(ended.kind, Request::Kind::kEnd);
  EXPECT_EQ(ended.origin.session, 7U);
  EXPECT_FALSE(ended.origin.keep);
}

TEST(RequestTest, IsRefusedWhenItsFaultMakesNoSense) {
  const auto fault = [](const std::string& kind, const std::string& signal,
                        const std::string& session, const std::string& services) {
    return R"({"request":"fault","services":)" + services + R"(,"fault":{"kind":")" + kind +
           R"(","signal":)" + signal + R"(,"session":)" + session + R"(,"keep":false,"by":"x"}})";
  };
  EXPECT_EQ(refusal(fault("pause", "9", "0", R"(["db"])")), "");
  EXPECT_THAT(refusal(fault("puase", "9", "0", R"(["db"])")), HasSubstr("no fault 'puase'"));
  EXPECT_THAT(refusal(fault("kill", "0", "0", R"(["db"])")), HasSubstr("'signal'"));
  EXPECT_THAT(refusal(fault("kill", "19", "0", R"(["db"])")), HasSubstr("'signal'"));
  EXPECT_THAT(refusal(fault("kill", "-9", "0", R"(["db"])")), HasSubstr("no whole number"));
  EXPECT_THAT(refusal(fault("kill", "9", "true", R"(["db"])")), HasSubstr("no whole number"));
  EXPECT_THAT(refusal(fault("kill", "9", "0", "[]")), HasSubstr("names its services"));
}

TEST(RequestTest, IsOneLineOfWords) {
  EXPECT_EQ(encode(Request{Request::Kind::kUp, {"d\nb"}}),
            R"({"request":"up","services":["d\nb"]})");
}

TEST(RequestTest, IsRefusedWhenItIsNone) {
  EXPECT_EQ(refusal(R"({"request":"dwon","services":[]})"), "unknown request 'dwon'");
  for (const char* text :
       {"", "up", "[]", "{}", "null", R"({"request":1,"services":[]})", R"({"request":"up"})",
        R"({"request":"up","services":"db"})", R"({"request":"up","services":[1]})"}) {
    EXPECT_THAT(refusal(text), HasSubstr("not a request: ")) << text;
  }
}

TEST(RequestTest, IsRefusedBrieflyHoweverLargeAndDeepItIs) {
  const std::string much(1'000'000, '[');
  EXPECT_EQ(refusal(much), "not a request: it nests too deep");
  EXPECT_EQ(refusal(R"({"request":"up","services":)" + much),
            "not a request: it nests too deep");
  EXPECT_LT(refusal("\"" + std::string(1'000'000, 'x')).size(), 200U);
  EXPECT_LT(refusal(R"({"services":[],"request":")" + std::string(1'000'000, 'x') + "\"}").size(),
            200U);
}

TEST(RequestTest, CarriesWhatToPauseWhatFailedAndWhatIsKnownOfIt) {
  Request up{Request::Kind::kUp, {"db"}};
  up.pause_before = {"db"};
  EXPECT_THAT(decode_request(encode(up)).pause_before, ElementsAre("db"));
  EXPECT_FALSE(decode_request(encode(up)).first);
  up.first = true;
  EXPECT_TRUE(decode_request(encode(up)).first);
  EXPECT_FALSE(decode_request(encode(up)).timing);
  up.timing = true;
  EXPECT_TRUE(decode_request(encode(up)).timing);
  Request end;
  end.kind = Request::Kind::kEnd;
  end.failed = true;
  EXPECT_TRUE(decode_request(encode(end)).failed);
  Request request{Request::Kind::kWitness, {}};
  request.origin.session = 7;
  const Request back = decode_request(encode(request));
  EXPECT_EQ(back.kind, Request::Kind::kWitness);
  EXPECT_EQ(back.origin.session, 7U);
  Answer answer;
  answer.witness = encode(TestWitness{"[1]", "{}", "web  ready"});
  answer.bundles = {{"t\xff", "killed", {"a", "b"}, "/p/\xfe", "ctest"}};
  const Answer told = decode_answer(encode(answer));
  EXPECT_EQ(decode_witness(told.witness).services, "web  ready");
  EXPECT_EQ(decode_witness("").marks, "[]");
  ASSERT_EQ(told.bundles.size(), 1U);
  EXPECT_EQ(told.bundles.front().test, "t\xff");
  EXPECT_EQ(told.bundles.front().folder, "/p/\xfe");
  EXPECT_THAT(told.bundles.front().reasons, ElementsAre("a\nb"));
}

TEST(AnswerTest, ComesBackAsItWasSent) {
  Answer sent;
  sent.refused = true;
  sent.ending = true;
  sent.report = R"({"any": "text"})";
  sent.timing = R"({"more": "text"})";
  sent.variables = {{"ISOENV_DB_HOST", "db"}, {"EMPTY", ""}};
  sent.temporary_directory = "/tmp/x";
  sent.failures = {{"db", "down", {"why"}, {"last"}, "/l/db.log"}};
  sent.place = ServicePlace{{12, 345}, {"NAME=\xff\xc3\xa4 x"}, {"TOKEN"}, "/p/\xe9"};
  const Answer answer = decode_answer(encode(sent));
  EXPECT_TRUE(answer.ending);
  EXPECT_FALSE(answer.error);
  EXPECT_EQ(answer.report, sent.report);
  EXPECT_EQ(answer.timing, sent.timing);
  EXPECT_THAT(answer.variables, ElementsAre(Pair("ISOENV_DB_HOST", "db"), Pair("EMPTY", "")));
  EXPECT_EQ(answer.temporary_directory, "/tmp/x");
  EXPECT_TRUE(answer.refused);
  ASSERT_EQ(answer.failures.size(), 1U);
  EXPECT_EQ(answer.failures[0].service, "db");
  EXPECT_EQ(answer.failures[0].what, "down");
  EXPECT_THAT(answer.failures[0].diagnosis, ElementsAre("why"));
  EXPECT_THAT(answer.failures[0].last_lines, ElementsAre("last"));
  EXPECT_EQ(answer.failures[0].log, "/l/db.log");
  ASSERT_TRUE(answer.place);
  EXPECT_EQ(answer.place->init, (ProcessId{12, 345}));
  EXPECT_THAT(answer.place->environment, ElementsAre("NAME=\xff\xc3\xa4 x"));
  EXPECT_THAT(answer.place->secrets, ElementsAre("TOKEN"));
  EXPECT_EQ(answer.place->working_directory, "/p/\xe9");
}

TEST(AnswerTest, MayBeEmpty) {
  const Answer answer = decode_answer(encode(Answer{}));
  EXPECT_FALSE(answer.ending);
  EXPECT_FALSE(answer.error);
  EXPECT_EQ(answer.report, "");
  EXPECT_FALSE(answer.refused);
  EXPECT_THAT(answer.variables, IsEmpty());
  EXPECT_THAT(answer.failures, IsEmpty());
}

TEST(AnswerTest, CarriesAnErrorWithAllThatItSays) {
  Error error("no service 'dv'", ExitCode::kUsage, "did you mean 'db'?");
  error.add_frame("reading the request");
  error.add_frame("talking");
  Answer refused;
  refused.error = error;
  const Answer answer = decode_answer(encode(refused));
  ASSERT_TRUE(answer.error);
  EXPECT_STREQ(answer.error->what(), "no service 'dv'");
  EXPECT_EQ(answer.error->code(), ExitCode::kUsage);
  EXPECT_EQ(answer.error->hint(), "did you mean 'db'?");
  EXPECT_THAT(answer.error->frames(), ElementsAre("reading the request", "talking"));
}

TEST(AnswerTest, IsOneLineWhateverServicesWrote) {
  Answer sent;
  sent.report = "two\nlines";
  sent.failures = {{"db", "down", {}, {"caf\xe9\n"}, ""}};
  const std::string text = encode(sent);
  EXPECT_THAT(text, Not(HasSubstr("\n")));
  EXPECT_EQ(decode_answer(text).report, "two\nlines");
  EXPECT_THAT(decode_answer(text).failures.at(0).last_lines, ElementsAre("caf\ufffd\n"));
}

TEST(ErrorTextTest, CarriesAnErrorWithAllThatItSays) {
  Error error("this machine\ndoes not \xff", ExitCode::kCannotRun, "a hint");
  error.add_frame("starting");
  const std::string text = encode_error(error);
  EXPECT_THAT(text, Not(HasSubstr("\n")));
  const Error again = decode_error(text);
  EXPECT_STREQ(again.what(), "this machine\ndoes not \ufffd");
  EXPECT_EQ(again.code(), ExitCode::kCannotRun);
  EXPECT_EQ(again.hint(), "a hint");
  EXPECT_THAT(again.frames(), ElementsAre("starting"));
}

/// A client of a keeper that the test plays itself. What it answers waits in the socket, so that a
/// single process does.
class ControlClientTest : public ::testing::Test {
 protected:
  ControlClientTest() : directory_(temp_.path(), "0123abcd") {
    fs::create_directory(directory_.path());
  }

  const RunDirectory& directory() const { return directory_; }

  void listen() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, directory_.control_socket().c_str());
    listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(*listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(*listener_, 8), 0);
  }
  UniqueFd accept() const {
    return UniqueFd(::accept4(*listener_, nullptr, nullptr, SOCK_CLOEXEC));
  }
  void close_listener() { listener_.reset(); }
  ControlClient connect() {
    listen();
    std::optional<ControlClient> client = ControlClient::connect(directory_);
    if (!client) throw Error("nothing listens");
    peer_ = accept();
    return std::move(*client);
  }

  void say(const std::string& text) const {
    ASSERT_EQ(::send(*peer_, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  std::string heard() const {
    char text[4096];
    const ssize_t length = ::recv(*peer_, text, sizeof text, MSG_DONTWAIT);
    return {text, length > 0 ? static_cast<std::size_t>(length) : 0};
  }
  int peer() const { return *peer_; }
  void hang_up() { peer_.reset(); }

  static Answer answer(const std::string& report) {
    Answer answer;
    answer.report = report;
    return answer;
  }

 private:
  test::TempDir temp_;
  RunDirectory directory_;
  UniqueFd listener_;
  UniqueFd peer_;
};

TEST_F(ControlClientTest, FindsNobodyWhenNothingListens) {
  EXPECT_FALSE(ControlClient::connect(directory()));
  listen();
  close_listener();
  ASSERT_TRUE(fs::exists(directory().control_socket()));
  EXPECT_FALSE(ControlClient::connect(directory())) << "a dead keeper's socket is left";
}

TEST_F(ControlClientTest, SaysWhereItCannotConnect) {
  fs::create_directory_symlink("control", directory().control_socket());
  try {
    (void)ControlClient::connect(directory());
    FAIL() << "it could";
  } catch (const SystemError& error) {
    EXPECT_EQ(error.error_number(), ELOOP);
    EXPECT_THAT(error.what(), HasSubstr(directory().control_socket().string()));
  }
}

TEST_F(ControlClientTest, SendsALineAndTakesTheAnswer) {
  ControlClient client = connect();
  say(encode(answer("first")) + "\n");
  const std::optional<Answer> first = client.ask({Request::Kind::kUp, {"db"}});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->report, "first");
  EXPECT_EQ(heard(), encode(Request{Request::Kind::kUp, {"db"}}) + "\n");

  say(encode(answer("second")) + "\n");
  const std::optional<Answer> second = client.ask({Request::Kind::kPs, {}});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->report, "second");
}

TEST_F(ControlClientTest, TakesALongAnswerInPieces) {
  ControlClient client = connect();
  const std::string report(3 << 20, 'x');
  const Child keeper([&] {
    const std::string text = encode(answer(report)) + "\n";
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t sent =
          ::send(peer(), text.data() + at, std::min<std::size_t>(text.size() - at, 99999), 0);
      if (sent < 0) return 1;
      at += static_cast<std::size_t>(sent);
    }
    return 0;
  });
  const std::optional<Answer> got = client.ask({Request::Kind::kPs, {}});
  ASSERT_TRUE(got);
  EXPECT_TRUE(got->report == report);
}

TEST_F(ControlClientTest, GetsNoAnswerFromAKeeperThatEnds) {
  ControlClient client = connect();
  say(encode(answer("half")));
  hang_up();
  EXPECT_FALSE(client.ask({Request::Kind::kPs, {}}));
  EXPECT_FALSE(client.ask({Request::Kind::kPs, {}})) << "sending must not raise SIGPIPE";
}

TEST_F(ControlClientTest, GetsNoAnswerFromAKeeperThatEndsInTheMiddleOfOne) {
  ControlClient client = connect();
  say(encode(answer("half")));
  ASSERT_EQ(::shutdown(peer(), SHUT_WR), 0);
  EXPECT_FALSE(client.ask({Request::Kind::kPs, {}}));
}

TEST_F(ControlClientTest, StopsWaitingWhenTheOwnerEnds) {
  ControlClient client = connect();
  const Pipe owner = make_pipe();
  ASSERT_EQ(::write(*owner.write, "x", 1), 1);  // readable, like the pidfd of an ended process
  EXPECT_FALSE(client.ask({Request::Kind::kUp, {}}, *owner.read));
}

TEST_F(ControlClientTest, TakesAnAnswerThatIsThereAlthoughTheOwnerHasEnded) {
  ControlClient client = connect();
  const Pipe owner = make_pipe();
  ASSERT_EQ(::write(*owner.write, "x", 1), 1);
  say(encode(answer("done")) + "\n");
  const std::optional<Answer> got = client.ask({Request::Kind::kUp, {}}, *owner.read);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->report, "done");
}

TEST_F(ControlClientTest, WaitsUntilTheKeeperHangsUp) {
  ControlClient client = connect();
  const Pipe last_act = make_pipe(O_NONBLOCK);
  const std::string chatter(1 << 20, 'x');  // more than a socket takes that nobody reads
  Child keeper([&] {
    (void)!::send(peer(), chatter.data(), chatter.size(), 0);
    return ::write(*last_act.write, "x", 1) == 1 ? 0 : 1;
  });
  hang_up();  // the keeper's copy stays
  client.wait_for_end();
  char byte = 0;
  EXPECT_EQ(::read(*last_act.read, &byte, 1), 1) << "it did not wait";
  EXPECT_EQ(keeper.wait(), 0);
}

TEST_F(ControlClientTest, KnowsTheKeepersProcess) {
  Event listening;
  Event known;
  Child keeper([&] {
    listen();
    listening.raise();
    known.await();
    return 0;
  });
  listening.await();
  std::optional<ControlClient> client = ControlClient::connect(directory());
  ASSERT_TRUE(client);
  EXPECT_EQ(client->keeper_pid(), keeper.pid());
  known.raise();
  EXPECT_EQ(keeper.wait(), 0);
}

TEST(ErrorLineTest, IsAnErrorOfItsOwnWhenItMakesNoSense) {
  for (const char* text : {"", "x", "[]", R"({"message":"m","hint":"","code":3,"frames":[]})",
                           R"({"message":"m","hint":"","code":"2","frames":[]})"}) {
    EXPECT_THROW(decode_error(text), Error) << text;
  }
}

}  // namespace
}  // namespace isoenv
