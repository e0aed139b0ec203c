// A suite with the main() of isoenv::gtest. Its environment is that of tests/system/client_test.cc:
// `web` echoes with a prefix, `speaks` has said hello and says more when its gate, a FIFO, is
// opened.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "isoenv/environment.h"
#include "isoenv/gtest.h"
#include "tcp.h"

namespace {

using isoenv::Environment;
using isoenv::EnvironmentError;
using isoenv::Log;
using isoenv::Service;
using isoenv::ServiceState;
using std::chrono::milliseconds;

/// Started before main(), when the test of this suite wants to see that refused.
const auto another_thread = std::getenv("CLIENT_SUITE_THREAD") == nullptr
                                ? nullptr
                                : std::make_unique<std::thread>([] { ::pause(); }).release();

void open_gate() { std::ofstream(std::getenv("GATE")) << "x"; }

std::string message_of(void (*act)()) {
  try {
    act();
  } catch (const EnvironmentError& error) {
    return error.what();
  }
  return "it did not throw";
}

TEST(InsideTest, ReachesAServiceWhereItIsSaidToBe) {
  const Environment environment = Environment::current();
  EXPECT_TRUE(environment.is_inside());
  EXPECT_EQ(ask(environment.service("web"), "a"), "web: a");
}

TEST(InsideTest, KnowsHostPortsAndUrls) {
  const Environment environment = Environment::current();
  const Service web = environment.service("web");
  EXPECT_EQ(web.host(), environment.rung() == "ports" ? "127.0.0.1" : "web");
  EXPECT_EQ(web.port(), 80);
  EXPECT_EQ(web.port("stats"), 8125);
  EXPECT_EQ(web.url(), "http://" + web.host() + ":80");
  EXPECT_EQ(web.url("http"), web.url());
  EXPECT_EQ(environment.services().size(), 2U);
  EXPECT_EQ(std::getenv("ISOENV_WEB_URL"), web.url());
}

TEST(InsideTest, RefusesWhatThereIsNot) {
  EXPECT_EQ(message_of([] { Environment::current().service("wep"); }),
            "environment 'lab' has no service 'wep'\n  hint: it has: web, speaks");
  EXPECT_EQ(message_of([] { Environment::current().service("web").port("htp"); }),
            "service 'web' has no port 'htp'\n  hint: it has: http, stats");
  EXPECT_EQ(message_of([] { Environment::current().service("web").url("stats"); }),
            "the port 'stats' of service 'web' is a UDP port, and has no URL");
  EXPECT_EQ(message_of([] { Environment::current().service("speaks").url(); }),
            "service 'speaks' has no TCP port, and so no URL");
}

TEST(InsideTest, TellsStateAndProcess) {
  const Service web = Environment::current().service("web");
  EXPECT_EQ(web.state(), ServiceState::kReady);
  EXPECT_GT(web.pid(), 0);
  EXPECT_EQ(web.status().restarts, 0U);
  web.wait_ready(milliseconds(0));
}

TEST(InsideTest, ReadsWhatAServiceWrote) {
  Log log = Environment::current().service("speaks").log();
  EXPECT_EQ(log.wait_for("^hel+o$"), "hello");
  EXPECT_EQ(log.lines(), std::vector<std::string>{});
}

TEST(InsideTest, SaysWhichLineNeverCame) {
  EXPECT_EQ(message_of([] {
              Environment::current().service("speaks").log().wait_for("nothing", milliseconds(1));
            }),
            "no line of service 'speaks' matched 'nothing' within 1 ms; of 1 line the last were:\n"
            "    | hello");
}

TEST(InsideTest, MayBeAskedByManyThreads) {
  const Environment environment = Environment::current();
  const Service web = environment.service("web");
  std::vector<std::thread> threads;
  std::vector<ServiceState> states(8, ServiceState::kUnknown);
  for (ServiceState& state : states) {
    threads.emplace_back([&] { state = web.state(); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(states, std::vector<ServiceState>(8, ServiceState::kReady));
}

TEST(GateTest, WaitsForALineThatComesLater) {
  Log log = Environment::current().service("speaks").new_log();
  std::thread opener(open_gate);
  EXPECT_EQ(log.wait_for("said .* late"), "said \x1b[31mtoo late");
  opener.join();
}

TEST(FailsTest, WhileAServiceSpeaks) {
  Log log = Environment::current().service("speaks").new_log();
  open_gate();
  log.wait_for("late");
  ADD_FAILURE() << "on purpose";
}

TEST(FaultsTest, PausedServiceDoesNotAnswerUntilItIsResumed) {
  const Service web = Environment::current().service("web");
  web.pause();
  EXPECT_EQ(web.state(), ServiceState::kPaused);
  EXPECT_EQ(ask(web, "a", 100), "");
  web.resume();
  EXPECT_EQ(web.state(), ServiceState::kReady);
  EXPECT_EQ(ask(web, "a"), "web: a");
}

TEST(FaultsTest, KilledServiceIsGoneUntilItIsStarted) {
  const Service web = Environment::current().service("web");
  const pid_t before = web.pid();
  web.kill();
  EXPECT_EQ(web.state(), ServiceState::kExited);
  EXPECT_EQ(web.pid(), 0);
  EXPECT_THROW(ask(web, "a"), std::runtime_error);
  web.start();
  EXPECT_NE(web.pid(), before);
  EXPECT_EQ(web.status().restarts, 1U);
  EXPECT_EQ(ask(web, "a"), "web: a");
}

TEST(FaultsTest, StoppedServiceIsNotGoingToBeReady) {
  const Service web = Environment::current().service("web");
  web.stop();
  EXPECT_EQ(web.state(), ServiceState::kStopped);
  EXPECT_THROW(web.wait_ready(), EnvironmentError);
  web.restart();
  web.wait_ready(milliseconds(0));
}

TEST(FaultsTest, SignalReachesTheService) {
  const Service marked = Environment::current().service("marked");
  marked.kill(SIGINT);
  while (marked.state() == ServiceState::kReady) std::this_thread::yield();
  EXPECT_NE(marked.status().readiness.find("exit code 42"), std::string::npos);
}

TEST(FaultsTest, RefusesWhatCannotBe) {
  const Service web = Environment::current().service("web");
  web.stop();
  EXPECT_EQ(message_of([] {
              Environment::current().service("web").pause();
            }).find("cannot pause 'web': it is not ready but stopped"),
            0U);
  EXPECT_EQ(message_of([] { Environment::current().service("web").kill(SIGSTOP); }),
            "not a request: its 'signal' cannot be sent");
}

TEST(UndoneTest, ALeavesAServicePaused) { Environment::current().service("web").pause(); }

TEST(UndoneTest, BFindsItReady) {
  const Service web = Environment::current().service("web");
  EXPECT_EQ(web.state(), ServiceState::kReady);
  web.kill();
}

TEST(UndoneTest, CFindsItReadyAgain) {
  const Service web = Environment::current().service("web");
  EXPECT_EQ(web.state(), ServiceState::kReady);
  EXPECT_EQ(web.status().restarts, 1U);
  web.pause(isoenv::Undo::kKeep);
}

TEST(UndoneTest, DFindsItAsItWasKept) {
  const Service web = Environment::current().service("web");
  EXPECT_EQ(web.state(), ServiceState::kPaused);
  web.resume();
}

TEST(VerdictTest, HoldsWhileAServiceEndsByItself) {
  const Service frail = Environment::current().service("frail");
  open_gate();
  while (frail.state() == ServiceState::kReady) std::this_thread::yield();
}

TEST(VerdictTest, HoldsAfterwards) {}

TEST(LastingTest, KillsWhatCannotComeBack) {
  ASSERT_EQ(::unlink(std::getenv("MARKER")), 0);
  Environment::current().service("marked").kill();
}

TEST(AloneTest, HasNoEnvironment) {
  EXPECT_EQ(message_of([] { Environment::current(); }),
            "this is an 'isoenv run' without a spec: it has no services\n"
            "  hint: give it one: isoenv run -f FILE");
}

}  // namespace
