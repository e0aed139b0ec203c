// Machines that refuse what an instance needs: what is said, and that nothing is left.
#include <unistd.h>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::HasSubstr;

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
};

TEST_F(DeniedTest, DockersDefaultsRefuseIsolation) {
  for (const Outcome& outcome : {run_under({"--docker"}), up_under({"--docker"})}) {
    EXPECT_THAT(outcome, ExitedWith(77));
    EXPECT_THAT(outcome.err, HasSubstr("cannot create a user namespace: EPERM"));
  }
}

TEST_F(DeniedTest, ALimitOfNetworkNamespacesRefusesIsolation) {
  for (const Outcome& outcome :
       {run_under({"--limit", "net_namespaces=0"}), up_under({"--limit", "net_namespaces=0"})}) {
    EXPECT_THAT(outcome, ExitedWith(77));
    EXPECT_THAT(outcome.err, HasSubstr("ENOSPC"));
  }
}

TEST_F(DeniedTest, AMaskedProcDoesNotMatter) {
  EXPECT_THAT(run_under({"--userns", "--mask-proc"}), ExitedWith(0));
  EXPECT_THAT(up_under({"--userns", "--mask-proc"}), ExitedWith(0));
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
  const Outcome outcome = up_under({"--syscall", "mount:MS_BIND=EACCES"});
  EXPECT_THAT(outcome, ExitedWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("EACCES"));
  EXPECT_THAT(outcome.err, ::testing::Not(HasSubstr("the keeper ended while it started")));
}

TEST_F(DeniedTest, AMissingClone3DoesNotMatter) {
  EXPECT_THAT(run_under({"--syscall", "clone3=ENOSYS"}), ExitedWith(0));
  EXPECT_THAT(up_under({"--syscall", "clone3=ENOSYS"}), ExitedWith(0));
}

}  // namespace
}  // namespace isoenv::test
