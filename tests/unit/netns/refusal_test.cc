#include "netns/refusal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>

#include <cerrno>

#include "netns/remedy.h"

namespace isoenv {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Kind = Cause::Kind;

Cause cause(Attempt attempt, int error_number, const Machine& machine,
            const Evidence& evidence = {}) {
  return find_cause(attempt, "do it", error_number, machine, evidence);
}

Machine ubuntu() {
  Machine machine;
  machine.apparmor = true;
  machine.security_context = "unconfined";
  machine.apparmor_restricts_userns = true;
  return machine;
}

TEST(RefusalTest, AFilterThatWasSeenIsTheCauseWhateverElseCouldBe) {
  const Evidence filtered{"unshare", {}};
  EXPECT_EQ(cause(Attempt::kUserNamespace, EPERM, ubuntu(), filtered),
            (Cause{Kind::kSeccomp, "unshare"}));
}

TEST(RefusalTest, AnActiveFilterThatLetTheCallThroughIsNotTheCause) {
  Machine machine = ubuntu();
  machine.seccomp_filter = true;
  EXPECT_EQ(cause(Attempt::kIdMap, EPERM, machine).kind, Kind::kAppArmorUserns);
}

TEST(RefusalTest, UbuntuDeniesCapabilitiesAfterTheNamespaceIsThere) {
  EXPECT_EQ(cause(Attempt::kIdMap, EPERM, ubuntu()).kind, Kind::kAppArmorUserns);
  EXPECT_EQ(cause(Attempt::kNamespaces, EPERM, ubuntu()).kind, Kind::kAppArmorUserns);
  Machine moved = ubuntu();
  moved.security_context = "unprivileged_userns";
  EXPECT_EQ(cause(Attempt::kMount, EACCES, moved).kind, Kind::kAppArmorUserns);
}

TEST(RefusalTest, AContainersProfileIsNamed) {
  Machine machine;
  machine.apparmor = true;
  machine.security_context = "docker-default";
  EXPECT_EQ(cause(Attempt::kMount, EACCES, machine),
            (Cause{Kind::kAppArmorProfile, "docker-default"}));
}

TEST(RefusalTest, SelinuxIsTheCauseOfDenialsOnly) {
  Machine machine;
  machine.selinux_enforcing = true;
  machine.security_context = "container_t";
  EXPECT_EQ(cause(Attempt::kMount, EACCES, machine).kind, Kind::kSelinux);
  EXPECT_EQ(cause(Attempt::kMount, ENODEV, machine).kind, Kind::kUnknown);
}

TEST(RefusalTest, DebiansSysctlClosesUserNamespacesToUsersAlone) {
  Machine machine;
  machine.unprivileged_userns_clone = false;
  EXPECT_EQ(cause(Attempt::kUserNamespace, EPERM, machine).kind, Kind::kUsernsClone);
  machine.capabilities = std::uint64_t{1} << CAP_SYS_ADMIN;
  EXPECT_NE(cause(Attempt::kUserNamespace, EPERM, machine).kind, Kind::kUsernsClone);
}

TEST(RefusalTest, TheLimitThatIsReachedIsNamedWithItsNumber) {
  Machine machine;
  machine.namespace_limits["net_namespaces"] = 0;
  EXPECT_EQ(cause(Attempt::kNamespaces, ENOSPC, machine, {"", {"net_namespaces"}}),
            (Cause{Kind::kNamespaceLimit, "user.max_net_namespaces=0"}));
  EXPECT_EQ(cause(Attempt::kNamespaces, ENOSPC, machine).kind, Kind::kUnknown);
}

TEST(RefusalTest, AChrootIsLeftWhenNothingElseForbidsAUserNamespace) {
  EXPECT_EQ(cause(Attempt::kUserNamespace, EPERM, {}).kind, Kind::kChroot);
  EXPECT_EQ(cause(Attempt::kUserNamespace, EACCES, {}).kind, Kind::kUnknown);
  Machine machine;
  machine.root_is_mount_point = false;
  EXPECT_EQ(cause(Attempt::kMount, EINVAL, machine).kind, Kind::kChroot);
}

TEST(RefusalTest, RootWithoutSetfcapCannotMapItself) {
  Machine machine;
  machine.root = true;
  EXPECT_EQ(cause(Attempt::kIdMap, EPERM, machine), (Cause{Kind::kMissingCapability, "SETFCAP"}));
  machine.capabilities = std::uint64_t{1} << CAP_SETFCAP;
  EXPECT_EQ(cause(Attempt::kIdMap, EPERM, machine).kind, Kind::kUnknown);
}

TEST(RefusalTest, MasksKeepAFreshProcAway) {
  Machine machine;
  machine.masks = {"/proc/acpi", "/proc/keys", "/sys/firmware", "/proc/bus", "/proc/irq"};
  EXPECT_EQ(find_cause(Attempt::kFreshMount, "mount /proc", EPERM, machine, {}),
            (Cause{Kind::kMasked, "/proc/acpi, /proc/keys, /proc/bus and 1 more"}));
  EXPECT_EQ(find_cause(Attempt::kFreshMount, "mount /sys", EPERM, machine, {}),
            (Cause{Kind::kMasked, "/sys/firmware"}));
}

TEST(RefusalTest, AMissingModuleIsNamedByTheStep) {
  EXPECT_EQ(find_cause(Attempt::kNetwork, "create a veth pair", EOPNOTSUPP, {}, {}),
            (Cause{Kind::kMissingModule, "veth"}));
  EXPECT_EQ(find_cause(Attempt::kNetwork, "create a macvlan interface", EOPNOTSUPP, {}, {}),
            (Cause{Kind::kMissingModule, "macvlan"}));
}

TEST(RefusalTest, AForeignKernelExplainsAnything) {
  Machine machine;
  machine.foreign_kernel = "gVisor";
  EXPECT_EQ(cause(Attempt::kNetwork, EPERM, machine), (Cause{Kind::kForeignKernel, "gVisor"}));
}

TEST(RefusalTest, TheErrorNamesCauseRemedyAndDoctor) {
  const Refused error(
      {"create a user namespace", Attempt::kUserNamespace, EPERM, {Kind::kUsernsClone, ""}}, {});
  EXPECT_EQ(error.code(), ExitCode::kCannotRun);
  EXPECT_STREQ(error.what(), "cannot create a user namespace: EPERM (Operation not permitted)");
  EXPECT_THAT(error.hint(), HasSubstr("kernel.unprivileged_userns_clone=0"));
  EXPECT_THAT(error.hint(), HasSubstr("on this machine: sudo sysctl -w"));
  EXPECT_THAT(error.hint(), HasSubstr("'isoenv doctor' tells more"));
}

TEST(RefusalTest, AnUnknownCauseIsNotMadeUp) {
  const Refused error({"do it", Attempt::kOther, EIO, {}}, {});
  EXPECT_EQ(error.hint(), "run 'isoenv doctor' to see what this machine grants");
  EXPECT_THAT(remedies({}, {}), IsEmpty());
}

TEST(RefusalTest, TheRemedyForTheOwnPlaceComesFirst) {
  for (const Place place : {Place::kHost, Place::kDocker, Place::kPodman, Place::kKubernetes,
                            Place::kGithub, Place::kGitlab}) {
    Machine machine;
    machine.place = place;
    const std::vector<Remedy> all = remedies({Kind::kSeccomp, "unshare"}, machine);
    ASSERT_THAT(all, Not(IsEmpty()));
    EXPECT_EQ(all.front().place, place) << place_name(place);
  }
}

TEST(RefusalTest, ARemedyOfSeveralLinesFitsOnOneForAHint) {
  const Remedy remedy{Place::kGitlab, "[runners.docker]\n  cap_add = [\"X\"]", ""};
  EXPECT_EQ(remedy.line(), "[runners.docker] cap_add = [\"X\"]");
}

TEST(RefusalTest, EveryKnownCauseHasANameATextAndARemedy) {
  for (int number = 1; number <= static_cast<int>(Kind::kMissingModule); ++number) {
    const Cause known{static_cast<Kind>(number), "gVisor"};
    EXPECT_NE(cause_name(known.kind), "unknown") << number;
    EXPECT_NE(cause_text(known), "") << number;
    EXPECT_THAT(remedies(known, {}), Not(IsEmpty())) << number;
  }
}

TEST(RefusalTest, TheProfileIsForThatProgramAlone) {
  const std::string profile = apparmor_profile("/opt/my \"tools\"/[1]/isoenv");
  EXPECT_THAT(profile, HasSubstr("profile isoenv \"/opt/my \\\"tools\\\"/\\[1\\]/isoenv\""));
  EXPECT_THAT(profile, HasSubstr("flags=(unconfined)"));
  EXPECT_THAT(profile, HasSubstr("  userns,\n"));
}

}  // namespace
}  // namespace isoenv
