// Output that would fill a disk, a terminal or the keeper's time, and what becomes of everybody
// else's.
#include <sstream>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

class FloodTest : public SystemTest {
 protected:
  std::string latest(const std::string& file) const {
    return read_file(artefact_dir() / "latest" / file);
  }
};

TEST_F(FloodTest, OfSeveralServicesLeavesOthersTheirTurnsAndLines) {
  Gate gate = make_gate();
  const auto spec = write_spec(R"("services": {
    "one": {"command": ["test_service", "writes_without_end", "one floods\n"],
            "log_limit": "512KiB"},
    "two": {"command": ["test_service", "writes_without_end", "\\0\\xff\\x1b[2J"],
            "log_limit": "512KiB"},
    "three": {"command": ["test_service", "ignores", "SIGTERM", "then", "writes_without_end", "\n"],
              "log_limit": "512KiB", "stop_timeout": "50ms", "allow_failure": true},
    "quiet": {"command": ["test_service", "writes", "early\n", "then", "waits_for", "gate", "then",
                          "writes", "late\n", "then", "tcp_echo", "*", "80"],
              "ports": {"main": 80}, "ready": [{"log": "early"}]}},
    "tasks": {"ask": {"command": ["test_service", "tcp_ask", "any", "quiet", "80", "x"]}})");
  ASSERT_THAT(up(spec, {"one", "two", "three", "quiet"}), ExitedWith(0));
  // Each flood has gone round its limit, and goes on.
  for (const char* name : {"one", "two", "three"}) {
    ASSERT_TRUE(eventually([&] {
      return fs::exists(artefact_dir() / "latest" / (std::string(name) + ".old.log"));
    })) << name;
  }
  EXPECT_THAT(isoenv({"ps", "-f", spec}), ExitedWith(0));
  ASSERT_TRUE(gate.open());
  ASSERT_TRUE(eventually([&] { return latest("quiet.log") == "early\nlate\n"; }));
  EXPECT_THAT(up(spec, {"ask"}), ExitedWith(0));
  EXPECT_THAT(exec_in(spec, {"tcp_ask", "any", "quiet", "80", "x"}), ExitedWith(0));
  EXPECT_THAT(down(spec), ExitedWith(0));

  const std::string merged = latest("isoenv.log");
  EXPECT_THAT(merged, AllOf(HasSubstr("quiet  | early\n"), HasSubstr("quiet  | late\n")));
  for (const std::string name : {"one", "two", "three"}) {
    const fs::path log = artefact_dir() / "latest" / (name + ".log");
    const fs::path old = artefact_dir() / "latest" / (name + ".old.log");
    EXPECT_LE(fs::file_size(log) + fs::file_size(old), 512U << 10);
    EXPECT_THAT(read_file(log), HasSubstr("[isoenv: the log's limit of 524288 bytes is reached: "
                                          "what came before is in '" +
                                          name + ".old.log'; dropped since this log was opened: "));
    EXPECT_THAT(merged, HasSubstr(name + ": its log_limit is reached here"));
    EXPECT_THAT(merged, HasSubstr(name + ": left out of this log: "));
  }
  EXPECT_LE(merged.size(), 4 * (512U << 10));
}

TEST_F(FloodTest, IsToldToHaveALineCutWhenItHasNoLineEnds) {
  const auto spec = write_spec(R"("tasks": {"long": {"command": ["sh", "-c",
      "head -c 150000 /dev/zero"]}})");
  ASSERT_THAT(up(spec), ExitedWith(0));
  EXPECT_THAT(down(spec), ExitedWith(0));
  EXPECT_EQ(latest("long.log"), std::string(150000, '\0'));
  std::istringstream merged(latest("isoenv.log"));
  std::size_t bytes = 0;
  int cuts = 0;
  for (std::string line; std::getline(merged, line);) {
    if (line.find(" long ") == std::string::npos) continue;
    bytes += static_cast<std::size_t>(std::count(line.begin(), line.end(), '\0'));
    cuts += line.ends_with(" [isoenv: this line is cut here and goes on below]") ? 1 : 0;
  }
  EXPECT_EQ(bytes, 150000U);
  EXPECT_EQ(cuts, 2);
}

/// A disk of 1 MiB under the artefacts, in a mount namespace of its own; half of it is taken by the
/// file `filler`. The commands of `script` find `isoenv` and, as `$spec`, the spec.
Outcome run_on_small_disk(const fs::path& disk, const fs::path& spec, const std::string& script,
                          const ProcessOptions& options) {
  fs::create_directory(disk);
  return run({"unshare", "--map-root-user", "--mount", "sh", "-ec",
              "disk=$1; spec=$2; isoenv() { " ISOENV_EXECUTABLE " \"$@\"; }\n"
              "mount -t tmpfs -o size=1m none \"$disk\"; cd \"$disk\"\n"
              "head -c 524288 /dev/zero > filler\n" +
                  script,
              "sh", disk, spec},
             options);
}

