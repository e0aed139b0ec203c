// Every system call that IsoEnv makes, made to fail, one after the other: the command says what
// could not be done and ends, or does without; nothing is left, and the next run works.
//
// The calls are counted first (base/fault_injection.h), so that none is left out. Shortly it is
// every sixteenth of them; which, ISOENV_TEST_SEED repeats. ISOENV_TEST_FAULT=all tries all,
// ISOENV_TEST_FAULT=ROLE.CALL:N:ERRNO@COMMAND one alone; both show what the commands say.
#include "base/fault_injection.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr unsigned kStride = 16;

/// A fault, and the command that it is given to.
struct Fault {
  std::string command;
  Role role = Role::kClient;
  Call call = Call::kOpen;
  std::uint32_t number = 0;
  std::string error;

  std::string text() const {
    return kRoleNames.at(static_cast<unsigned>(role)) + std::string(".") +
           kCallNames.at(static_cast<unsigned>(call)) + ":" + std::to_string(number) + ":" + error;
  }
};

/// What the kernel could well answer.
std::vector<std::string> errors_of(Call call) {
  switch (call) {
    case Call::kAccept:
    case Call::kDescriptor:
    case Call::kOpen:
    case Call::kPidfdOpen:
    case Call::kPipe:
    case Call::kSocket:
      return {"EMFILE"};
    case Call::kBind:
    case Call::kListen:
      return {"EADDRINUSE"};
    case Call::kClone:
    case Call::kConnect:
    case Call::kFork:
    case Call::kVfork:
      return {"EAGAIN"};
    case Call::kExec:
      return {"ENOMEM"};
    case Call::kFlock:
      return {"ENOLCK"};
    case Call::kMkdir:
    case Call::kRename:
      return {"ENOSPC"};
    case Call::kNetlink:
      return {"ENOBUFS"};
    case Call::kRead:
      return {"EIO"};
    case Call::kUnlink:
      return {"EROFS"};
    case Call::kWrite:
      return {"ENOSPC", "SHORT"};
    default:
      return {"EPERM"};
  }
}

class FaultInjectionTest : public SystemTest {
 protected:
  FaultInjectionTest() {
    // What a fault refuses must not be done in another way.
    options().env["ISOENV_ISOLATION"] = "netns";
    spec_ = write_spec(R"("services": {
      "store": {"command": ["test_service", "tcp_echo", "*", "80"], "ports": {"main": 80},
                "localhost": ["main"], "publish": {"main": "auto"},
                "ready": [{"tcp": "main"}, {"exec": ["test_service", "exits", "0"]}],
                "ready_timeout": "5s", "stop_timeout": "2s", "allow_failure": true},
      "told": {"command": ["test_service", "writes", "on\n", "then", "notifies", "READY=1", "then",
                           "waits"],
               "depends": ["store"], "ready": [{"notify": true}, {"log": "on"}],
               "ready_timeout": "5s", "stop_timeout": "2s", "allow_failure": true}})");
  }

  /// The calls of each role while `story` runs.
  template <typename Story>
  FaultCounts count(Story story) {
    const std::filesystem::path file = dir() / "counts";
    write_file("counts", std::string(sizeof(FaultCounts), '\0'));
    options().env["ISOENV_FAULT_COUNTS"] = file;
    story();
    options().env.erase("ISOENV_FAULT_COUNTS");
    const std::string bytes = read_file(file);
    FaultCounts counts{};
    EXPECT_EQ(bytes.size(), sizeof counts);
    std::memcpy(&counts, bytes.data(), std::min(bytes.size(), sizeof counts));
    return counts;
  }

  Outcome with_fault(const std::string& fault, const std::string& command) {
    if (!fault.empty()) options().env["ISOENV_FAULTS"] = fault;
    const Outcome outcome = perform(command);
    options().env.erase("ISOENV_FAULTS");
    return outcome;
  }

  Outcome perform(const std::string& command) {
    if (command == "up") return up(spec_);
    if (command == "exec") return exec_in(spec_, {"exits", "0"});
    if (command == "down") return down(spec_);
    if (command == "run") return run_in(spec_, {"exits", "0"});
    return isoenv({"run", "--", "test_service", "exits", "0"});
  }

  /// One message that an isoenv in trouble owes; or success, where it could do without.
  static void expect_clear_end(const std::string& command, const Outcome& outcome) {
    const bool wraps = command != "up" && command != "down";
    EXPECT_FALSE(outcome.timed_out || outcome.output_left_open) << outcome;
    EXPECT_EQ(outcome.signal, 0) << outcome;
    if (outcome.exit_code == 0) return;
    if (std::getenv("ISOENV_TEST_FAULT") != nullptr) std::cout << outcome.err;
    EXPECT_TRUE(outcome.exit_code == (wraps ? 125 : 1) || outcome.exit_code == 77 ||
                outcome.exit_code == 2)
        << outcome;
    const std::string name = wraps ? (command == "exec" ? "exec" : "run") : command;
    EXPECT_THAT(outcome.err, StartsWith("isoenv " + name + ": ")) << outcome;
    for (const char* raw : {"[system:", "[json", "terminate", "what()", "asio.", "std::", "basic_",
                            "filesystem error", "bad_", "unknown error"}) {
      EXPECT_THAT(outcome.err, Not(HasSubstr(raw)));
    }
  }

  /// The life of an instance, in which one command gets the fault. The other processes get theirs
  /// from whoever starts the keeper.
  void live_through(const Fault& fault) {
    const auto fault_for = [&](const std::string& command) {
      return fault.command == command ? fault.text() : std::string();
    };
    if (fault.command == "run" || fault.command == "run alone") {
      expect_clear_end(fault.command, with_fault(fault.text(), fault.command));
    } else {
      const Outcome begun = with_fault(fault_for("up"), "up");
      expect_clear_end("up", begun);
      if (begun.exit_code == 0) {
        expect_clear_end("exec", with_fault(fault_for("exec"), "exec"));
      }
      expect_clear_end("down", with_fault(fault_for("down"), "down"));
    }
    // The fault is over.
    EXPECT_THAT(down(spec_), ExitedWith(0));
    EXPECT_THAT(run_in(spec_, {"tcp_ask", "any", "localhost", "80", "x"}), ExitedWith(0));
    expect_nothing_left();
  }

  void survive_all(const std::string& command, const FaultCounts& counts,
                   const std::vector<Role>& roles) {
    const char* const chosen = std::getenv("ISOENV_TEST_FAULT");
    const std::string only = chosen == nullptr ? "" : chosen;
    const char* const seed = std::getenv("ISOENV_TEST_SEED");
    unsigned place = seed == nullptr ? std::random_device()() % kStride
                                     : static_cast<unsigned>(std::stoul(seed));
    std::cout << "ISOENV_TEST_SEED=" << place << std::endl;
    unsigned tried = 0;
    for (const Role role : roles) {
      for (unsigned call = 0; call < kCallNames.size(); ++call) {
        for (std::uint32_t n = 1; n <= counts.calls[static_cast<unsigned>(role)][call]; ++n) {
          for (const std::string& error : errors_of(static_cast<Call>(call))) {
            const Fault fault{command, role, static_cast<Call>(call), n, error};
            const std::string name = fault.text() + "@" + command;
            if (only.empty() ? place++ % kStride != 0 : only != "all" && only != name) continue;
            SCOPED_TRACE(name);
            if (!only.empty()) std::cout << name << std::endl;
            live_through(fault);
            ++tried;
          }
        }
      }
    }
    std::cout << command << ": " << tried << " faults" << std::endl;
  }

  std::filesystem::path spec_;
};

