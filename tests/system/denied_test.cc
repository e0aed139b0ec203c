// Machines that refuse what an instance needs: what is said, and that nothing is left.
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using Json = nlohmann::json;

constexpr std::string_view kOneService =
    R"("services": {"web": {"command": ["test_service", "tcp_echo", "*", "8080"],
                            "ports": {"http": 8080}}})";
constexpr std::string_view kLowPort =
    R"("services": {"web": {"command": ["test_service", "tcp_echo", "*", "80"],
                            "ports": {"http": 80}}})";

class DeniedTest : public SystemTest {
 protected:
  Outcome run_under(const Words& denials) const {
    return isoenv_under(denials, {"run", "--", "true"});
  }
  /// `up`, and `down` when it went well.
  Outcome up_under(const Words& denials, std::string_view services = kOneService) const {
    const auto spec = write_spec(services);
    const Outcome outcome = isoenv_under(denials, {"up", "-f", spec, "--artefacts", artefact_dir(),
                                                   "--owner", std::to_string(::getpid())});
    if (outcome.exited_with(0)) {
      EXPECT_THAT(down(spec), ExitedWith(0));
    }
    return outcome;
  }
  Json doctor_under(const Words& denials, int exit_code) const {
    const Outcome outcome = isoenv_under(denials, {"doctor", "--json"});
    EXPECT_THAT(outcome, ExitedWith(exit_code));
    const Json report = Json::parse(outcome.out, nullptr, false);
    if (report.is_object()) return report;
    ADD_FAILURE() << "no JSON: " << outcome;
    return Json::object();
  }
  static Json capability(const Json& report, const std::string& name) {
    for (const Json& finding : report.value("capabilities", Json::array())) {
      if (finding.value("name", "") == name) return finding;
    }
    ADD_FAILURE() << "no '" << name << "' in " << report;
    return Json::object();
  }

  struct Expected {
    std::string capability;
    std::string step;
    std::string error;
    std::string cause;
    std::string subject = {};  ///< the beginning of the cause's; "" = any
  };
  /// `run`, `up` and `doctor` tell the same, exit with 77 and leave nothing.
  void expect_refused(const Words& denials, const Expected& expected) {
    const Json finding = capability(doctor_under(denials, 77), expected.capability);
    EXPECT_EQ(finding.value("state", ""), "refused") << finding;
    EXPECT_EQ(finding.value("step", ""), expected.step) << finding;
    EXPECT_THAT(finding.value("error", ""), StartsWith(expected.error + " "));
    EXPECT_EQ(finding["cause"]["name"], expected.cause) << finding;
    EXPECT_THAT(finding["cause"].value("subject", ""), StartsWith(expected.subject));
    EXPECT_THAT(finding["remedies"], Not(IsEmpty()));
    EXPECT_EQ(doctor_under(denials, 77)["ports"], true);
    const std::string text = finding["cause"].value("text", "");
    for (const Outcome& outcome : {run_under(denials), up_under(denials)}) {
      EXPECT_THAT(outcome, ExitedWith(77));
      EXPECT_THAT(outcome.err, HasSubstr("cannot " + expected.step + ": " + expected.error));
      EXPECT_THAT(outcome.err, HasSubstr("hint: " + text.substr(0, text.find('='))));
      EXPECT_THAT(outcome.err, HasSubstr("'isoenv doctor' tells more"));
    }
    expect_nothing_left();
  }
};

TEST_F(DeniedTest, DockersDefaultsAreFoundAndTold) {
  expect_refused({"--docker"}, {"user-namespace", "create a user namespace", "EPERM", "seccomp"});
}

TEST_F(DeniedTest, AFilterOnUnshareIsFoundAndTold) {
  expect_refused({"--syscall", "unshare=EACCES"},
                 {"user-namespace", "create a user namespace", "EACCES", "seccomp"});
}

