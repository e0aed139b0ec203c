#include "zoo.h"

#include <sys/stat.h>
#include <unistd.h>

#include <iostream>
#include <stdexcept>

namespace isoenv::test {
namespace {

constexpr char kSu[] = "/bin/su";

/// The JSON words of the command that executes a program with the set-user-ID bit.
std::string setuid_command(const std::filesystem::path& folder, unsigned uid) {
  if (::geteuid() == 0) {
    const std::filesystem::path copy = folder / "setuid_service";
    std::filesystem::copy_file(ISOENV_TEST_SERVICE_DIR "/test_service", copy,
                               std::filesystem::copy_options::overwrite_existing);
    if (::chown(copy.c_str(), uid, uid) != 0 || ::chmod(copy.c_str(), 06755) != 0) {
      throw std::runtime_error("cannot make a set-user-ID program");
    }
    return R"("executes", ")" + copy.string() + R"(", "waits")";
  }
  struct stat status {};
  if (::stat(kSu, &status) == 0 && (status.st_mode & S_ISUID) != 0) {
    return R"("executes", ")" + std::string(kSu) + R"(", "-c", "sleep 1000")";
  }
  std::cout << "no set-user-ID program here: that service only waits" << std::endl;
  return R"("waits")";
}

}  // namespace

std::string zoo_spec(const std::filesystem::path& folder, unsigned uid, const std::string& port) {
  return R"("services": {
    "deaf": {"command": ["test_service", "ignores", "SIGTERM", "then", "leaves_daemon",
                         "{{self.tmp}}/daemon", "then", "tcp_echo", "*", "env:PORT"],
             "ports": {"main": )" +
         port + R"(}, "localhost": ["main"], "publish": {"main": "auto"},
             "stop_timeout": "50ms", "allow_failure": true},
    "web": {"command": ["test_service", "http_hello", "*", "env:PORT"], "ports": {"http": )" +
         port + R"(},
            "depends": ["deaf"], "ready": [{"http": "http", "path": "/health"}],
            "allow_failure": true},
    "told": {"command": ["test_service", "notifies", "READY=1", "then", "forks", "5", "then", "waits"],
             "ready": [{"notify": true}, {"exec": ["test_service", "exits", "0"]}],
             "allow_failure": true},
    "storm": {"command": ["test_service", "forks_without_end", "20"], "allow_failure": true},
    "noisy": {"command": ["test_service", "fills_disk"], "stop_timeout": "100ms",
              "allow_failure": true},
    "held": {"command": ["test_service", "tcp_never_reads", "*", "env:PORT"], "ports": {"main": )" +
         port + R"(}, "allow_failure": true},
    "stuffer": {"command": ["test_service", "tcp_stuffs", "any", "{{held.host}}", "{{held.port.main}}"],
                "depends": ["held"], "allow_failure": true},
    "threads": {"command": ["test_service", "threads", "8", "then", "waits"], "allow_failure": true},
    "setuid": {"command": ["test_service", )" +
         setuid_command(folder, uid) + R"(], "allow_failure": true}},
    "tasks": {"seed": {"command": ["test_service", "writes_flat_out", "s", "100"], "depends": ["web"]}})";
}

const std::vector<std::string>& zoo_services() {
  static const std::vector<std::string> kNames{"deaf", "web",     "told",    "storm",  "noisy",
                                               "held", "stuffer", "threads", "setuid", "seed"};
  return kNames;
}

}  // namespace isoenv::test