TEST_F(FloodTest, OnAFullDiskIsLostAndToldOnceThereIsRoom) {
  Gate flooder = make_gate("flooder");
  Gate gate = make_gate();
  const auto spec = write_spec(R"("services": {
    "floods": {"command": ["test_service", "writes_flat_out", "f", "8000", "then",
                 "creates_file", "flooded", "then", "waits_for", "flooder", "then",
                 "writes", "\nafter the flood\n", "then", "creates_file", "after", "then", "waits"],
               "ready": [{"file": "flooded"}]},
    "quiet": {"command": ["test_service", "waits_for", "gate", "then", "writes", "quiet line\n",
                 "then", "creates_file", "said", "then", "waits"]}})");
  const Outcome outcome = run_on_small_disk(dir() / "disk", spec, R"sh(
isoenv up -f "$spec" --artefacts "$disk/a" --owner none
echo "== full"; isoenv ps -f "$spec"
cd "$(dirname "$spec")"
rm "$disk/filler"
echo > gate; until test -e said; do :; done
echo > flooder; until test -e after; do :; done
isoenv down -f "$spec"
echo "== raw"; grep -a -v '^f*$' "$disk/a/latest/floods.log"; cat "$disk/a/latest/quiet.log"
echo "== merged"; grep -a -v '| f*$' "$disk/a/latest/isoenv.log"
)sh",
                                            options());
  ASSERT_THAT(outcome, ExitedWith(0));
  const auto part = [&](const std::string& from, const std::string& to) {
    const std::size_t begin = outcome.out.find(from);
    return outcome.out.substr(begin, outcome.out.find(to) - begin);
  };
  EXPECT_THAT(part("== full", "== raw"),
              ContainsRegex("of its log, [0-9]+ bytes are lost: ENOSPC"));
  EXPECT_THAT(part("== raw", "== merged"),
              AllOf(ContainsRegex("\n\\[isoenv: [0-9]+ bytes are lost here: ENOSPC"),
                    HasSubstr("\nafter the flood\n"), HasSubstr("\nquiet line\n")));
  EXPECT_THAT(part("== merged", "== end"),
              AllOf(ContainsRegex("isoenv \\| [0-9]+ bytes are lost here: ENOSPC"),
                    ContainsRegex("floods: writes to 'floods.log' again; it lacks [0-9]+ bytes"),
                    HasSubstr("quiet  | quiet line\n"), HasSubstr("floods | after the flood\n")));
}

TEST_F(FloodTest, OnAFullDiskStillHasItsLastLinesInTheFailure) {
  const auto spec = write_spec(R"("services": {"floods": {"command": ["test_service",
      "writes_flat_out", "f", "8000", "then", "writes", "last words\n", "then", "exits", "3"],
      "ready": [{"log": "never"}]}})");
  const Outcome outcome = run_on_small_disk(
      dir() / "disk", spec,
      R"(isoenv up -f "$spec" --artefacts "$disk/a" --owner none && exit 9; exit $?)", options());
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("| last words\n"), HasSubstr("exit code 3"),
                                 ContainsRegex("of its log, [0-9]+ bytes are lost: ENOSPC")));
}

TEST_F(FloodTest, OfAProbeCommandEndsBeforeTheMachinesMemory) {
  const auto spec = write_spec(R"("services": {"asked": {"command": ["test_service", "waits"],
      "ready": [{"exec": ["test_service", "writes_without_end", "flood\n"]}],
      "ready_timeout": "200ms"}})");
  const Outcome outcome = up(spec);
  ASSERT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err,
              ContainsRegex("exec test_service [^:]*: exit code [1-9][0-9]*: .*flood"));
}

TEST_F(FloodTest, BeyondTheLimitOfFileSizesKillsNobody) {
  const auto spec = write_spec(R"("tasks": {"floods": {"command": ["test_service",
      "writes_flat_out", "f", "8000"]}})");
  const Outcome outcome =
      run({"sh", "-ec",
           "ulimit -f 100; " ISOENV_EXECUTABLE
           " up -f \"$1\" --artefacts \"$2\" --owner none; " ISOENV_EXECUTABLE " ps -f \"$1\"",
           "sh", spec, artefact_dir()},
          options());
  EXPECT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(outcome.out, ContainsRegex("completed .*of its log, [0-9]+ bytes are lost: EFBIG"));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

}  // namespace
}  // namespace isoenv::test