TEST_F(DeniedTest, AFilterOnSomeNamespacesIsFoundAndTold) {
  expect_refused(
      {"--syscall", "unshare:CLONE_NEWNET=EPERM", "--syscall", "clone:CLONE_NEWNET=EPERM"},
      {"namespaces", "create namespaces inside a user namespace", "EPERM", "seccomp"});
}

TEST_F(DeniedTest, AFilterOnMountIsFoundAndTold) {
  expect_refused({"--syscall", "mount=EPERM"},
                 {"mounts", "detach mounts from the host", "EPERM", "seccomp"});
}

TEST_F(DeniedTest, AFilterOnRouteNetlinkIsFoundAndTold) {
  expect_refused({"--syscall", "socket:NETLINK_ROUTE=EPERM"},
                 {"network", "open a route netlink socket", "EPERM", "seccomp"});
}

TEST_F(DeniedTest, AnExhaustedLimitIsFoundAndTold) {
  expect_refused({"--limit", "net_namespaces=0"},
                 {"namespaces", "create namespaces inside a user namespace", "ENOSPC",
                  "namespace-limit", "user.max_net_namespaces=0"});
  expect_refused({"--limit", "mnt_namespaces=0"}, {"mounts", "create a mount namespace", "ENOSPC",
                                                   "namespace-limit", "user.max_mnt_namespaces"});
}

TEST_F(DeniedTest, AClosedUserNamespaceIsFoundAndTold) {
  if (::geteuid() == 0) {  // root needs none
    EXPECT_THAT(run_under({"--limit", "user_namespaces=0"}), ExitedWith(0));
    return;
  }
  expect_refused({"--limit", "user_namespaces=0"},
                 {"user-namespace", "create a user namespace", "ENOSPC", "namespace-limit",
                  "user.max_user_namespaces=0"});
}

TEST_F(DeniedTest, AChrootIsFoundAndTold) {
  if (::geteuid() == 0) {  // root needs no user namespace
    EXPECT_THAT(run_under({"--chroot"}), ExitedWith(0));
    return;
  }
  expect_refused({"--chroot"}, {"user-namespace", "create a user namespace", "EPERM", "chroot"});
}

TEST_F(DeniedTest, RootWithoutAnyCapabilityIsToldWhichItNeeds) {
  if (::geteuid() != 0) {  // a user has none to lose
    EXPECT_THAT(run_under({"--drop-cap", "all"}), ExitedWith(0));
    return;
  }
  expect_refused({"--drop-cap", "all"},
                 {"user-namespace", "map the user id", "EPERM", "missing-capability", "SETFCAP"});
}

TEST_F(DeniedTest, RootWithoutNetAdminUsesAUserNamespace) {
  for (const char* capability : {"NET_ADMIN", "SYS_ADMIN"}) {
    EXPECT_THAT(run_under({"--drop-cap", capability}), ExitedWith(0)) << capability;
    EXPECT_THAT(up_under({"--drop-cap", capability}), ExitedWith(0)) << capability;
    const Json report = doctor_under({"--drop-cap", capability}, 0);
    EXPECT_EQ(report["rung"], "userns");
  }
}

TEST_F(DeniedTest, ALimitOfProcessesIsFoundAndTold) {
  if (::geteuid() == 0) {  // it does not bind root
    EXPECT_THAT(run_under({"--rlimit", "nproc=1"}), ExitedWith(0));
    return;
  }
  // A sanitizer's search for leaks needs a task of its own.
  options().env["ASAN_OPTIONS"] += ":detect_leaks=0";
  const Json report = doctor_under({"--rlimit", "nproc=1"}, 77);
  const Json finding = capability(report, "processes");
  EXPECT_EQ(finding["state"], "refused");
  EXPECT_EQ(finding["cause"]["name"], "process-limit");
}

