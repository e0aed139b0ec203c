#include "ready/wait_ready.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <optional>

#include "base/error.h"
#include "support/fake_clock.h"

namespace isoenv {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::FakeClock;
using testing::ElementsAre;
using testing::ElementsAreArray;

/// Something that happens when the test says so, awaited by a coroutine.
class Event {
 public:
  explicit Event(asio::io_context& context)
      : timer_(context, asio::steady_timer::time_point::max()) {}

  void happen() {
    happened_ = true;
    timer_.cancel();
  }
  asio::awaitable<void> wait() {
    ++waiting;
    boost::system::error_code error;
    if (!happened_) {
      co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
    --waiting;
    if (!happened_) throw boost::system::system_error(error);
  }

  int waiting = 0;

 private:
  asio::steady_timer timer_;
  bool happened_ = false;
};

ProbePlan probe(ProbeKind kind) {
  ProbePlan plan;
  plan.kind = kind;
  plan.port_name = "main";
  plan.port = 8080;
  plan.pattern = "up";
  plan.command = {"check"};
  return plan;
}

ProbePlan exit_probe(int code) {
  ProbePlan plan = probe(ProbeKind::kExit);
  plan.status = code;
  return plan;
}

class WaitReadyTest : public testing::Test {
 protected:
  WaitReadyTest() {
    context_.name = "user";
    context_.ipv4 = "10.79.0.2";
    context_.listening_sockets = [this](Protocol protocol) {
      int& asked = protocol == Protocol::kTcp ? tcp_asked_ : udp_asked_;
      ++asked;
      return protocol == Protocol::kTcp ? tcp_ : udp_;
    };
    context_.log_matches = [this](const std::string&) {
      ++log_asked_;
      return log_matched_;
    };
    context_.notified_ready = [this] { return notified_; };
  }

  asio::awaitable<ExitStatus> exited() {
    co_await exit_.wait();
    co_return status_;
  }

  void start(std::vector<ProbePlan> probes, milliseconds timeout = seconds(1)) {
    probes_ = std::move(probes);
    asio::co_spawn(io_,
                   wait_ready(
                       probes_, context_, [this] { return exited(); }, timeout, clock_),
                   asio::bind_cancellation_slot(
                       cancel_.slot(), [this](std::exception_ptr failure, ReadyOutcome outcome) {
                         failure_ = failure;
                         if (!failure) outcome_ = std::move(outcome);
                         ended_ = true;
                       }));
    FakeClock::settle(io_);
  }

  void end_process(ExitStatus status) {
    status_ = status;
    exit_.happen();
    FakeClock::settle(io_);
  }

  void listen() { tcp_ = {{"0.0.0.0", 8080, false}}; }
  milliseconds elapsed() const {
    return std::chrono::duration_cast<milliseconds>(clock_.now() - FakeClock::TimePoint{});
  }
  bool ready() const { return outcome_ && std::holds_alternative<Ready>(*outcome_); }

  void expect_nothing_runs() {
    FakeClock::settle(io_);
    EXPECT_TRUE(ended_);
    EXPECT_EQ(clock_.sleepers(), 0U);
    EXPECT_EQ(exit_.waiting, 0);
  }

