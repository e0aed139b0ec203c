#include "process/foreground.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <csignal>
#include <future>
#include <string>

#include "base/error.h"
#include "base/syscall.h"

namespace isoenv {
namespace {

class Owner {
 public:
  Owner() : pid_(::fork()) {
    while (pid_ == 0) ::pause();
    pidfd_ = try_pidfd_open(pid_);
  }
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;
  ~Owner() {
    end();
    ::waitpid(pid_, nullptr, 0);
  }
  int pidfd() const { return *pidfd_; }
  void end() const { ::kill(pid_, SIGKILL); }

 private:
  pid_t pid_;
  UniqueFd pidfd_;
};

InitPlan plan_of(std::vector<std::string> argv) {
  InitPlan plan;
  plan.program.executable = argv.front();
  plan.program.argv = std::move(argv);
  return plan;
}

TEST(ForegroundTest, PassesTheProgramsEndOn) {
  const ForegroundEnd end =
      run_in_foreground(kNoNamespaces, Birth::kInOwn, plan_of({"/bin/sh", "-c", "exit 7"}), {});
  EXPECT_EQ(end.status.shell_code(), 7);
  EXPECT_FALSE(end.cut_off);
}

TEST(ForegroundTest, IsCutOffByAnOwnerThatEndsBeforeTheProgramWasStarted) {
  const Owner owner;
  InitPlan plan = plan_of({"/bin/true"});
  plan.settle = [&owner] {
    owner.end();
    for (;;) ::pause();
  };
  const ForegroundEnd end =
      run_in_foreground(kNoNamespaces, Birth::kInOwn, std::move(plan), {owner.pidfd()});
  EXPECT_TRUE(end.cut_off);
  EXPECT_EQ(end.status.signal, SIGKILL);
}

TEST(ForegroundTest, SaysWhichStepFailedOfASetUpThatNobodyCutOff) {
  InitPlan plan = plan_of({"/bin/true"});
  plan.settle = [] { throw SystemError(EXDEV, "try"); };
  EXPECT_THROW(run_in_foreground(kNoNamespaces, Birth::kInOwn, std::move(plan), {}), SystemError);
}

TEST(SandboxTest, SaysThatItHasEndedToWhoeverWouldLaunchAProgram) {
  boost::asio::io_context context(1);
  Sandbox sandbox(context.get_executor(), kNoNamespaces, plan_of({"/bin/true"}),
                  [](const std::string&) {});
  const auto scenario = [&]() -> boost::asio::awaitable<void> {
    co_await sandbox.prepared();
    ::kill(sandbox.pid(), SIGKILL);
    (void)co_await sandbox.launch();
  };
  std::future<void> done = boost::asio::co_spawn(context, scenario(), boost::asio::use_future);
  context.run();
  EXPECT_THROW(done.get(), SandboxEnded);
}

}  // namespace
}  // namespace isoenv
