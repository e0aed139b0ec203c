#include "process/privileges.h"

#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <pwd.h>

#include <string>
#include <vector>

#include "base/error.h"

namespace isoenv {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAreArray;

std::string refusal(const std::string& name) {
  try {
    (void)find_account(name);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(AccountTest, IsFoundByNameAndByNumber) {
  const passwd root = *::getpwuid(0);
  for (const std::string name : {"root", "0"}) {
    const Account account = find_account(name);
    EXPECT_EQ(account.name, "root");
    EXPECT_EQ(account.uid, 0U);
    EXPECT_EQ(account.gid, root.pw_gid);
    EXPECT_EQ(account.home, root.pw_dir);
    EXPECT_THAT(account.groups, Contains(root.pw_gid));
  }
}

TEST(AccountTest, HasTheGroupsThatTheMachineGivesIt) {
  std::vector<std::string> names;
  ::setpwent();
  while (const passwd* entry = ::getpwent()) names.emplace_back(entry->pw_name);
  ::endpwent();
  for (const std::string& name : names) {
    std::vector<gid_t> groups(256);
    int count = static_cast<int>(groups.size());
    ASSERT_GE(::getgrouplist(name.c_str(), ::getpwnam(name.c_str())->pw_gid, groups.data(), &count),
              0);
    groups.resize(static_cast<std::size_t>(count));
    EXPECT_THAT(find_account(name).groups, UnorderedElementsAreArray(groups)) << name;
  }
}

TEST(AccountTest, NamesItselfInTheEnvironment) {
  const Account account = find_account("root");
  EXPECT_THAT(account.variables(), Contains(Pair("USER", "root")));
  EXPECT_THAT(account.variables(), Contains(Pair("LOGNAME", "root")));
  EXPECT_THAT(account.variables(), Contains(Pair("HOME", account.home)));
  EXPECT_THAT(account.variables(), Contains(Pair("SHELL", account.shell)));
}

TEST(AccountTest, MustExist) {
  for (const std::string name : {"nobody-of-that-name", "4294967294", "99999999999", "-1", "-0",
                                 "+0", " 0", "4294967296", "root:", ""}) {
    EXPECT_THAT(refusal(name), HasSubstr("there is no account '" + name + "'"));
  }
}

}  // namespace
}  // namespace isoenv
