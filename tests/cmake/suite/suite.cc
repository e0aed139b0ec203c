// Tests that need a server `front` on port 80 which answers `front:` and what it was sent. They know
// nothing of IsoEnv.
#include <gtest/gtest.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>

namespace {

bool resolves(const char* host) {
  addrinfo* found = nullptr;
  const bool there = ::getaddrinfo(host, "80", nullptr, &found) == 0;
  if (there) ::freeaddrinfo(found);
  return there;
}

std::string ask(const char* host, const std::string& question, timeval patience = {}) {
  addrinfo wanted = {};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host, "80", &wanted, &found) != 0) return "no such host";
  const int connection = ::socket(found->ai_family, SOCK_STREAM, 0);
  ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const bool connected = ::connect(connection, found->ai_addr, found->ai_addrlen) == 0;
  ::freeaddrinfo(found);
  const std::string line = question + "\n";
  std::string answer;
  if (connected && ::write(connection, line.data(), line.size()) > 0) {
    char letter = 0;
    while (::read(connection, &letter, 1) == 1 && letter != '\n') answer += letter;
  }
  ::close(connection);
  return answer;
}

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "(not set)" : value;
}

TEST(Service, Answers) { EXPECT_EQ(ask("front", "hello"), "front:hello"); }

class PreparedService : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { answer = ask("front", "early"); }
  static std::string answer;
};
std::string PreparedService::answer;
TEST_F(PreparedService, IsThereForTheWholeSuite) { EXPECT_EQ(answer, "front:early"); }
TEST_F(PreparedService, IsThereForATest) { EXPECT_EQ(ask("front", "late"), "front:late"); }

class Named : public ::testing::TestWithParam<std::string> {};
TEST_P(Named, Echoes) { EXPECT_EQ(ask("front", GetParam()), "front:" + GetParam()); }
INSTANTIATE_TEST_SUITE_P(Odd, Named,
                         ::testing::Values("a b", "c;d", "e\"f", "[g", "h]", "i[j]k", "l'm", "$n",
                                           "${o}", "p,q", "#r", "s\\t", "@u@", "<v>", "ü"));

template <typename T>
class Typed : public ::testing::Test {};
using Types = ::testing::Types<int, std::pair<int, char>>;
TYPED_TEST_SUITE(Typed, Types);
TYPED_TEST(Typed, Reaches) { EXPECT_EQ(ask("front", "x"), "front:x"); }

TEST(Given, Variables) {
  EXPECT_EQ(variable("GIVEN"), "by ENV");
  EXPECT_EQ(variable("FIRST"), "1");
  EXPECT_EQ(variable("SECOND"), "a b");
}
TEST(Given, WorkingDirectory) { EXPECT_TRUE(std::filesystem::is_directory("here")); }

TEST(Verdict, IsFailure) { ADD_FAILURE() << "as it should"; }
TEST(Verdict, IsSkipped) { GTEST_SKIP() << "for a reason"; }
TEST(Verdict, IsSkippedByExitCode) { std::_Exit(77); }
TEST(Verdict, DISABLED_IsNone) { FAIL(); }
TEST(DISABLED_Verdict, IsNone) { FAIL(); }
TEST(VerdictDeathTest, IsDeath) { EXPECT_DEATH(std::abort(), ""); }
TEST(Verdict, IsOfConfiguration) { std::puts("built as <" CONFIGURATION ">"); }

TEST(Launched, Inside) {
  EXPECT_EQ(variable("LAUNCHED"), "1");
  EXPECT_EQ(ask("front", "hello"), "front:hello");
}

TEST(Hit, ByAPause) {
  while (ask("front", "hello", {0, 100'000}) == "front:hello") {
  }
}

class Alone : public ::testing::TestWithParam<int> {};
TEST_P(Alone, MayListenOnAFixedPort) {
  EXPECT_EQ(variable("ISOENV_INSTANCE"), "alone");
  const int listener = ::socket(AF_INET6, SOCK_STREAM, 0);
  sockaddr_in6 any = {};
  any.sin6_family = AF_INET6;
  any.sin6_port = htons(8080);
  EXPECT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&any), sizeof any), 0);
  EXPECT_EQ(::listen(listener, 1), 0);
  ::close(listener);
}
INSTANTIATE_TEST_SUITE_P(AtOnce, Alone, ::testing::Range(0, 3));

TEST(Outside, HasNoService) {
  EXPECT_FALSE(resolves("front"));
  EXPECT_EQ(variable("ISOENV_INSTANCE"), "(not set)");
}

}  // namespace