TEST_F(DeniedTest, AJoinThatIsRefusedIsToldByDoctorAndUp) {
  for (const char* rule : {"setns=EPERM", "setns:CLONE_NEWUSER=EPERM"}) {
    const Words denials = {"--syscall", rule};
    const Json report = doctor_under(denials, 77);
    const std::string name = rule == std::string("setns=EPERM") ? "link" : "join";
    EXPECT_EQ(capability(report, name)["cause"]["name"], "seccomp");
    EXPECT_EQ(capability(report, name)["cause"]["subject"], "setns");
    const Outcome outcome = up_under(denials);
    EXPECT_THAT(outcome, ExitedWith(77)) << rule;
    EXPECT_THAT(outcome.err,
                HasSubstr("cannot " + capability(report, name).value("step", "?") + ": EPERM"));
    EXPECT_THAT(run_under(denials), ExitedWith(0));  // a lone command joins nothing
  }
}

TEST_F(DeniedTest, DoctorSurvivesAFilterOnEverySystemCallOfATrial) {
  for (const char* rule :
       {"clone:CLONE_NEWNET=EPERM", "clone:CLONE_PARENT=EPERM", "pidfd_open=ENOSYS",
        "sethostname=EPERM", "umount2=EPERM", "socketpair=EMFILE", "signalfd4=EMFILE",
        "close_range=ENOSYS", "accept4=EPERM", "listen=EPERM", "waitid=EINTR"}) {
    const Outcome outcome = isoenv_under({"--syscall", rule}, {"doctor"});
    EXPECT_TRUE(outcome.exited_with(0) || outcome.exited_with(77)) << rule << ": " << outcome;
    EXPECT_THAT(outcome.out, HasSubstr("isolated here")) << rule;
    expect_nothing_left();
  }
}

TEST_F(DeniedTest, AReadOnlyRunRootIsToldWithItsVariable) {
  const Json report = doctor_under({"--read-only", runtime_dir()}, 77);
  const Json finding = capability(report, "run-directory");
  EXPECT_EQ(finding["state"], "refused");
  EXPECT_THAT(finding["error"].get<std::string>(), HasSubstr("EROFS"));
  EXPECT_THAT(finding["detail"].get<std::string>(), HasSubstr("ISOENV_RUNTIME_DIR"));
}

TEST_F(DeniedTest, AMaskedProcDoesNotMatter) {
  EXPECT_THAT(run_under({"--userns", "--mask-proc"}), ExitedWith(0));
  EXPECT_THAT(up_under({"--userns", "--mask-proc"}), ExitedWith(0));
  const Json report = doctor_under({"--userns", "--mask-proc"}, 0);
  if (::geteuid() == 0) return;  // its services see no masks
  EXPECT_EQ(capability(report, "fresh-proc")["state"], "degraded");
  EXPECT_EQ(capability(report, "fresh-proc")["cause"]["name"], "masked");
  EXPECT_EQ(capability(report, "low-ports")["cause"]["name"], "read-only-sysctls");
}

TEST_F(DeniedTest, ALowPortUnderAMaskedProcIsRefusedWithItsReason) {
  const Outcome outcome = up_under({"--mask-proc"}, kLowPort);
  if (::geteuid() == 0) {  // root needs no leave for low ports
    EXPECT_THAT(outcome, ExitedWith(0));
    return;
  }
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("web: cannot allow ports below 1024: EROFS"));
}

TEST_F(DeniedTest, AMissingHostsFileDoesNotMatter) {
  const auto spec = write_spec(kOneService);
  const Outcome outcome = isoenv_under({"--without", "/etc/hosts"},
                                       {"run", "-f", spec, "--artefacts", artefact_dir(), "--",
                                        "test_service", "tcp_ask", "any", "web", "8080", "hello"});
  EXPECT_THAT(outcome, ExitedWith(0));
}

TEST_F(DeniedTest, WhatTheKeeperIsRefusedIsNamed) {
  expect_refused({"--syscall", "mount:MS_BIND=EACCES"},
                 {"mounts", "mount over '" + first_name_file() + "'", "EACCES", "seccomp"});
}