  FakeClock clock_;
  ExitStatus status_;
  ProbeContext context_;
  std::vector<ProbePlan> probes_;
  std::vector<BoundSocket> tcp_;
  std::vector<BoundSocket> udp_;
  int tcp_asked_ = 0;
  int udp_asked_ = 0;
  int log_asked_ = 0;
  bool log_matched_ = false;
  bool notified_ = false;
  asio::cancellation_signal cancel_;
  std::optional<ReadyOutcome> outcome_;
  std::exception_ptr failure_;
  bool ended_ = false;
  asio::io_context io_{1};  // goes before what its coroutines refer to
  Event exit_{io_};
};

TEST_F(WaitReadyTest, IsReadyWithoutProbes) {
  start({});
  EXPECT_TRUE(ready());
  expect_nothing_runs();
}

TEST_F(WaitReadyTest, AsksBeforeItSleeps) {
  listen();
  start({probe(ProbeKind::kTcp)});
  EXPECT_TRUE(ready());
  EXPECT_TRUE(clock_.sleeps().empty());
  expect_nothing_runs();
}

TEST_F(WaitReadyTest, PausesAShareOfTheTimeThatHasPassed) {
  start({probe(ProbeKind::kTcp)}, milliseconds(2100));
  clock_.run(io_);
  ASSERT_EQ(elapsed(), milliseconds(2100));
  std::chrono::nanoseconds waited{0};
  for (const std::chrono::nanoseconds pause : clock_.sleeps()) {
    const bool last = waited + pause == milliseconds(2100);
    if (!last) {
      EXPECT_GE(pause, std::chrono::microseconds(250));
      EXPECT_GE(pause, std::min<std::chrono::nanoseconds>(waited / 32, milliseconds(50)));
    }
    EXPECT_LE(pause, std::max<std::chrono::nanoseconds>(waited / 32, std::chrono::microseconds(250)));
    EXPECT_LE(pause, milliseconds(50));
    waited += pause;
  }
  EXPECT_EQ(tcp_asked_, static_cast<int>(clock_.sleeps().size()) + 1);
}

TEST_F(WaitReadyTest, AsksWhatTakesLongLessOften) {
  context_.listening_sockets = [this, given = context_.listening_sockets](Protocol protocol) {
    clock_.advance(milliseconds(2));
    return given(protocol);
  };
  start({probe(ProbeKind::kTcp)}, milliseconds(60));
  clock_.run(io_);
  EXPECT_THAT(clock_.sleeps(), ElementsAre(milliseconds(16), milliseconds(16), milliseconds(16),
                                           milliseconds(4)));
}

TEST_F(WaitReadyTest, DiagnosesEveryUnpassedProbeAtTheDeadline) {
  tcp_ = {{"127.0.0.1", 8081, false}};
  log_matched_ = true;
  start({probe(ProbeKind::kTcp), probe(ProbeKind::kLog), probe(ProbeKind::kUdp)});
  clock_.run(io_);
  ASSERT_TRUE(outcome_);
  ASSERT_TRUE(std::holds_alternative<NotReadyInTime>(*outcome_));
  EXPECT_THAT(std::get<NotReadyInTime>(*outcome_).diagnosis,
              ElementsAre("tcp main: listens on 127.0.0.1:8081, expected *:8080",
                          "udp main: nothing listens yet"));
  EXPECT_EQ(elapsed(), seconds(1));
  expect_nothing_runs();
}

TEST_F(WaitReadyTest, AsksALastTimeAtTheDeadline) {
  start({probe(ProbeKind::kTcp)}, milliseconds(2));
  clock_.advance(milliseconds(1));
  FakeClock::settle(io_);
  EXPECT_FALSE(ended_);
  listen();
  clock_.advance(milliseconds(1));
  FakeClock::settle(io_);
  EXPECT_TRUE(ready());
}

TEST_F(WaitReadyTest, NeedsAllProbesAndAsksAPassedOneNoMore) {
  listen();
  start({probe(ProbeKind::kTcp), probe(ProbeKind::kUdp)});
  clock_.advance_to_next();
  FakeClock::settle(io_);
  EXPECT_FALSE(ended_);
  tcp_.clear();
  udp_ = {{"::", 8080, false}};
  clock_.advance_to_next();
  FakeClock::settle(io_);
  EXPECT_TRUE(ready());
  EXPECT_EQ(tcp_asked_, 1);
  EXPECT_EQ(udp_asked_, 3);
}

TEST_F(WaitReadyTest, EndsAtOnceWhenTheServiceExits) {
  start({probe(ProbeKind::kTcp)});
  EXPECT_FALSE(ended_);
  end_process({.code = 3});
  ASSERT_TRUE(outcome_);
  ASSERT_TRUE(std::holds_alternative<ExitedBeforeReady>(*outcome_));
  EXPECT_EQ(std::get<ExitedBeforeReady>(*outcome_).status.code, 3);
  EXPECT_THAT(std::get<ExitedBeforeReady>(*outcome_).diagnosis,
              ElementsAre("tcp main: nothing listens yet"));
  EXPECT_EQ(elapsed(), milliseconds(0));
  expect_nothing_runs();
}

TEST_F(WaitReadyTest, AServiceThatExitsWithZeroIsNotReady) {
  start({probe(ProbeKind::kTcp)});
  end_process({});
  ASSERT_TRUE(outcome_);
  EXPECT_TRUE(std::holds_alternative<ExitedBeforeReady>(*outcome_));
}

TEST_F(WaitReadyTest, ATaskIsReadyWhenItExitsWithItsCode) {
  start({exit_probe(0)});
  EXPECT_FALSE(ended_);
  end_process({});
  EXPECT_TRUE(ready());
  expect_nothing_runs();
}

TEST_F(WaitReadyTest, ATaskFailsWithAnotherCode) {
  start({exit_probe(0)});
  end_process({.code = 1});
  ASSERT_TRUE(outcome_);
  ASSERT_TRUE(std::holds_alternative<ExitedBeforeReady>(*outcome_));
  EXPECT_EQ(std::get<ExitedBeforeReady>(*outcome_).status.code, 1);
}

TEST_F(WaitReadyTest, ATaskKilledByASignalFails) {
  start({exit_probe(0)});
  end_process({.signal = 9});
  ASSERT_TRUE(outcome_);
  ASSERT_TRUE(std::holds_alternative<ExitedBeforeReady>(*outcome_));
  EXPECT_EQ(std::get<ExitedBeforeReady>(*outcome_).status.signal, 9);
}

TEST_F(WaitReadyTest, ATaskThatDoesNotEndIsNotReadyInTimeAndNotPolled) {
  start({exit_probe(0)});
  clock_.run(io_);
  ASSERT_TRUE(outcome_);
  ASSERT_TRUE(std::holds_alternative<NotReadyInTime>(*outcome_));
  EXPECT_THAT(std::get<NotReadyInTime>(*outcome_).diagnosis, ElementsAre("exit 0: still running"));
  EXPECT_THAT(clock_.sleeps(), ElementsAre(seconds(1)));
  expect_nothing_runs();
}

TEST_F(WaitReadyTest, AsksTheLogOnceMoreAfterATaskEnded) {
  start({exit_probe(0), probe(ProbeKind::kLog)});
  log_matched_ = true;  // its last words, read together with its end
  end_process({});
  EXPECT_TRUE(ready());
}

TEST_F(WaitReadyTest, ATaskWithoutItsLogLineFailsWithADiagnosis) {
  start({exit_probe(0), probe(ProbeKind::kLog)});
  end_process({});
  ASSERT_TRUE(outcome_);
  ASSERT_TRUE(std::holds_alternative<ExitedBeforeReady>(*outcome_));
  EXPECT_THAT(std::get<ExitedBeforeReady>(*outcome_).diagnosis,
              ElementsAre("log /up/: no line matched yet"));
}

TEST_F(WaitReadyTest, WaitsForAnnouncedChangesInsteadOfPolling) {
  std::function<void()> wake;
  context_.on_change = [&](std::function<void()> function) { wake = std::move(function); };
  start({probe(ProbeKind::kLog), probe(ProbeKind::kNotify)});
  EXPECT_THAT(clock_.sleeps(), ElementsAre(seconds(1)));
  ASSERT_TRUE(wake);

  log_matched_ = true;
  wake();
  FakeClock::settle(io_);
  EXPECT_FALSE(ended_);
  EXPECT_EQ(log_asked_, 2);

  notified_ = true;
  wake();
  FakeClock::settle(io_);
  EXPECT_TRUE(ready());
  EXPECT_EQ(elapsed(), milliseconds(0));
  EXPECT_FALSE(wake);  // nothing of the wait is left to call
  expect_nothing_runs();
}

TEST_F(WaitReadyTest, PassesOnWhatAHookThrows) {
  context_.listening_sockets = [](Protocol) -> std::vector<BoundSocket> {
    throw Error("no netlink");
  };
  start({probe(ProbeKind::kTcp)});
  ASSERT_TRUE(failure_);
  EXPECT_THROW(std::rethrow_exception(failure_), Error);
  expect_nothing_runs();
}

TEST_F(WaitReadyTest, AnExitEndsACommandThatHangs) {
  Event never(io_);
  context_.run_command = [&](std::vector<std::string>,
                             milliseconds) -> asio::awaitable<CommandOutcome> {
    co_await never.wait();
    co_return CommandOutcome{};
  };
  start({probe(ProbeKind::kExec)});
  EXPECT_EQ(never.waiting, 1);
  end_process({.code = 4});
  ASSERT_TRUE(outcome_);
  EXPECT_TRUE(std::holds_alternative<ExitedBeforeReady>(*outcome_));
  EXPECT_EQ(never.waiting, 0);
  expect_nothing_runs();
}

TEST_F(WaitReadyTest, GivesACommandNoMoreThanTheTimeLeft) {
  std::vector<milliseconds> given;
  context_.run_command = [&](std::vector<std::string>,
                             milliseconds timeout) -> asio::awaitable<CommandOutcome> {
    given.push_back(timeout);
    clock_.advance(seconds(20));
    co_return CommandOutcome{.finished = false, .status = {}, .last_output = "", .error = ""};
  };
  start({probe(ProbeKind::kExec)}, seconds(35));
  clock_.run(io_);
  EXPECT_THAT(given, ElementsAre(seconds(30), milliseconds(14950)));
  ASSERT_TRUE(outcome_);
  ASSERT_TRUE(std::holds_alternative<NotReadyInTime>(*outcome_));
  EXPECT_THAT(std::get<NotReadyInTime>(*outcome_).diagnosis,
              ElementsAre("exec check: still running after 14950 ms"));
}

TEST_F(WaitReadyTest, CancellationEndsAllItStarted) {
  start({probe(ProbeKind::kTcp)});
  EXPECT_EQ(clock_.sleepers(), 1U);
  EXPECT_EQ(exit_.waiting, 1);
  cancel_.emit(asio::cancellation_type::terminal);
  FakeClock::settle(io_);
  ASSERT_TRUE(failure_);
  try {
    std::rethrow_exception(failure_);
  } catch (const boost::system::system_error& error) {
    EXPECT_EQ(error.code(), asio::error::operation_aborted);
  }
  expect_nothing_runs();
}

TEST_F(WaitReadyTest, MayBeDroppedWithItsContext) {
  start({probe(ProbeKind::kTcp)});
  EXPECT_FALSE(ended_);  // the io_context is destroyed with the wait inside
}

}  // namespace
}  // namespace isoenv