TEST_F(FaultInjectionTest, RefusesFaultsThatThereAreNot) {
  for (const char* fault : {"opne:1:EPERM", "open:0:EPERM", "open:1:EPREM", "kepper.open:1:EPERM",
                            "open", "open:x:EPERM"}) {
    const Outcome outcome = with_fault(fault, "down");
    EXPECT_THAT(outcome, ExitedWith(2));
    EXPECT_THAT(outcome.err, HasSubstr(std::string("no such fault: ") + fault));
  }
}

TEST_F(FaultInjectionTest, MakesTheNthCallFail) {
  const Outcome outcome = with_fault("zygote.clone:1:EPERM", "up");
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("store: cannot clone a process into new namespaces: EPERM"));
  EXPECT_THAT(with_fault("zygote.clone:3:EPERM", "up"), ExitedWith(0));
  EXPECT_THAT(down(spec_), ExitedWith(0));
}

TEST_F(FaultInjectionTest, CountsTheCallsOfEachRole) {
  const FaultCounts counts = count([&] {
    options().env["ISOENV_FAULTS"] = "zygote.clone:2:EAGAIN";
    EXPECT_THAT(up(spec_), ExitedWith(1));
    options().env.erase("ISOENV_FAULTS");
  });
  const auto calls = [&](Role role, Call call) {
    return counts.calls[static_cast<unsigned>(role)][static_cast<unsigned>(call)];
  };
  EXPECT_EQ(calls(Role::kZygote, Call::kClone), 2U);
  EXPECT_EQ(calls(Role::kKeeper, Call::kClone), 0U);
  EXPECT_EQ(calls(Role::kInit, Call::kExec), 2U);  // the service and a probe
  EXPECT_EQ(calls(Role::kInit, Call::kClone), 0U);
  EXPECT_EQ(counts.injected, 1U);
}

// What fails in the child of a vfork(2) is found by its parent.
TEST_F(FaultInjectionTest, OfStartingAProgramIsTold) {
  for (const auto& [fault, told] :
       {std::pair("init.vfork:1:EAGAIN", "fork 'test_service': EAGAIN"),
        std::pair("init.exec:1:EACCES", "execute 'test_service': EACCES"),
        std::pair("init.setrlimit:1:EPERM", "set the limit of open files 'test_service': EPERM")}) {
    const Outcome outcome = with_fault(fault, "up");
    EXPECT_THAT(outcome, ExitedWith(1));
    EXPECT_THAT(outcome.err, HasSubstr(std::string("store: cannot ") + told));
  }
}