TEST_F(DeniedTest, AMachineWithoutIpv6DoesNotMatter) {
  const auto spec = write_spec(R"("services": {
    "web": {"command": ["test_service", "tcp_echo", "0.0.0.0", "8080"], "ports": {"http": 8080}}})");
  for (const Words& denials :
       {Words{"--cover", "/sys/module/ipv6/parameters/disable_ipv6=1", "--syscall",
              "socket:AF_INET6=EAFNOSUPPORT"},
        Words{"--syscall", "socket:AF_INET6=EAFNOSUPPORT"},  // RestrictAddressFamilies of systemd
        Words{"--syscall", "socket:AF_INET6=EPERM"}}) {
    EXPECT_THAT(run_under(denials), ExitedWith(0));
    const Outcome outcome =
        isoenv_under(denials, {"run", "-f", spec, "--artefacts", artefact_dir(), "--",
                               "test_service", "tcp_ask", "4", "web", "8080", "hello"});
    EXPECT_THAT(outcome, ExitedWith(0));
    EXPECT_EQ(capability(doctor_under(denials, 0), "ipv6")["state"], "degraded");
  }
}

TEST_F(DeniedTest, RootInAContainerThatHasSysAdminAloneIsIsolated) {
  // As `docker run --cap-add SYS_ADMIN --security-opt apparmor=unconfined`, of root.
  Words denials = {"--mask-proc"};
  for (const char* capability : {"NET_ADMIN", "SYS_PTRACE", "SYS_RESOURCE"}) {
    denials.insert(denials.end(), {"--drop-cap", capability});
  }
  EXPECT_THAT(run_under(denials), ExitedWith(0));
  EXPECT_THAT(up_under(denials), ExitedWith(0));
  EXPECT_EQ(doctor_under(denials, 0)["rung"], "userns");
}

TEST_F(DeniedTest, AServiceThatCannotBeGivenNamespacesIsToldWhy) {
  expect_refused(
      {"--syscall", "clone:CLONE_NEWNET=EPERM"},
      {"service-namespaces", "clone a process into new namespaces", "EPERM", "seccomp", "clone"});
}

TEST_F(DeniedTest, AServiceThatCannotBeNamedIsToldWhy) {
  const Words denials = {"--syscall", "sethostname=EPERM"};
  const Outcome outcome = up_under(denials);
  EXPECT_THAT(outcome, ExitedWith(77));
  EXPECT_THAT(outcome.err, HasSubstr("cannot set the host name: EPERM"));
  EXPECT_EQ(capability(doctor_under(denials, 77), "service-namespaces")["state"], "refused");
  EXPECT_THAT(run_under(denials), ExitedWith(0));  // a lone command gets no name
}

TEST_F(DeniedTest, AShortageIsAFailureAndNoReasonToSkip) {
  EXPECT_THAT(run_under({"--syscall", "mount=ENOMEM"}), ExitedWith(125));
  const Outcome outcome = up_under({"--syscall", "mount=ENOMEM"});
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("cannot detach mounts from the host: ENOMEM"));
}

TEST_F(DeniedTest, AnExecThatMayNotJoinIsToldWhy) {
  const auto spec = write_spec(kOneService);
  ASSERT_THAT(up(spec), ExitedWith(0));
  const Outcome outcome =
      isoenv_under({"--syscall", "setns=EPERM"}, {"exec", "-f", spec, "--", "true"});
  EXPECT_THAT(outcome, ExitedWith(77));
  EXPECT_THAT(outcome.err, HasSubstr("cannot join the instance's namespaces: EPERM"));
  EXPECT_THAT(outcome.err, HasSubstr("a seccomp filter refuses setns(2)"));
  EXPECT_THAT(down(spec), ExitedWith(0));
}

TEST_F(DeniedTest, AMissingClone3DoesNotMatter) {
  EXPECT_THAT(run_under({"--syscall", "clone3=ENOSYS"}), ExitedWith(0));
  EXPECT_THAT(up_under({"--syscall", "clone3=ENOSYS"}), ExitedWith(0));
}

}  // namespace
}  // namespace isoenv::test
