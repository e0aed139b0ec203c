#include "process/account.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "base/error.h"

namespace isoenv {
namespace {

bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= 10 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::vector<std::pair<std::string, std::string>> Account::variables() const {
  return {{"HOME", home}, {"USER", name}, {"LOGNAME", name}, {"SHELL", shell}};
}

Account find_account(const std::string& name_or_uid) {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer(4096);
  int error_number = ERANGE;
  for (; error_number == ERANGE && buffer.size() <= (1U << 20U); buffer.resize(buffer.size() * 2)) {
    error_number =
        is_number(name_or_uid)
            ? ::getpwuid_r(static_cast<uid_t>(std::stoul(name_or_uid)), &entry, buffer.data(),
                           buffer.size(), &found)
            : ::getpwnam_r(name_or_uid.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (error_number != ERANGE) break;
  }
  if (found == nullptr) {
    throw Error("there is no account '" + name_or_uid + "' to run it as" +
                (error_number == 0 ? "" : ": " + errno_text(error_number)));
  }
  Account account{entry.pw_name, entry.pw_dir, entry.pw_shell, entry.pw_uid, entry.pw_gid, {}};
  if (account.shell.empty()) account.shell = "/bin/sh";  // passwd(5)
  int count = 32;
  account.groups.resize(static_cast<std::size_t>(count));
  while (::getgrouplist(entry.pw_name, entry.pw_gid, account.groups.data(), &count) < 0) {
    account.groups.resize(static_cast<std::size_t>(count));
  }
  account.groups.resize(static_cast<std::size_t>(count));
  return account;
}

}  // namespace isoenv
