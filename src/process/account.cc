#include "process/account.h"

#include <fcntl.h>
#include <sys/wait.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string_view>
#include <variant>

#include "base/error.h"
#include "base/exit_status.h"
#include "base/syscall.h"
#include "process/launcher.h"

namespace isoenv {
namespace {

/// What getent(1) prints of `key`; "" when the database has no such entry.
std::string look_up(const std::string& database, const std::string& key) {
  const char* const path = std::getenv("PATH");
  const auto found = find_program("getent", path != nullptr ? path : "/usr/bin:/bin", "/");
  if (const auto* missing = std::get_if<ProgramNotFound>(&found)) {
    throw Error("cannot look up the account '" + key + "': " + missing->reason);
  }
  Pipe output = make_pipe();
  const UniqueFd nothing = open_or_throw("/dev/null", O_RDWR);
  Program program;
  program.executable = std::get<std::string>(found);
  program.argv = {"getent", database, "--", key};
  program.env = {"LC_ALL=C"};
  program.stdio = {*nothing, *output.write, *nothing};
  const auto launched = launch(program);
  output.write.reset();
  if (const auto* failure = std::get_if<LaunchFailure>(&launched)) {
    throw Error("cannot look up the account '" + key +
                "': " + describe(*failure, program.executable, ""));
  }
  std::string entry = read_to_end(*output.read);
  int status = 0;
  while (::waitpid(std::get<pid_t>(launched), &status, 0) < 0 && errno == EINTR) {
  }
  const ExitStatus ended = ExitStatus::from_wait(status);
  constexpr int kNoSuchKey = 2;  // getent(1)
  if (ended.signal == 0 && ended.code == kNoSuchKey) return "";
  if (!ended.success()) {
    throw Error("cannot look up the account '" + key + "': 'getent " + database + "' ended with " +
                ended.describe());
  }
  while (entry.ends_with('\n')) entry.pop_back();
  return entry;
}

/// Nothing unless all of `text` is one.
std::optional<std::uint32_t> number_in(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// name:password:uid:gid:comment:home:shell, passwd(5). Nothing when it is no such line.
std::optional<Account> read_entry(const std::string& entry) {
  std::vector<std::string> fields;
  std::istringstream rest(entry);
  for (std::string field; std::getline(rest, field, ':');) fields.push_back(std::move(field));
  if (fields.size() == 6) fields.emplace_back();  // getline(3) sees no field after the last colon
  if (fields.size() != 7) return std::nullopt;
  const std::optional<uid_t> uid = number_in(fields[2]);
  const std::optional<gid_t> gid = number_in(fields[3]);
  if (!uid || !gid) return std::nullopt;
  return Account{fields[0], fields[5], fields[6].empty() ? "/bin/sh" : fields[6], *uid, *gid, {}};
}

}  // namespace

std::vector<std::pair<std::string, std::string>> Account::variables() const {
  return {{"HOME", home}, {"USER", name}, {"LOGNAME", name}, {"SHELL", shell}};
}

Account find_account(const std::string& name_or_uid) {
  std::optional<Account> account;
  if (!name_or_uid.empty()) account = read_entry(look_up("passwd", name_or_uid));
  // getent takes numbers as strtoul(3) does: with a sign, and modulo 2³².
  if (!account || (account->name != name_or_uid && number_in(name_or_uid) != account->uid)) {
    throw Error("there is no account '" + name_or_uid + "' to run it as");
  }
  std::istringstream words(look_up("initgroups", account->name));  // the name, then numbers
  std::string name;
  words >> name;
  account->groups = {account->gid};
  for (gid_t group = 0; words >> group;) {
    if (group != account->gid) account->groups.push_back(group);
  }
  return *account;
}

}  // namespace isoenv