// The report was closed before it was written.
TEST_F(FaultInjectionTest, OfAStartingKeeperIsTold) {
  // First it makes places for the folders in the machine's /dev/shm; these it can do without.
  const std::filesystem::directory_iterator shared("/dev/shm");
  const auto folders = std::count_if(begin(shared), end(shared), [](const auto& entry) {
    return entry.symlink_status().type() == std::filesystem::file_type::directory;
  });
  const std::string first = std::to_string(folders + 1);
  const Outcome outcome = with_fault("keeper.mkdir:" + first + ":ENOSPC", "up");
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("ENOSPC"));
}

// An instance without its owner would live for ever.
TEST_F(FaultInjectionTest, OfLookingForTheOwnerIsNoOwnerMissed) {
  options().env["ISOENV_FAULTS"] = "client.open:2:EMFILE";
  const Outcome outcome = up(spec_, {"--owner", "auto"});
  options().env.erase("ISOENV_FAULTS");
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("cannot read '/proc/"));
}

// The keeper would have kept the answer for somebody who never comes.
TEST_F(FaultInjectionTest, OfAskingWhatWasStartedLeavesNoEmptyInstance) {
  const auto spec = write_spec(
      R"("services": {"fails": {"command": ["test_service", "exits", "3"], "ready": [{"log": "x"}]}})",
      "fails.json");
  options().env["ISOENV_FAULTS"] = "client.connect:1:EMFILE";
  const Outcome outcome = up(spec);
  options().env.erase("ISOENV_FAULTS");
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("EMFILE"));
  EXPECT_THAT(isoenv({"ps", "-f", spec}), ExitedWith(0));  // the first who comes, and goes
  EXPECT_TRUE(eventually([&] { return isoenv({"ps", "-f", spec}).exit_code != 0; }));
}

// Who is refused waits for all who are, and that answer would never have been fetched.
TEST_F(FaultInjectionTest, OfAskingWhatWasStartedKeepsNobodyElseWaiting) {
  const auto spec =
      write_spec(R"("services": {"one": {"command": ["test_service", "waits"]}})", "one.json");
  options().env["ISOENV_FAULTS"] =
      "client.connect:1:EMFILE,zygote.clone:1:EPERM,zygote.clone:2:EPERM";
  EXPECT_THAT(up(spec), ExitedWith(1));
  options().env.erase("ISOENV_FAULTS");
  const Outcome second = up(spec);
  EXPECT_THAT(second, ExitedWith(1));
  EXPECT_THAT(second.err, HasSubstr("one: cannot clone a process into new namespaces: EPERM"));
}

TEST_F(FaultInjectionTest, IsSurvivedByUp) {
  const FaultCounts counts = count([&] { EXPECT_THAT(up(spec_), ExitedWith(0)); });
  EXPECT_THAT(down(spec_), ExitedWith(0));
  survive_all("up", counts, {Role::kClient, Role::kInit});
}

TEST_F(FaultInjectionTest, IsSurvivedByTheKeeperAndByWhoeverTidiesUpAfterIt) {
  const FaultCounts counts = count([&] {
    EXPECT_THAT(up(spec_), ExitedWith(0));
    EXPECT_THAT(exec_in(spec_, {"exits", "0"}), ExitedWith(0));
    EXPECT_THAT(down(spec_), ExitedWith(0));
  });
  survive_all("up", counts, {Role::kKeeper, Role::kZygote, Role::kTidy});
}

TEST_F(FaultInjectionTest, IsSurvivedByExec) {
  EXPECT_THAT(up(spec_), ExitedWith(0));
  const FaultCounts counts = count([&] {
    EXPECT_THAT(exec_in(spec_, {"exits", "0"}), ExitedWith(0));
  });
  EXPECT_THAT(down(spec_), ExitedWith(0));
  survive_all("exec", counts, {Role::kClient, Role::kInit});
}

TEST_F(FaultInjectionTest, IsSurvivedByDown) {
  EXPECT_THAT(up(spec_), ExitedWith(0));
  const FaultCounts counts = count([&] { EXPECT_THAT(down(spec_), ExitedWith(0)); });
  survive_all("down", counts, {Role::kClient});
}

TEST_F(FaultInjectionTest, IsSurvivedByRun) {
  const FaultCounts counts = count([&] {
    EXPECT_THAT(run_in(spec_, {"exits", "0"}), ExitedWith(0));
  });
  survive_all("run", counts, {Role::kClient});
}

TEST_F(FaultInjectionTest, IsSurvivedByRunWithoutASpec) {
  const FaultCounts counts = count([&] {
    EXPECT_THAT(isoenv({"run", "--", "test_service", "exits", "0"}), ExitedWith(0));
  });
  survive_all("run alone", counts, {Role::kClient, Role::kInit});
}

}  // namespace
}  // namespace isoenv::test
