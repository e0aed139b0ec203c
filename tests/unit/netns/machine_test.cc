#include "netns/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace isoenv {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A machine made of files, without the variables of the CI that runs this test.
class MachineTest : public ::testing::Test {
 protected:
  MachineTest() {
    for (const char* name : {"GITHUB_ACTIONS", "GITLAB_CI", "KUBERNETES_SERVICE_HOST"}) {
      ::unsetenv(name);
    }
    std::string path = ::testing::TempDir() + "machineXXXXXX";
    root_ = ::mkdtemp(path.data());
  }
  ~MachineTest() override { fs::remove_all(root_); }

  void file(const std::string& name, const std::string& text) const {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << text;
  }
  Machine machine() const { return read_machine(root_); }

 private:
  fs::path root_;
};

TEST_F(MachineTest, SaysNothingOfItselfWhereNothingCanBeRead) {
  const Machine bare = machine();
  EXPECT_EQ(bare.place, Place::kHost);
  EXPECT_FALSE(bare.container);
  EXPECT_FALSE(bare.seccomp_filter);
  EXPECT_TRUE(bare.ids_mapped);
  EXPECT_TRUE(bare.root_is_mount_point);
  EXPECT_TRUE(bare.unprivileged_userns_clone);
  EXPECT_THAT(bare.masks, IsEmpty());
  EXPECT_EQ(bare.foreign_kernel, "");
}

TEST_F(MachineTest, ReadsWhatUbuntuRestricts) {
  file("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n");
  file("sys/module/apparmor/parameters/enabled", "Y\n");
  file("proc/self/attr/current", "unprivileged_userns (enforce)\n");
  EXPECT_TRUE(machine().apparmor_restricts_userns);
  EXPECT_TRUE(machine().confined_by_apparmor());
  EXPECT_EQ(machine().security_context, "unprivileged_userns");
}

TEST_F(MachineTest, AnUnconfinedProgramIsNotConfined) {
  file("sys/module/apparmor/parameters/enabled", "Y\n");
  file("proc/self/attr/current", "unconfined\n");
  EXPECT_FALSE(machine().confined_by_apparmor());
}

TEST_F(MachineTest, KeepsSelinuxContextsWhole) {
  file("sys/fs/selinux/enforce", "1");
  file("proc/self/attr/current", std::string("system_u:system_r:container_t:s0:c1,c2\0", 39));
  EXPECT_TRUE(machine().selinux_enforcing);
  EXPECT_EQ(machine().security_context, "system_u:system_r:container_t:s0:c1,c2");
  EXPECT_FALSE(machine().confined_by_apparmor());
}

TEST_F(MachineTest, FindsMasksAndReadOnlySysctls) {
  file("proc/self/mountinfo",
       "1 0 0:1 / / rw,relatime - overlay overlay rw\n"
       "2 1 0:2 / /proc rw,nosuid - proc proc rw\n"
       "3 2 0:2 /sys /proc/sys ro,nosuid - proc proc rw\n"
       "4 2 0:3 / /proc/acpi ro,relatime - tmpfs tmpfs ro\n"
       "5 3 0:4 / /proc/sys/fs/binfmt_misc rw - autofs systemd-1 rw\n"
       "6 1 0:5 / /sys ro,nosuid - sysfs sysfs ro\n");
  EXPECT_THAT(machine().masks, ElementsAre("/proc/sys", "/proc/acpi", "/sys"));
  EXPECT_TRUE(machine().sysctls_read_only);
  EXPECT_TRUE(machine().root_is_mount_point);
}

TEST_F(MachineTest, SeesThatItsRootIsNoMountPoint) {
  file("proc/self/mountinfo", "2 1 0:2 / /proc rw,nosuid - proc proc rw\n");
  EXPECT_FALSE(machine().root_is_mount_point);
}

TEST_F(MachineTest, ReadsLimitsAndFilter) {
  file("proc/sys/user/max_net_namespaces", "0\n");
  file("proc/self/status", "Name:\tisoenv\nSeccomp:\t2\nSeccomp_filters:\t1\n");
  EXPECT_EQ(machine().namespace_limits.at("net_namespaces"), 0);
  EXPECT_TRUE(machine().seccomp_filter);
}

TEST_F(MachineTest, AnIdOutsideEveryRangeIsNotMapped) {
  file("proc/self/uid_map", "4000000000 0 1\n");
  EXPECT_FALSE(machine().ids_mapped);
}

TEST_F(MachineTest, TellsContainersAndCiApart) {
  file(".dockerenv", "");
  EXPECT_EQ(machine().place, Place::kDocker);
  EXPECT_TRUE(machine().container);
  file("run/.containerenv", "");
  EXPECT_EQ(machine().place, Place::kPodman);
  ::setenv("GITLAB_CI", "true", 1);
  EXPECT_EQ(machine().place, Place::kGitlab);
  ::setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1", 1);
  EXPECT_EQ(machine().place, Place::kKubernetes);
  ::setenv("GITHUB_ACTIONS", "true", 1);
  EXPECT_EQ(machine().place, Place::kGithub);
}

TEST_F(MachineTest, KnowsKernelsThatOnlyLookLikeLinux) {
  file("proc/version", "Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016\n");
  EXPECT_EQ(machine().foreign_kernel, "gVisor");
  file("proc/version", "Linux version 4.4.0-19041-Microsoft (Microsoft@Microsoft.com)\n");
  EXPECT_EQ(machine().foreign_kernel, "WSL 1");
  file("proc/version", "Linux version 5.15.167.4-microsoft-standard-WSL2 (root@x)\n");
  EXPECT_EQ(machine().foreign_kernel, "");
  EXPECT_EQ(machine().place, Place::kWsl);
}

}  // namespace
}  // namespace isoenv
