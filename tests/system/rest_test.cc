// What the processes of an instance do once all is ready: nothing, until somebody asks.
#include <fstream>
#include <map>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

namespace fs = std::filesystem;

class RestTest : public SystemTest {
 protected:
  /// How often each of IsoEnv's own processes was given a processor, or gave it back: the lines
  /// `voluntary_ctxt_switches` and `nonvoluntary_ctxt_switches` of proc(5), of all its threads.
  std::map<pid_t, std::string> switches() const {
    std::map<pid_t, std::string> result;
    for (const LivingProcess& process : processes()) {
      if (!process.name.starts_with("isoenv")) continue;
      for (const auto& thread :
           fs::directory_iterator("/proc/" + std::to_string(process.pid) + "/task")) {
        std::ifstream status(thread.path() / "status");
        for (std::string line; std::getline(status, line);) {
          if (line.find("ctxt_switches:") != std::string::npos)
            result[process.pid] += process.name + " " + line + "\n";
        }
      }
    }
    return result;
  }

  /// Returns when a process that sleeps for so long has ended.
  void let_pass(const std::string& seconds) const {
    EXPECT_THAT(Process({"sleep", seconds}, ProcessOptions{}).wait(), ExitedWith(0));
  }
};

// A wait that is too short could only hide a wake-up, never make one: whatever the machine does
// meanwhile, who is not woken does not run. Who polls is never at rest for three seconds.
TEST_F(RestTest, WakesNoneOfItsProcesses) {
  const auto spec = write_spec(R"("services": {
    "tcp":  {"command": ["test_service", "tcp_echo", "*", "3000"], "ports": {"main": 3000},
             "restart": "on_failure"},
    "log":  {"command": ["test_service", "writes", "up\n", "then", "waits"], "ready": [{"log": "up"}],
             "depends": ["tcp", "once"]},
    "exec": {"command": ["test_service", "waits"], "ready": [{"exec": ["true"]}, {"file": "/"}]}},
    "tasks": {"once": {"command": ["true"]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  std::map<pid_t, std::string> before;
  // What `up` has begun ends some moments after it.
  EXPECT_TRUE(eventually([&] {
    before = switches();
    let_pass("1");
    return switches() == before;
  }));
  let_pass("3");  // the kernel may tell of links a second later, and more (net/core/link_watch.c)
  EXPECT_EQ(switches(), before);
  EXPECT_GE(before.size(), 4U) << "the keeper, and the init of each service";
  EXPECT_THAT(down(spec), ExitedWith(0));
}

}  // namespace
}  // namespace isoenv::test
