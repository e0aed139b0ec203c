// A suite that needs neither CTest nor `isoenv`: it brings its environment up itself, from $SPEC.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "isoenv/environment.h"
#include "tcp.h"

namespace {

using isoenv::Environment;
using isoenv::EnvironmentError;
using isoenv::Service;
using isoenv::ServiceState;

std::string spec() { return std::getenv("SPEC"); }

template <typename Act>
std::string message_of(Act act) {
  try {
    act();
  } catch (const EnvironmentError& error) {
    return error.what();
  }
  return "it did not throw";
}

TEST(UpTest, BringsUpEnvironmentsOfItsOwn) {
  Environment one = Environment::up(spec());
  Environment other = Environment::up(spec());
  EXPECT_NE(one.instance_id(), other.instance_id());
  EXPECT_EQ(one.service("web").state(), ServiceState::kReady);
  const Service web = one.service("web");
  one.down();
  EXPECT_EQ(other.service("web").state(), ServiceState::kReady);
  EXPECT_EQ(message_of([&] { web.state(); }),
            "the instance of 'lab' from '" + spec() + "' has ended");
  EXPECT_GT(web.port(), 0);
  EXPECT_EQ(web.log().wait_for("hello"), "hello");
}

TEST(UpTest, TakesItDownWithTheObject) {
  std::optional<Service> web;
  {
    Environment environment = Environment::up(spec());
    Environment moved = std::move(environment);
    web = moved.service("web");
    EXPECT_EQ(web->state(), ServiceState::kReady);
  }
  EXPECT_NE(message_of([&] { web->state(); }).find("has ended"), std::string::npos);
  EXPECT_NE(message_of([&] { web->new_log().wait_for("x"); }).find("before its instance ended"),
            std::string::npos);
}

TEST(UpTest, GoesIntoIt) {
  Environment environment = Environment::up(spec());
  EXPECT_EQ(environment.is_inside(), environment.rung() == "ports");
  environment.enter();
  EXPECT_TRUE(environment.is_inside());
  EXPECT_EQ(ask(environment.service("web"), "a"), "web: a");
  EXPECT_EQ(Environment::current().instance_id(), environment.instance_id());
}

TEST(UpTest, StartsWhatIsNamed) {
  isoenv::UpOptions options;
  options.services = {"web"};
  Environment environment = Environment::up(spec(), options);
  EXPECT_EQ(environment.service("web").state(), ServiceState::kReady);
  EXPECT_EQ(environment.service("idle").state(), ServiceState::kDown);
  EXPECT_EQ(message_of([&] { environment.service("idle").wait_ready(); }),
            "service 'idle' is not going to be ready: it is down");
}

TEST(UpTest, TellsWhyAServiceDidNotComeUp) {
  isoenv::UpOptions options;
  options.services = {"broken"};
  const std::string message = message_of([&] { Environment::up(spec(), options); });
  EXPECT_NE(message.find("environment 'lab' is not up:\n  broken: "), std::string::npos) << message;
  EXPECT_NE(message.find("exit code 7"), std::string::npos) << message;
  EXPECT_NE(message.find("| out of paper"), std::string::npos) << message;
}

TEST(UpTest, TellsThatThereIsNoSpec) {
  EXPECT_NE(message_of([] { Environment::up("/no/such.json"); }).find("/no/such.json"),
            std::string::npos);
}

TEST(RefusedTest, TellsThatTheMachineRefuses) {
  try {
    Environment::up(spec());
    ADD_FAILURE() << "it came up";
  } catch (const EnvironmentError& error) {
    EXPECT_TRUE(error.cannot_run()) << error.what();
  }
}

TEST(KilledTest, EndsWithTheProcess) {
  Environment environment = Environment::up(spec());
  ::raise(SIGKILL);
}

TEST(FoundTest, IsTheOnlyOneThatIsUp) {
  EXPECT_EQ(Environment::current().spec_file(), spec());
  EXPECT_EQ(Environment::find(spec()).service("web").state(), ServiceState::kReady);
}

TEST(FoundTest, IsTheOneThatTheVariableNames) {
  ::setenv("ISOENV_SPEC", spec().c_str(), 1);
  EXPECT_EQ(Environment::current().spec_file(), spec());
}

TEST(NobodyTest, IsToldHowToStart) {
  const std::string message = message_of([] { Environment::current(); });
  EXPECT_NE(message.find("no instance is up"), std::string::npos) << message;
}

TEST(NobodyTest, IsToldThatAnInstanceHasEnded) {
  ::setenv("ISOENV_INSTANCE", "0123abcd", 1);
  const std::string message = message_of([] { Environment::current(); });
  EXPECT_NE(message.find("0123abcd' has ended"), std::string::npos) << message;
}

TEST(NobodyTest, IsToldThatThereIsNoProgram) {
  ::setenv("ISOENV_EXECUTABLE", "/no/isoenv", 1);
  const std::string message = message_of([] { Environment::current(); });
  EXPECT_EQ(message,
            "cannot run '/no/isoenv', which ISOENV_EXECUTABLE names: No such file or directory");
}

}  // namespace
